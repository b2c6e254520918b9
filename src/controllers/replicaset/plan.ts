import type { DeepReadonly, Pod, ReplicaSet } from '../../machinery/types.js';
import { isActive, isAvailable, isDeleting, isReady, isTerminal, podCondition } from '../pods.js';

/** Upstream replicaset.BurstReplicas. */
export const BURST_REPLICAS = 500;
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

type ReadonlyPod = DeepReadonly<Pod>;

export interface ReplicaSetPlan {
  /** How many Pods to create. */
  readonly create: number;
  readonly remove: readonly ReadonlyPod[];
}

const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

const restarts = (pod: ReadonlyPod): number =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map(status => status.restartCount));

const time = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text));

/** Upstream compares durations on a logarithmic scale (LogarithmicScaleDown), so that near-equal ages count as equal. */
const logAge = (nowMs: number, since: number): number => {
  const age = nowMs - since;
  return age <= 0 ? -1 : Math.floor(Math.log2(age * 1e6));
};

/**
 * Which Pod goes first when some must: the order of controller_utils.go ActivePodsWithRanks.
 * @param related how many active Pods of the same owner family run on each node
 */
export function deletionOrder(
  pods: readonly ReadonlyPod[],
  related: ReadonlyMap<string, number>,
  nowMs: number,
): ReadonlyPod[] {
  const cost = (pod: ReadonlyPod): number => Number(pod.metadata.annotations?.[DELETION_COST] ?? '0') || 0;
  const rank = (pod: ReadonlyPod): number => related.get(pod.spec?.nodeName ?? '') ?? 0;
  const unassigned = (pod: ReadonlyPod): boolean => (pod.spec?.nodeName ?? '') === '';
  const first = (a: boolean, b: boolean): number => (a === b ? 0 : a ? -1 : 1);
  return [...pods].sort((a, b) => {
    const readySince = (pod: ReadonlyPod): number => time(podCondition(pod, 'Ready')?.lastTransitionTime);
    return (
      first(unassigned(a), unassigned(b)) ||
      (PHASE_RANK[a.status?.phase ?? ''] ?? 0) - (PHASE_RANK[b.status?.phase ?? ''] ?? 0) ||
      first(!isReady(a), !isReady(b)) ||
      cost(a) - cost(b) ||
      rank(b) - rank(a) ||
      (isReady(a) && isReady(b) ? logAge(nowMs, readySince(a)) - logAge(nowMs, readySince(b)) : 0) ||
      restarts(b) - restarts(a) ||
      logAge(nowMs, time(a.metadata.creationTimestamp)) - logAge(nowMs, time(b.metadata.creationTimestamp)) ||
      ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1)
    );
  });
}

/** How to bring the number of active Pods to spec.replicas. */
export function planReplicas(
  set: DeepReadonly<ReplicaSet>,
  pods: readonly ReadonlyPod[],
  relatedPods: () => readonly ReadonlyPod[],
  nowMs: number,
): ReplicaSetPlan {
  const active = pods.filter(isActive);
  const difference = active.length - (set.spec?.replicas ?? 1);
  if (difference <= 0) return { create: Math.min(-difference, BURST_REPLICAS), remove: [] };
  const related = new Map<string, number>();
  for (const pod of relatedPods().filter(isActive)) {
    const node = pod.spec?.nodeName ?? '';
    if (node !== '') related.set(node, (related.get(node) ?? 0) + 1);
  }
  const count = Math.min(difference, BURST_REPLICAS);
  return { create: 0, remove: deletionOrder(active, related, nowMs).slice(0, count) };
}

type Status = NonNullable<ReplicaSet['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** The status that the Pods imply; conditions other than ReplicaFailure are kept. `failure`: the last write's error. */
export function computeStatus(
  set: DeepReadonly<ReplicaSet>,
  pods: readonly ReadonlyPod[],
  failure: { reason: 'FailedCreate' | 'FailedDelete'; message: string } | undefined,
  nowMs: number,
  now: string,
): Status {
  const active = pods.filter(isActive);
  const templateLabels = Object.entries(set.spec?.template?.metadata?.labels ?? {});
  const minReady = set.spec?.minReadySeconds ?? 0;
  const previous = (set.status?.conditions ?? []) as Condition[];
  const others = previous.filter(condition => condition.type !== 'ReplicaFailure');
  const old = previous.find(condition => condition.type === 'ReplicaFailure');
  const conditions =
    failure === undefined
      ? others
      : [
          ...others,
          old?.reason === failure.reason
            ? old
            : ({ type: 'ReplicaFailure', status: 'True', lastTransitionTime: now, ...failure } as unknown as Condition),
        ];
  const terminating = pods.filter(pod => isDeleting(pod) && !isTerminal(pod)).length;
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(pod => templateLabels.every(([k, v]) => pod.metadata.labels?.[k] === v)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter(pod => isAvailable(pod, minReady, nowMs)).length,
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}
