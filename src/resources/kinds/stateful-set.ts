import { forbidden, invalid, notSupported, path, required, type FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, StatefulSet } from '../../machinery/types.js';
import { defaultClaim } from '../defaults/claim.js';
import { defaultPodTemplate } from '../defaults/pod-spec.js';
import type { Strategy } from '../strategy.js';
import { checkDnsLabel, checkNonNegative } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkPodTemplateMetadata } from '../validation/pod-spec.js';
import {
  checkAlways,
  checkAvailableWithinReady,
  checkCounts,
  checkNotMoreThan100Percent,
  checkPositiveIntOrPercent,
  checkSelected,
  checkWorkloadSelector,
  isZeroIntOrPercent,
} from '../validation/workload.js';
import { ageCell, containerCells, nameCell } from './cells.js';
import { changedTemplateWarnings } from './pod-warnings.js';
import { scaleOf } from './scale.js';

type ReadonlyStatefulSet = DeepReadonly<StatefulSet>;
type Spec = NonNullable<ReadonlyStatefulSet['spec']>;

const SPEC = path('spec');
const RETENTION = ['Retain', 'Delete'];

function checkUpdateStrategy(out: FieldError[], strategy: Spec['updateStrategy']): void {
  const at = SPEC.child('updateStrategy');
  const rolling = strategy?.rollingUpdate;
  const rollingAt = at.child('rollingUpdate');
  switch (strategy?.type ?? '') {
    case '':
      return void out.push(required(at));
    case 'OnDelete':
      if (rolling !== undefined)
        out.push(
          invalid(
            rollingAt,
            goForm('StatefulSetRollingUpdate', rolling),
            "only allowed for updateStrategy 'RollingUpdate'",
          ),
        );
      return;
    case 'RollingUpdate': {
      checkNonNegative(out, rollingAt.child('partition'), rolling?.partition);
      const limit = rolling?.maxUnavailable;
      if (limit === undefined) return;
      checkPositiveIntOrPercent(out, rollingAt.child('maxUnavailable'), limit);
      if (isZeroIntOrPercent(limit)) out.push(invalid(rollingAt.child('maxUnavailable'), limit, 'cannot be 0'));
      return checkNotMoreThan100Percent(out, rollingAt.child('maxUnavailable'), limit);
    }
    default:
      out.push(invalid(at, goForm('StatefulSetUpdateStrategy', strategy), "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function checkRetention(out: FieldError[], policy: Spec['persistentVolumeClaimRetentionPolicy']): void {
  if (policy === undefined) return;
  const at = SPEC.child('persistentVolumeClaimRetentionPolicy');
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const value = policy[field] ?? '';
    if (!RETENTION.includes(value)) out.push(notSupported(at.child(field), value, RETENTION));
  }
}

function checkStatefulSet(set: ReadonlyStatefulSet, old: ReadonlyStatefulSet | undefined): FieldError[] {
  const out: FieldError[] = [];
  const spec: Partial<Spec> = set.spec ?? {};
  const order = spec.podManagementPolicy ?? '';
  if (order === '') out.push(required(SPEC.child('podManagementPolicy')));
  else if (order !== 'OrderedReady' && order !== 'Parallel')
    out.push(invalid(SPEC.child('podManagementPolicy'), order, "must be 'OrderedReady' or 'Parallel'"));
  checkUpdateStrategy(out, spec.updateStrategy);
  checkRetention(out, spec.persistentVolumeClaimRetentionPolicy);
  checkNonNegative(out, SPEC.child('replicas'), spec.replicas);
  checkNonNegative(out, SPEC.child('minReadySeconds'), spec.minReadySeconds);
  checkNonNegative(out, SPEC.child('ordinals', 'start'), spec.ordinals?.start);
  // What was stored before the rule came may stay.
  if (old === undefined && spec.serviceName) checkDnsLabel(out, SPEC.child('serviceName'), spec.serviceName);
  checkWorkloadSelector(out, SPEC.child('selector'), spec.selector, 'statefulset');
  // The Pod's spec is checked when a Pod is made: it may mount volumes that only volumeClaimTemplates give it.
  const at = SPEC.child('template');
  const template = spec.template ?? {};
  checkSelected(out, at, spec.selector, template);
  checkPodTemplateMetadata(out, at, template);
  checkAlways(out, at, template, 'StatefulSet');
  return out;
}

const FREE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

const FORBIDDEN_TEXT =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function withoutFree(spec: Spec | undefined): Record<string, unknown> {
  const rest: Record<string, unknown> = { ...spec };
  for (const field of FREE) delete rest[field];
  return rest;
}

const COUNTS = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
];
const WITHIN = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];

export const statefulSetStrategy: Strategy<StatefulSet> = {
  default(set) {
    const spec = (set.spec ??= {} as NonNullable<StatefulSet['spec']>);
    spec.podManagementPolicy ||= 'OrderedReady';
    const strategy = (spec.updateStrategy ??= {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') (strategy.rollingUpdate ??= {}).partition ??= 0;
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
    retention.whenDeleted ||= 'Retain';
    retention.whenScaled ||= 'Retain';
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    defaultPodTemplate((spec.template ??= {}));
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= 'v1';
      claim.kind ??= 'PersistentVolumeClaim';
      defaultClaim(claim);
    }
  },
  prepareForCreate(_ctx, set) {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  validate: (_ctx, set) => checkStatefulSet(set, undefined),
  validateUpdate(_ctx, set, old) {
    const out = checkStatefulSet(set, old);
    if (!semanticEqual(withoutFree(set.spec), withoutFree(old.spec))) out.push(forbidden(SPEC, FORBIDDEN_TEXT));
    return out;
  },
  warnings: (_ctx, set, old) => changedTemplateWarnings(set.spec?.template, old && { template: old.spec?.template }),
  cells(set, nowMs) {
    const { spec, status } = set;
    const object = set as DeepReadonly<KubeObject>;
    return {
      cells: [
        nameCell(object),
        `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
        ageCell(object, nowMs),
        ...containerCells(spec?.template?.spec),
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object) {
        const out: FieldError[] = [];
        const status = (object['status'] ?? {}) as Readonly<Record<string, unknown>>;
        checkCounts(out, status, COUNTS, WITHIN);
        checkAvailableWithinReady(out, status, 'cannot be greater than status.readyReplicas');
        return out;
      },
    },
    scale: scaleOf(),
  },
};
