import { formatTime } from '../../machinery/clock.js';
import type { DeepReadonly, HorizontalPodAutoscaler } from '../../machinery/types.js';

export type ReadonlyAutoscaler = DeepReadonly<HorizontalPodAutoscaler>;
export type AutoscalerStatus = NonNullable<HorizontalPodAutoscaler['status']>;
type Condition = NonNullable<AutoscalerStatus['conditions']>[number];
type Metric = NonNullable<NonNullable<ReadonlyAutoscaler['spec']>['metrics']>[number];

export function withCondition(
  conditions: readonly DeepReadonly<Condition>[],
  next: { type: string; status: 'True' | 'False'; reason: string; message: string },
  nowMs: number,
): Condition[] {
  const old = conditions.find(condition => condition.type === next.type);
  const lastTransitionTime =
    old?.status === next.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(nowMs);
  const condition: Condition = { ...next, lastTransitionTime };
  return old === undefined ? [...conditions, condition] : conditions.map(other => (other === old ? condition : other));
}

const NO_RESOURCE_METRICS =
  'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';
const NO_CUSTOM_METRICS =
  'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';
const NO_EXTERNAL_METRICS =
  'unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered';

interface MetricFailure {
  readonly reason: string;
  /** As in the condition and the event. */
  readonly message: string;
  /** As it is wrapped for the sum over all metrics. */
  readonly wrapped: string;
}

/** Why a metric cannot be read: this cluster serves none of the metrics APIs, which are add-ons upstream too. */
export function metricFailure(metric: Metric): MetricFailure {
  const failure = (reason: string, what: string, message: string): MetricFailure => ({
    reason,
    message,
    wrapped: `failed to get ${what} metric value: ${message}`,
  });
  const ofResource = (reason: string, name: string, utilization: boolean, what: string): MetricFailure =>
    failure(
      reason,
      what,
      `failed to get ${name} ${utilization ? 'utilization' : 'usage'}: unable to get metrics for resource ${name}: ${NO_RESOURCE_METRICS}`,
    );
  const isUtilization = (target: { readonly averageUtilization?: number } | undefined): boolean =>
    target?.averageUtilization !== undefined;
  switch (metric.type) {
    case 'ContainerResource': {
      const { name = '', container = '', target } = metric.containerResource ?? {};
      const what = `${name} container`;
      return ofResource('FailedGetContainerResourceMetric', name, isUtilization(target), `${what} ${container}`);
    }
    case 'Pods': {
      const name = metric.pods?.metric.name ?? '';
      return failure('FailedGetPodsMetric', 'pods', `unable to get metric ${name}: ${NO_CUSTOM_METRICS}`);
    }
    case 'Object': {
      const name = metric.object?.metric.name ?? '';
      return failure('FailedGetObjectMetric', 'object', `unable to get metric ${name}: ${NO_CUSTOM_METRICS}`);
    }
    case 'External': {
      const name = metric.external?.metric.name ?? '';
      return failure('FailedGetExternalMetric', name, `unable to get external metric ${name}: ${NO_EXTERNAL_METRICS}`);
    }
    default: {
      const { name = '', target } = metric.resource ?? {};
      return ofResource('FailedGetResourceMetric', name, isUtilization(target), `${name} resource`);
    }
  }
}

export interface Bounded {
  /** What the target is to have; undefined: its metrics would have to say. */
  readonly desired?: number;
  readonly reason?: string;
  readonly disabled?: true;
}

/** What can be said without metrics (reconcileAutoscaler). */
export function boundReplicas({ spec }: ReadonlyAutoscaler, current: number): Bounded {
  const min = spec?.minReplicas ?? 1;
  const max = spec?.maxReplicas ?? min;
  if (current === 0 && min !== 0) return { desired: 0, disabled: true };
  if (current > max) return { desired: max, reason: 'Current number of replicas above Spec.MaxReplicas' };
  if (current < min) return { desired: min, reason: 'Current number of replicas below Spec.MinReplicas' };
  return {};
}
