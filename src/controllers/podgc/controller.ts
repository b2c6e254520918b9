import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Node, Pod } from '../../machinery/types.js';
import { NODES, PODS } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { isTerminal } from '../pods.js';

const PERIOD_MS = 20_000;
/** A node that has just been deleted may come back under its name; upstream podgc quarantineTime. */
const QUARANTINE_MS = 40_000;

/** Removes Pods that nobody will ever finish: those of nodes that are gone, and deleted ones never scheduled (pkg/controller/podgc). */
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

    const collect = async (pod: DeepReadonly<Pod>, why: string): Promise<void> => {
      const key = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '' };
      log.info({ pod: key, why }, 'collecting pod');
      try {
        if (!isTerminal(pod))
          await writer.patch(key, { status: { phase: 'Failed' } }, { type: 'strategic', subresource: 'status' });
        await writer.delete(key, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid ?? '' } });
      } catch (error) {
        if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict'))
          log.warn({ pod: key, error: (error as Error).message }, 'pod not collected, will retry');
      }
    };
    const sweep = async (): Promise<void> => {
      const now = clock.monotonic();
      for (const name of missing.keys()) if (nodes.indexer.get(name) !== undefined) missing.delete(name);
      for (const pod of [...pods.indexer.list()]) {
        const node = pod.spec?.nodeName ?? '';
        if (node === '') {
          if (pod.metadata.deletionTimestamp !== undefined) await collect(pod, 'deleted before it was scheduled');
        } else if (nodes.indexer.get(node) === undefined) {
          const since = missing.get(node) ?? now;
          missing.set(node, since);
          if (now - since >= QUARANTINE_MS) await collect(pod, `node ${node} is gone`);
        }
      }
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
