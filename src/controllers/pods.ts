import type { DeepReadonly, Pod } from '../machinery/types.js';

type ReadonlyPod = DeepReadonly<Pod>;

/** Index of Pods by the node that they are bound to. */
export const BY_NODE = 'node';
export const byNode = (pod: ReadonlyPod): readonly string[] => [pod.spec?.nodeName ?? ''];

/** A Pod that has run to its end and will not run again. */
export const isTerminal = (pod: ReadonlyPod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export const isDeleting = (pod: ReadonlyPod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Counts towards a ReplicaSet's replicas. */
export const isActive = (pod: ReadonlyPod): boolean => !isTerminal(pod) && !isDeleting(pod);

type PodCondition = NonNullable<NonNullable<ReadonlyPod['status']>['conditions']>[number];

export const podCondition = (pod: ReadonlyPod, type: string): PodCondition | undefined =>
  pod.status?.conditions?.find(condition => condition.type === type);

export const isReady = (pod: ReadonlyPod): boolean => podCondition(pod, 'Ready')?.status === 'True';

/** Ready for at least `minReadySeconds` at `nowMs`. */
export function isAvailable(pod: ReadonlyPod, minReadySeconds: number, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const since = ready.lastTransitionTime;
  return since !== undefined && Date.parse(since) + minReadySeconds * 1000 <= nowMs;
}

/** Milliseconds until a ready Pod becomes available; undefined when it is not ready or is available already. */
export function availableIn(pod: ReadonlyPod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True' || ready.lastTransitionTime === undefined || minReadySeconds === 0) return undefined;
  const left = Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - nowMs;
  return left > 0 ? left : undefined;
}

/** The Pod's addresses, first one first. */
export const podIPs = (pod: ReadonlyPod): readonly string[] => {
  const ips = (pod.status?.podIPs ?? []).map(entry => entry.ip).filter(ip => ip !== '');
  const first = pod.status?.podIP;
  return ips.length > 0 ? ips : first === undefined || first === '' ? [] : [first];
};
