import { errorList, path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, ReplicaSet } from '../../machinery/types.js';
import { defaultPodTemplate } from '../core/pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, checkNonNegative } from '../validation/formats.js';
import {
  checkAvailableWithinReady,
  checkCounts,
  checkRunningTemplate,
  checkWorkloadSelector,
  nameWarnings,
} from './validation/workload.js';
import { ageCell, containerCells, nameCell, selectorCell } from '../cells.js';
import { changedTemplateWarnings } from '../core/pod/pod-warnings.js';
import { scaleOf } from '../autoscaling/scale.js';

type ReadonlyReplicaSet = DeepReadonly<ReplicaSet>;
const SPEC = path('spec');

function checkReplicaSet(set: ReadonlyReplicaSet): FieldError[] {
  const out = errorList();
  const spec: Partial<NonNullable<ReadonlyReplicaSet['spec']>> = set.spec ?? {};
  checkNonNegative(out, SPEC.child('replicas'), spec.replicas);
  checkNonNegative(out, SPEC.child('minReadySeconds'), spec.minReadySeconds);
  checkWorkloadSelector(out, SPEC.child('selector'), spec.selector, 'deployment');
  checkRunningTemplate(out, SPEC, spec.selector, spec.template, 'ReplicaSet');
  return out;
}

const COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
  'terminatingReplicas',
];

/** Checks of ReplicaSetStatus, which ReplicationController shares. */
export function checkReplicaStatus(object: DeepReadonly<KubeObject>): FieldError[] {
  const out = errorList();
  const status = (object['status'] ?? {}) as Readonly<Record<string, unknown>>;
  checkCounts(out, status, COUNTS, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
  checkAvailableWithinReady(out, status, 'cannot be greater than readyReplicas');
  return out;
}

export const replicaSetStrategy: Strategy<ReplicaSet> = {
  default(set) {
    const spec = (set.spec ??= {} as NonNullable<ReplicaSet['spec']>);
    spec.replicas ??= 1;
    defaultPodTemplate((spec.template ??= {}));
  },
  prepareForCreate(_ctx, set) {
    set.status = { replicas: 0 };
  },
  validate: (_ctx, set) => checkReplicaSet(set),
  validateUpdate(_ctx, set, old) {
    const out = checkReplicaSet(set);
    checkImmutable(out, SPEC.child('selector'), set.spec?.selector, old.spec?.selector);
    return out;
  },
  warnings: (_ctx, set, old) => [
    ...(old === undefined ? nameWarnings(set.metadata.name) : []),
    ...changedTemplateWarnings(set.spec?.template, old && { template: old.spec?.template }),
  ],
  cells(set, nowMs) {
    const { spec, status } = set;
    const object = set as DeepReadonly<KubeObject>;
    return {
      cells: [
        nameCell(object),
        spec?.replicas ?? 0,
        status?.replicas ?? 0,
        status?.readyReplicas ?? 0,
        ageCell(object, nowMs),
        ...containerCells(spec?.template?.spec),
        selectorCell(spec?.selector),
      ],
    };
  },
  subresources: {
    status: { kind: 'part', validateUpdate: (_ctx, object) => checkReplicaStatus(object) },
    scale: scaleOf(),
  },
};
