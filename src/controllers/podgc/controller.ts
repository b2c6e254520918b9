import { formatTime } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { Node, Pod } from '../../machinery/types.js';
import { NODES, PODS } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { isTerminal } from '../pods.js';
import { planGarbage, TERMINATED_THRESHOLD, type Garbage } from './plan.js';

const PERIOD_MS = 20_000;
/** A node that has just been deleted may come back under its name; upstream podgc quarantineTime. */
const QUARANTINE_MS = 40_000;

/** Removes Pods that nobody will ever finish or look at: see planGarbage. */
export const podGcController: ControllerDefinition = {
  name: 'pod-garbage-collector-controller',
  aliases: ['podgc'],
  workers: 1,
  build({ client, informers, clock, signal, log }) {
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    const writer = client.resource<Pod>(PODS);
    /** Name of a missing node → since when. */
    const missing = new Map<string, number>();

    const collect = async ({ pod, why, disrupted }: Garbage): Promise<void> => {
      const { namespace = '', name = '', uid = '', generation } = pod.metadata;
      const key = { namespace, name };
      log.info({ pod: key, why }, 'collecting pod');
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
        lastProbeTime: null,
        lastTransitionTime: formatTime(clock.now()),
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      };
      try {
        if (!isTerminal(pod)) {
          const status = { phase: 'Failed', ...(disrupted ? { conditions: [condition] } : {}) };
          await writer.patch(key, { metadata: { uid }, status }, { type: 'strategic', subresource: 'status' });
        }
        await writer.delete(key, { gracePeriodSeconds: 0, preconditions: { uid } });
      } catch (error) {
        if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict'))
          log.warn({ pod: key, error: (error as Error).message }, 'pod not collected, will retry');
      }
    };
    /** Since when nodes are missing that Pods name. */
    const noteMissing = (): void => {
      const before = new Map(missing);
      missing.clear();
      for (const pod of pods.indexer.list()) {
        const node = pod.spec?.nodeName ?? '';
        if (node !== '' && nodes.indexer.get(node) === undefined)
          missing.set(node, before.get(node) ?? clock.monotonic());
      }
    };
    const sweep = async (): Promise<void> => {
      noteMissing();
      const now = clock.monotonic();
      const garbage = planGarbage({
        pods: pods.indexer.list(),
        node: name => nodes.indexer.get(name),
        isGone: name => now - (missing.get(name) ?? now) >= QUARANTINE_MS,
        threshold: TERMINATED_THRESHOLD,
      });
      for (const item of garbage) await collect(item);
    };
    return {
      reconcile: async () => undefined,
      async background() {
        while (!signal.aborted) {
          await sweep();
          await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
        }
      },
    };
  },
};
