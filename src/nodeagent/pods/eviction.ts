import type { Clock } from '../../machinery/clock.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import { podLimits } from '../../machinery/pod-requests.js';
import { isCritical } from './admission/preemption.js';
import { ephemeralBytes, type PodDisk } from './disk-usage.js';
import type { PodWorker } from './pod-worker.js';
import type { ReadonlyPod } from './types.js';

export interface EvictionOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The Pods that the node runs. */
  readonly active: () => readonly PodWorker[];
  readonly onEvict: (pod: ReadonlyPod, why: Overuse) => void;
}

export interface Overuse {
  /** The eviction signal, as the metrics name it. */
  readonly signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  readonly message: string;
}

/** kubelet evictionMonitoringPeriod */
const PERIOD_MS = 10_000;
/** immediateEvictionGracePeriodSeconds */
const GRACE_MS = 1_000;

const bytesOf = (quantity: string): number => Number(scaledValue(parseQuantity(quantity), 0));

/** Why a Pod has to go for what it has written, in the words of the kubelet's eviction manager. */
export function overusedStorage(pod: ReadonlyPod, usage: PodDisk): Overuse | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    const used = usage.volumes.get(name)?.bytes;
    if (limit === undefined || used === undefined) continue;
    if (bytesOf(limit) > 0 && used > bytesOf(limit))
      return {
        signal: 'emptydirfs.limit',
        message: `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit)}. `,
      };
  }
  const total = podLimits(pod)['ephemeral-storage'];
  if (total !== undefined && ephemeralBytes(usage) > bytesOf(total))
    return {
      signal: 'ephemeralpodfs.limit',
      message: `Pod ephemeral local storage usage exceeds the total limit of containers ${total}. `,
    };
  for (const { name, resources } of pod.spec?.containers ?? []) {
    const limit = resources?.limits?.['ephemeral-storage'];
    const used = usage.containers.get(name);
    if (limit === undefined || used === undefined || bytesOf(limit) === 0) continue;
    if (used.rootfs + used.logs > bytesOf(limit))
      return {
        signal: 'ephemeralcontainerfs.limit',
        message: `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(limit)}. `,
      };
  }
  return undefined;
}

const hasLimits = ({ spec }: ReadonlyPod): boolean =>
  (spec?.volumes ?? []).some(v => v.emptyDir?.sizeLimit !== undefined) ||
  (spec?.containers ?? []).some(c => c.resources?.limits?.['ephemeral-storage'] !== undefined);

/** Looks at the Pods of the node again and again, and ends those that have written more than they may. */
export async function runEviction({ clock, signal, active, onEvict }: EvictionOptions): Promise<void> {
  while (!signal.aborted) {
    for (const worker of active()) {
      const { pod } = worker;
      if (!hasLimits(pod) || isCritical(pod)) continue;
      const why = overusedStorage(pod, worker.diskUsage());
      if (why === undefined) continue;
      onEvict(pod, why);
      void worker.fail({ reason: 'Evicted', message: why.message }, GRACE_MS);
    }
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
  }
}
