import { formatTime } from '../../machinery/clock.js';
import type { DeepReadonly, LabelSelector, Pod, PodDisruptionBudget } from '../../machinery/types.js';
import { scaledValue } from '../deployment/rolling.js';
import { isDeleting, isReady } from '../pods.js';

export type ReadonlyBudget = DeepReadonly<PodDisruptionBudget>;
export type ReadonlyPod = DeepReadonly<Pod>;
export type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;
type Condition = NonNullable<BudgetStatus['conditions']>[number];

/** An eviction that was granted but whose Pod is still there is forgotten after this (disruption.go DeletionTimeout). */
export const DELETION_TIMEOUT_MS = 2 * 60_000;

/** A selector as Go prints it, which is how the event about unmanaged Pods shows it. */
export function goSelector(selector: DeepReadonly<LabelSelector> | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const map = labels.map(([key, value]) => `${key}: ${value},`).join('');
  return `&LabelSelector{MatchLabels:map[string]string{${map}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}

export interface Counts {
  readonly expected: number;
  readonly desired: number;
}

/** Whether the budget speaks of a share of what the Pods' controllers want, and not of a plain number of Pods. */
export const needsScale = ({ spec }: ReadonlyBudget): boolean =>
  spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';

/** @param scale sum of the controllers' replicas; not asked for without needsScale */
export function expectedCounts({ spec }: ReadonlyBudget, pods: readonly ReadonlyPod[], scale: number): Counts {
  if (spec?.maxUnavailable !== undefined)
    return { expected: scale, desired: Math.max(0, scale - scaledValue(spec.maxUnavailable, scale, 'up')) };
  if (typeof spec?.minAvailable === 'string')
    return { expected: scale, desired: scaledValue(spec.minAvailable, scale, 'up') };
  return typeof spec?.minAvailable === 'number'
    ? { expected: pods.length, desired: spec.minAvailable }
    : { expected: 0, desired: 0 };
}

export interface Disrupted {
  /** Evictions that count still: Pod name → when it was granted. */
  readonly pending: Readonly<Record<string, string>>;
  /** Pods that should have been gone by now. */
  readonly overdue: readonly ReadonlyPod[];
  /** When the next one stops to count, in milliseconds since the epoch. */
  readonly recheckMs?: number;
}

export function disruptedPods(budget: ReadonlyBudget, pods: readonly ReadonlyPod[], nowMs: number): Disrupted {
  const pending: Record<string, string> = {};
  const overdue: ReadonlyPod[] = [];
  let recheckMs: number | undefined;
  for (const pod of pods) {
    const name = pod.metadata.name ?? '';
    const since = budget.status?.disruptedPods?.[name];
    if (since === undefined || isDeleting(pod)) continue;
    const until = Date.parse(since) + DELETION_TIMEOUT_MS;
    if (until < nowMs) overdue.push(pod);
    else {
      pending[name] = since;
      recheckMs = Math.min(recheckMs ?? until, until);
    }
  }
  return { pending, overdue, ...(recheckMs === undefined ? {} : { recheckMs }) };
}

function withDisruptionAllowed(
  conditions: readonly DeepReadonly<Condition>[],
  next: { status: string; reason: string; message: string; observedGeneration: number },
  nowMs: number,
): Condition[] {
  const old = conditions.find(condition => condition.type === 'DisruptionAllowed');
  const lastTransitionTime = old?.status === next.status ? old.lastTransitionTime : formatTime(nowMs);
  const condition: Condition = { type: 'DisruptionAllowed', ...next, lastTransitionTime };
  return old === undefined ? [...conditions, condition] : conditions.map(other => (other === old ? condition : other));
}

/** Source: disruption.go updatePdbStatus. */
export function budgetStatus(
  budget: ReadonlyBudget,
  pods: readonly ReadonlyPod[],
  { expected, desired }: Counts,
  pending: Disrupted['pending'],
  nowMs: number,
): BudgetStatus {
  const healthy = pods.filter(
    pod => !isDeleting(pod) && !Object.hasOwn(pending, pod.metadata.name ?? '') && isReady(pod),
  ).length;
  // A budget that matches nothing yet must not allow the first Pods to go before it has counted them.
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  const observedGeneration = budget.metadata.generation ?? 0;
  return {
    observedGeneration,
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    ...(Object.keys(pending).length === 0 ? {} : { disruptedPods: { ...pending } }),
    conditions: withDisruptionAllowed(
      budget.status?.conditions ?? [],
      {
        status: allowed > 0 ? 'True' : 'False',
        reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        observedGeneration,
      },
      nowMs,
    ),
  };
}

/** When nothing can be counted, nothing may be disrupted (failSafe). */
export function failedStatus(budget: ReadonlyBudget, message: string, nowMs: number): BudgetStatus {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  return {
    ...(budget.status as BudgetStatus | undefined),
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed: 0,
    conditions: withDisruptionAllowed(
      budget.status?.conditions ?? [],
      {
        status: 'False',
        reason: 'SyncFailed',
        message,
        observedGeneration: budget.status?.observedGeneration ?? 0,
      },
      nowMs,
    ),
  };
}
