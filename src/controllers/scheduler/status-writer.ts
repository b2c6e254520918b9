import { formatTime, type Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { Pod } from '../../machinery/types.js';
import { splitKey, type ResourceClient } from '../../client/types.js';
import { podCondition } from '../pods.js';
import type { PodInfo } from './pod-info.js';

/** Writes into Pods why they have no node, and which one they are promised. */
export interface StatusWriter {
  /** `nominated`: '' takes a promise back, undefined leaves it. */
  write(pod: PodInfo, reason: string, message: string, nominated: string | undefined): Promise<void>;
  /** While a Pod's status is being written, what the watch says of its promise is older than what we know. */
  isWriting(id: string): boolean;
}

export function createStatusWriter(podClient: ResourceClient<Pod>, clock: Clock): StatusWriter {
  const inFlight = new Set<string>();
  const write: StatusWriter['write'] = async ({ pod, key, id }, reason, message, nominated) => {
    const old = podCondition(pod, 'PodScheduled');
    const { generation, uid } = pod.metadata;
    const isSame = old?.status === 'False' && old.message === message && old.reason === reason;
    const isNominated = nominated !== undefined && nominated !== (pod.status?.nominatedNodeName ?? '');
    if (isSame && !isNominated) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : formatTime(clock.now()),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
    const status = {
      ...(isSame ? {} : { conditions: [condition] }),
      ...(isNominated ? { nominatedNodeName: nominated === '' ? null : nominated } : {}),
    };
    inFlight.add(id);
    try {
      await podClient.patch(splitKey(key), { metadata: { uid }, status }, { type: 'strategic', subresource: 'status' });
    } catch (error) {
      // It is gone, or another one of its name.
      if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict') && !isStatusError(error, 'Invalid'))
        throw error;
    } finally {
      inFlight.delete(id);
    }
  };
  return { write, isWriting: id => inFlight.has(id) };
}
