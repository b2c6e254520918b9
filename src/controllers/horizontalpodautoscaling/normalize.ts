import { changedWithin, recommend, type History, type Rules } from './history.js';
import type { AutoscalerSpec, Condition } from './status.js';

/** What is made of the number that metrics ask for (pkg/controller/podautoscaler/horizontal.go). */

/** Upstream --horizontal-pod-autoscaler-downscale-stabilization. */
const DOWNSCALE_STABILIZATION_S = 300;
/** Without rules, a target may double, or grow to this. */
const UP_FACTOR = 2;
const UP_MINIMUM = 4;
const MAX_INT32 = 2 ** 31 - 1;

export interface Normalizing {
  readonly history: History;
  readonly behavior: AutoscalerSpec['behavior'];
  readonly min: number;
  readonly max: number;
  readonly current: number;
  /** By the metrics. */
  readonly desired: number;
  readonly nowMs: number;
}

export interface Normalized {
  readonly replicas: number;
  readonly conditions: readonly Condition[];
}

interface Limited {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
}

const READY: Condition = {
  type: 'AbleToScale',
  status: 'True',
  reason: 'ReadyForNewScale',
  message: 'recommended size matches current size',
};
const stabilized = (reason: string, other: 'higher' | 'lower', applied: 'highest' | 'lowest'): Condition => ({
  type: 'AbleToScale',
  status: 'True',
  reason,
  message: `recent recommendations were ${other} than current one, applying the ${applied} recent recommendation`,
});
const DOWN_STABILIZED = stabilized('ScaleDownStabilized', 'higher', 'highest');
const UP_STABILIZED = stabilized('ScaleUpStabilized', 'lower', 'lowest');

const within = (replicas: number): Limited => ({
  replicas,
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
});
const tooMany = (replicas: number): Limited => ({
  replicas,
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
});
const tooFew = (replicas: number): Limited => ({
  replicas,
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
});
const tooFast = (replicas: number, reason: string, word: string): Limited => ({
  replicas,
  reason,
  message: `the desired replica count is ${word} faster than the maximum scale rate`,
});

/** The highest that was asked for lately: what has been asked for once is kept for a while. */
function withoutRules({ history, desired, nowMs }: Normalizing): number {
  const cutoff = nowMs - DOWNSCALE_STABILIZATION_S * 1000;
  const highest = history.recommendations.reduce(
    (most, { atMs, replicas }) => (atMs < cutoff ? most : Math.max(most, replicas)),
    desired,
  );
  recommend(history, { atMs: nowMs, replicas: desired }, cutoff);
  return highest;
}

function limitWithoutRules({ current, min, max }: Normalizing, desired: number): Limited {
  const fastest = Math.max(UP_FACTOR * current, UP_MINIMUM);
  if (desired < min) return tooFew(min);
  if (max > fastest && desired > fastest) return tooFast(fastest, 'ScaleUpLimit', 'increasing');
  return desired > Math.min(max, fastest) ? tooMany(max) : within(desired);
}

/** Between the lowest of the time that rules look back on going up, and the highest of that on going down. */
function withRules({ history, behavior, current, desired, nowMs }: Normalizing): number {
  const upFrom = nowMs - (behavior?.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
  const downFrom = nowMs - (behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWNSCALE_STABILIZATION_S) * 1000;
  let [lowest, highest] = [desired, desired];
  for (const { atMs, replicas } of history.recommendations) {
    if (atMs > upFrom) lowest = Math.min(lowest, replicas);
    if (atMs > downFrom) highest = Math.max(highest, replicas);
  }
  recommend(history, { atMs: nowMs, replicas: desired }, Math.min(upFrom, downFrom));
  return Math.min(Math.max(current, lowest), highest);
}

/** How many replicas a set of rules lets there be now; `direction`: 1 up, -1 down. */
function ruleLimit(rules: Rules, direction: 1 | -1, { history, current, nowMs }: Normalizing): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const proposals = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const added = changedWithin(history.ups, periodSeconds, nowMs);
    const removed = changedWithin(history.downs, periodSeconds, nowMs);
    const before = current - added + removed;
    if (type === 'Pods') return before + direction * value;
    const part = before * (1 + (direction * value) / 100);
    // Rounded so that there is a change at all.
    return direction > 0 ? Math.ceil(part) : Math.trunc(part);
  });
  const most = rules.selectPolicy !== 'Min';
  const largest = (most && direction > 0) || (!most && direction < 0);
  return proposals.reduce(
    (chosen, one) => (largest ? Math.max(chosen, one) : Math.min(chosen, one)),
    largest ? -MAX_INT32 : MAX_INT32,
  );
}

function limitWithRules(asked: Normalizing, desired: number): Limited {
  const { behavior, current, min, max } = asked;
  if (desired > current) {
    const limit = Math.max(ruleLimit(behavior?.scaleUp ?? {}, 1, asked), current);
    if (max > limit) return desired > limit ? tooFast(limit, 'ScaleUpLimit', 'increasing') : within(desired);
    return desired > max ? tooMany(max) : within(desired);
  }
  if (desired < current) {
    const limit = Math.min(ruleLimit(behavior?.scaleDown ?? {}, -1, asked), current);
    if (min < limit) return desired < limit ? tooFast(limit, 'ScaleDownLimit', 'decreasing') : within(desired);
    return desired < min ? tooFew(min) : within(desired);
  }
  return within(desired);
}

/** Bounds, rates and stabilization; what was asked for is remembered. */
export function normalize(asked: Normalizing): Normalized {
  const { behavior, current, desired } = asked;
  const stable = behavior === undefined ? withoutRules(asked) : withRules(asked);
  const upward = behavior !== undefined && desired >= current;
  const able = stable === desired ? READY : upward ? UP_STABILIZED : DOWN_STABILIZED;
  const { replicas, reason, message } =
    behavior === undefined ? limitWithoutRules(asked, stable) : limitWithRules(asked, stable);
  const status = replicas === stable ? 'False' : 'True';
  return { replicas, conditions: [able, { type: 'ScalingLimited', status, reason, message }] };
}
