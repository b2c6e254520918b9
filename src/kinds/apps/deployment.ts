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
import type { Deployment, DeepReadonly, KubeObject } from '../../machinery/types.js';
import { defaultPodTemplate } from '../core/pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, checkNonNegative } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import {
  checkAvailableWithinReady,
  checkCollisions,
  checkCounts,
  checkNotMoreThan100Percent,
  checkPositiveIntOrPercent,
  checkRunningTemplate,
  checkWorkloadSelector,
  isZeroIntOrPercent,
  nameWarnings,
  setRollingZeros,
} from './validation/workload.js';
import { ageCell, containerCells, nameCell, selectorCell } from '../cells.js';
import { changedTemplateWarnings } from '../core/pod/pod-warnings.js';
import { scaleOf } from '../autoscaling/scale.js';

type ReadonlyDeployment = DeepReadonly<Deployment>;
type Spec = NonNullable<ReadonlyDeployment['spec']>;

const SPEC = path('spec');

function checkStrategy(out: FieldError[], strategy: Spec['strategy']): void {
  const at = SPEC.child('strategy');
  const rolling = strategy?.rollingUpdate;
  switch (strategy?.type) {
    case 'Recreate':
      if (rolling !== undefined)
        out.push(forbidden(at.child('rollingUpdate'), "may not be specified when strategy `type` is 'Recreate'"));
      return;
    case 'RollingUpdate': {
      const field = at.child('rollingUpdate');
      if (rolling === undefined) return void out.push(required(field, 'this should be defaulted and never be nil'));
      const { maxUnavailable, maxSurge } = rolling;
      checkPositiveIntOrPercent(out, field.child('maxUnavailable'), maxUnavailable);
      checkPositiveIntOrPercent(out, field.child('maxSurge'), maxSurge);
      if (isZeroIntOrPercent(maxUnavailable) && isZeroIntOrPercent(maxSurge))
        out.push(invalid(field.child('maxUnavailable'), maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
      checkNotMoreThan100Percent(out, field.child('maxUnavailable'), maxUnavailable);
      return;
    }
    default:
      out.push(notSupported(at, goForm('DeploymentStrategy', strategy), ['Recreate', 'RollingUpdate']));
  }
}

function checkDeployment(deployment: ReadonlyDeployment): FieldError[] {
  const out = errorList();
  const spec: Partial<Spec> = deployment.spec ?? {};
  checkNonNegative(out, SPEC.child('replicas'), spec.replicas);
  checkWorkloadSelector(out, SPEC.child('selector'), spec.selector, 'deployment');
  checkRunningTemplate(out, SPEC, spec.selector, spec.template, 'ReplicaSet');
  checkStrategy(out, spec.strategy);
  checkNonNegative(out, SPEC.child('minReadySeconds'), spec.minReadySeconds);
  checkNonNegative(out, SPEC.child('revisionHistoryLimit'), spec.revisionHistoryLimit);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined) {
    const at = SPEC.child('progressDeadlineSeconds');
    checkNonNegative(out, at, deadline);
    if (deadline <= (spec.minReadySeconds ?? 0))
      out.push(invalid(at, deadline, 'must be greater than minReadySeconds'));
  }
  return out;
}

const COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
];

export const deploymentStrategy: Strategy<Deployment> = {
  default(deployment) {
    const spec = (deployment.spec ??= {} as NonNullable<Deployment['spec']>);
    spec.replicas ??= 1;
    defaultPodTemplate((spec.template ??= {}));
    const strategy = (spec.strategy ??= {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      const rolling = (strategy.rollingUpdate ??= {});
      rolling.maxUnavailable ??= '25%';
      rolling.maxSurge ??= '25%';
    }
    setRollingZeros(strategy.rollingUpdate);
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
  },
  validate: (_ctx, deployment) => checkDeployment(deployment),
  validateUpdate(_ctx, deployment, old) {
    const out = checkDeployment(deployment);
    checkImmutable(out, SPEC.child('selector'), deployment.spec?.selector, old.spec?.selector);
    return out;
  },
  // Annotations carry the revision: a rollback that changes nothing else must be seen.
  generationChanged: (deployment, old) =>
    !semanticEqual(deployment.spec, old.spec) ||
    !semanticEqual(deployment.metadata.annotations, old.metadata.annotations),
  warnings: (_ctx, deployment, old) => [
    ...(old === undefined ? nameWarnings(deployment.metadata.name) : []),
    ...changedTemplateWarnings(deployment.spec?.template, old && { template: old.spec?.template }),
  ],
  cells(deployment, nowMs) {
    const { spec, status } = deployment;
    const object = deployment as DeepReadonly<KubeObject>;
    return {
      cells: [
        nameCell(object),
        `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
        status?.updatedReplicas ?? 0,
        status?.availableReplicas ?? 0,
        ageCell(object, nowMs),
        ...containerCells(spec?.template?.spec),
        selectorCell(spec?.selector),
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object, old) {
        const out = errorList();
        const status = (object['status'] ?? {}) as Readonly<Record<string, unknown>>;
        checkCounts(out, status, COUNTS, ['updatedReplicas', 'readyReplicas', 'availableReplicas']);
        checkAvailableWithinReady(out, status, 'cannot be greater than readyReplicas');
        checkCollisions(out, status, old['status'] as Readonly<Record<string, unknown>> | undefined);
        return out;
      },
    },
    scale: scaleOf(),
  },
};
