import {
  errorList,
  forbidden,
  invalid,
  notSupported,
  path,
  required,
  type FieldError,
} from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, PodTemplateSpec, StatefulSet } from '../../machinery/types.js';
import { defaultClaim } from '../core/claim-defaults.js';
import { defaultPodTemplate } from '../core/pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkClaimSpec } from '../core/validation/claims.js';
import { checkDnsLabel, checkNonNegative, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkPodTemplate, checkPodTemplateMetadata } from '../core/pod/validation/pod-template.js';
import {
  checkAlways,
  checkAvailableWithinReady,
  checkCollisions,
  checkCounts,
  checkNotMoreThan100Percent,
  checkPositiveIntOrPercent,
  checkSelected,
  checkUsable,
  checkWorkloadSelector,
  isZeroIntOrPercent,
} from './validation/workload.js';
import { ageCell, containerCells, nameCell } from '../cells.js';
import { claimSpecWarnings } from '../core/validation/claims.js';
import { changedTemplateWarnings } from '../core/pod/pod-warnings.js';
import { scaleOf } from '../autoscaling/scale.js';

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

type Volume = NonNullable<NonNullable<PodTemplateSpec['spec']>['volumes']>[number];

/** The template as its Pods will be: with the claims' volumes, and with names that the controller gives. */
function podsTemplate(spec: Partial<Spec>): DeepReadonly<PodTemplateSpec> {
  const template = spec.template ?? {};
  const claims = new Map<string, DeepReadonly<Volume>>();
  for (const { metadata } of spec.volumeClaimTemplates ?? []) {
    const name = metadata?.name ?? '';
    claims.set(name, { name, persistentVolumeClaim: { claimName: name } });
  }
  const { subdomain, hostname, ...rest } = template.spec ?? ({} as NonNullable<typeof template.spec>);
  if (claims.size === 0 && !subdomain && !hostname) return template;
  const others = list(rest.volumes).filter(({ name }) => !claims.has(name));
  return { ...template, spec: { ...rest, volumes: [...claims.values(), ...others] } };
}

interface UpdateRules {
  /** Nothing of the template is checked: what is stored is malformed already. */
  readonly skipTemplate: boolean;
}

function checkStatefulSet(set: ReadonlyStatefulSet, update?: UpdateRules): FieldError[] {
  const out = errorList();
  const spec: Partial<Spec> = set.spec ?? {};
  const order = spec.podManagementPolicy ?? '';
  if (order === '') out.push(required(SPEC.child('podManagementPolicy')));
  else if (order !== 'OrderedReady' && order !== 'Parallel')
    out.push(invalid(SPEC.child('podManagementPolicy'), order, "must be 'OrderedReady' or 'Parallel'"));
  checkUpdateStrategy(out, spec.updateStrategy);
  checkRetention(out, spec.persistentVolumeClaimRetentionPolicy);
  // These cannot change: what was stored before a rule came may stay.
  if (update === undefined)
    list(spec.volumeClaimTemplates).forEach((claim, i) =>
      checkClaimSpec(out, SPEC.child('volumeClaimTemplates').index(i).child('spec'), claim.spec),
    );
  checkNonNegative(out, SPEC.child('replicas'), spec.replicas);
  checkNonNegative(out, SPEC.child('minReadySeconds'), spec.minReadySeconds);
  checkNonNegative(out, SPEC.child('ordinals', 'start'), spec.ordinals?.start);
  if (update === undefined && spec.serviceName) checkDnsLabel(out, SPEC.child('serviceName'), spec.serviceName);
  checkWorkloadSelector(out, SPEC.child('selector'), spec.selector, 'statefulset');
  const at = SPEC.child('template');
  if (checkUsable(out, SPEC.child('selector'), spec.selector, '')) {
    const template = podsTemplate(spec);
    checkSelected(out, at, spec.selector, template);
    if (update?.skipTemplate !== true) checkPodTemplate(out, at, template);
    checkPodTemplateMetadata(out, at, template);
  }
  checkAlways(out, at, spec.template ?? {}, 'StatefulSet');
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

/** MaxUnavailableStatefulSet is off: the field can be kept, not set. Mutates. */
function dropMaxUnavailable({ spec }: StatefulSet, old: ReadonlyStatefulSet | undefined): void {
  if (old?.spec?.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined) return;
  if (spec?.updateStrategy?.rollingUpdate !== undefined) delete spec.updateStrategy.rollingUpdate.maxUnavailable;
}

/** `suffix`: an update's warnings name the field in Go's spelling. */
const claimWarnings = (spec: ReadonlyStatefulSet['spec'], suffix: string): string[] =>
  list(spec?.volumeClaimTemplates).flatMap((claim, i) =>
    claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${i}]${suffix}`),
  );

const historyWarnings = (spec: ReadonlyStatefulSet['spec']): string[] =>
  (spec?.revisionHistoryLimit ?? 0) < 0
    ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
    : [];

export const statefulSetStrategy: Strategy<StatefulSet> = {
  default(set) {
    const spec = (set.spec ??= {} as NonNullable<StatefulSet['spec']>);
    spec.podManagementPolicy ||= 'OrderedReady';
    const strategy = (spec.updateStrategy ??= {});
    if (!strategy.type) {
      strategy.type = 'RollingUpdate';
      strategy.rollingUpdate ??= {};
    }
    if (strategy.rollingUpdate !== undefined) strategy.rollingUpdate.partition ??= 0;
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
    retention.whenDeleted ||= 'Retain';
    retention.whenScaled ||= 'Retain';
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    defaultPodTemplate((spec.template ??= {}));
    for (const claim of spec.volumeClaimTemplates ?? []) {
      // Whatever the client says: the server knows what a claim is.
      claim.apiVersion = 'v1';
      claim.kind = 'PersistentVolumeClaim';
      defaultClaim(claim);
    }
  },
  prepareForCreate(_ctx, set) {
    set.status = { replicas: 0, availableReplicas: 0 };
    dropMaxUnavailable(set, undefined);
  },
  prepareForUpdate: (_ctx, set, old) => dropMaxUnavailable(set, old),
  validate: (_ctx, set) => checkStatefulSet(set),
  validateUpdate(_ctx, set, old) {
    const skipTemplate = checkStatefulSet(old, { skipTemplate: false }).length > 0;
    const out = checkStatefulSet(set, { skipTemplate });
    if (!semanticEqual(withoutFree(set.spec), withoutFree(old.spec))) out.push(forbidden(SPEC, FORBIDDEN_TEXT));
    return out;
  },
  warnings: (_ctx, set, old) => [
    ...changedTemplateWarnings(set.spec?.template, old && { template: old.spec?.template }),
    ...claimWarnings(set.spec, old === undefined ? '' : '.Spec'),
    ...historyWarnings(set.spec),
  ],
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
      validateUpdate(_ctx, object, old) {
        const out = errorList();
        const status = (object['status'] ?? {}) as Readonly<Record<string, unknown>>;
        checkCounts(out, status, COUNTS, WITHIN);
        checkAvailableWithinReady(out, status, 'cannot be greater than status.readyReplicas');
        checkCollisions(out, status, old['status'] as Readonly<Record<string, unknown>> | undefined);
        return out;
      },
    },
    scale: scaleOf(),
  },
};
