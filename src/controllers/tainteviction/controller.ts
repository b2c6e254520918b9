import { formatTime } from '../../machinery/clock.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Node, Pod, Taint } from '../../machinery/types.js';
import { NODES, PODS } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { BY_NODE, byNode, podCondition } from '../pods.js';
import { toleratedFor } from './tolerance.js';

const evicting = (node: DeepReadonly<Node> | undefined): readonly DeepReadonly<Taint>[] =>
  (node?.spec?.taints ?? []).filter(taint => taint.effect === 'NoExecute');

/** Deletes Pods that do not, or no longer, tolerate the NoExecute taints of their nodes (pkg/controller/tainteviction). */
export const taintEvictionController: ControllerDefinition = {
  name: 'taint-eviction-controller',
  aliases: [],
  workers: 8,
  build({ client, informers, queue, clock, recorder }) {
    const nodes = informers.informer<Node>(NODES);
    const pods = informers.informer<Pod>(PODS);
    const writer = client.resource<Pod>(PODS);
    const events = recorder('taint-eviction-controller');
    pods.addIndex(BY_NODE, byNode);
    /** By Pod that has to go: since when it is known and when, on the monotonic clock. */
    const due = new Map<string, { readonly since: number; readonly at: number }>();

    const queuePodsOf = (node: DeepReadonly<Node>): void => {
      for (const pod of pods.indexer.byIndex(BY_NODE, node.metadata.name ?? '')) queue.add(keyOf(pod));
    };
    nodes.addHandler({
      add: queuePodsOf,
      update: (old, node) => {
        if (!semanticEqual(evicting(old), evicting(node))) queuePodsOf(node);
      },
    });
    pods.addHandler({
      add: pod => {
        if (evicting(nodes.indexer.get(pod.spec?.nodeName ?? '')).length > 0) queue.add(keyOf(pod));
      },
      update: (old, pod) => {
        const moved = old.spec?.nodeName !== pod.spec?.nodeName;
        if (moved || !semanticEqual(old.spec?.tolerations, pod.spec?.tolerations)) queue.add(keyOf(pod));
      },
      delete: pod => queue.add(keyOf(pod)),
    });

    /** Upstream's event names the Pod without its uid. */
    const tell = (key: string, text: string): void => {
      const about = { apiVersion: 'v1', kind: 'Pod', metadata: splitKey(key) };
      events.event(about, 'Normal', 'TaintManagerEviction', `${text} ${key}`);
    };
    const cancel = (key: string): void => {
      if (due.delete(key)) tell(key, 'Cancelling deletion of Pod');
    };
    const evict = async (key: string): Promise<void> => {
      tell(key, 'Marking for deletion Pod');
      try {
        const pod = await writer.get(splitKey(key));
        if (podCondition(pod, 'DisruptionTarget')?.status !== 'True') {
          const condition = {
            type: 'DisruptionTarget',
            status: 'True',
            observedGeneration: pod.metadata.generation ?? 0,
            reason: 'DeletionByTaintManager',
            message: 'Taint manager: deleting due to NoExecute taint',
            lastTransitionTime: formatTime(clock.now()),
          };
          const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
          await writer.patch(splitKey(key), patch, { type: 'strategic', subresource: 'status' });
        }
        await writer.delete(splitKey(key));
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    };

    return {
      async reconcile(key) {
        const pod = pods.indexer.get(key);
        if (pod === undefined) return cancel(key);
        const taints = evicting(nodes.indexer.get(pod.spec?.nodeName ?? ''));
        const stays = taints.length === 0 ? undefined : toleratedFor(pod, taints);
        if (stays === undefined) return cancel(key);
        const now = clock.monotonic();
        const known = due.get(key);
        // Time counts from when the Pod was first found to have to go, whatever taints come later.
        const since = known?.since ?? now;
        const at = stays === 0 ? now : since + stays;
        if (at > now) {
          due.set(key, { since, at });
          return queue.addAfter(key, at - now);
        }
        due.delete(key);
        await evict(key);
      },
    };
  },
};
