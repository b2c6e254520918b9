import { formatTime } from '../../machinery/clock.js';
import type { DeepReadonly, HorizontalPodAutoscaler } from '../../machinery/types.js';

export type ReadonlyAutoscaler = DeepReadonly<HorizontalPodAutoscaler>;
export type AutoscalerSpec = NonNullable<ReadonlyAutoscaler['spec']>;
export type AutoscalerStatus = NonNullable<HorizontalPodAutoscaler['status']>;
export type MetricSpec = NonNullable<AutoscalerSpec['metrics']>[number];
export type MetricStatus = NonNullable<AutoscalerStatus['currentMetrics']>[number];
type StoredCondition = NonNullable<AutoscalerStatus['conditions']>[number];

export interface Condition {
  readonly type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** The list with a condition as it is now; only another status is a transition. */
export function withCondition(
  conditions: readonly DeepReadonly<StoredCondition>[],
  next: Condition,
  nowMs: number,
): StoredCondition[] {
  const old = conditions.find(condition => condition.type === next.type);
  const lastTransitionTime =
    old?.status === next.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(nowMs);
  const condition: StoredCondition = { ...next, lastTransitionTime };
  return old === undefined ? [...conditions, condition] : conditions.map(other => (other === old ? condition : other));
}
