import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import { podRequests, hasPodLevelResources } from '../../machinery/pod-requests.js';
import type { DeepReadonly, Pod } from '../../machinery/types.js';

type ReadonlyPod = DeepReadonly<Pod>;

/** What one Pod uses, in thousandths. */
export interface PodMetric {
  readonly atMs: number;
  readonly windowMs: number;
  readonly milli: number;
}

/** By the Pod's name. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

export const milliValue = (text: string): number => Number(scaledValue(parseQuantity(text), -3));

/** Upstream --horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay. */
const CPU_INITIALIZATION_MS = 5 * 60_000;
const INITIAL_READINESS_MS = 30_000;

export interface GroupedPods {
  readonly readyCount: number;
  /** Names. */
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
}

/** Whether what a Pod's processor does says nothing yet: it is starting. */
function isStarting({ status }: ReadonlyPod, metric: PodMetric, nowMs: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const startedMs = Date.parse(status?.startTime ?? '');
  if (ready === undefined || Number.isNaN(startedMs)) return true;
  const changedMs = Date.parse(ready.lastTransitionTime ?? '') || 0;
  const isUnready = ready.status === 'False';
  if (startedMs + CPU_INITIALIZATION_MS > nowMs) return isUnready || metric.atMs < changedMs + metric.windowMs;
  // It has never been ready.
  return isUnready && startedMs + INITIAL_READINESS_MS > changedMs;
}

/** Whose metrics count (pkg/controller/podautoscaler groupPods). */
export function groupPods(
  pods: readonly ReadonlyPod[],
  metrics: PodMetrics,
  resource: string,
  nowMs: number,
): GroupedPods {
  const [unready, missing, ignored] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let readyCount = 0;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const metric = metrics.get(name);
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') ignored.add(name);
    else if (pod.status?.phase === 'Pending') unready.add(name);
    else if (metric === undefined) missing.add(name);
    else if (resource === 'cpu' && isStarting(pod, metric, nowMs)) unready.add(name);
    else readyCount++;
  }
  return { readyCount, unready, missing, ignored };
}

/** What every Pod has asked for, in thousandths. @throws Error for one that asks for nothing */
export function requestsOf(
  pods: readonly ReadonlyPod[],
  container: string,
  resource: string,
): ReadonlyMap<string, number> {
  return new Map(pods.map(pod => [pod.metadata.name ?? '', requestOf(pod, container, resource)]));
}

function requestOf(pod: ReadonlyPod, container: string, resource: string): number {
  const { name = '' } = pod.metadata;
  if (container === '' && Object.keys(pod.spec?.resources?.requests ?? {}).length > 0 && hasPodLevelResources(pod)) {
    const request = podRequests(pod)[resource];
    if (request === undefined) throw new Error(`missing pod-level request for ${resource} in Pod ${name}`);
    return milliValue(request);
  }
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  let total = 0;
  for (const { name: own, resources } of [...(pod.spec?.containers ?? []), ...sidecars]) {
    if (container !== '' && container !== own) continue;
    const request = resources?.requests?.[resource];
    if (request === undefined) throw new Error(`missing request for ${resource} in container ${own} of Pod ${name}`);
    total += milliValue(request);
    if (container === own) return total;
  }
  if (container !== '') throw new Error(`container ${container} not found in Pod ${name}`);
  return total;
}
