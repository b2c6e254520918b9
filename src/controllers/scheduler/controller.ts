import { formatTime } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Node, Pod } from '../../machinery/types.js';
import { NODES, PODS } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { isDeleting, isTerminal, podCondition } from '../pods.js';
import { whyNot } from './predicates.js';
import { usageOf, type NodeUsage } from './resources.js';

const SCHEDULER_NAME = 'default-scheduler';
const BY_NODE = 'node';

type ReadonlyPod = DeepReadonly<Pod>;
type ReadonlyNode = DeepReadonly<Node>;

const isReadyNode = (node: ReadonlyNode): boolean =>
  node.status?.conditions?.find(condition => condition.type === 'Ready')?.status === 'True';

const isPending = (pod: ReadonlyPod): boolean =>
  (pod.spec?.nodeName ?? '') === '' &&
  (pod.spec?.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME &&
  (pod.spec?.schedulingGates ?? []).length === 0 &&
  !isDeleting(pod) &&
  !isTerminal(pod);

/** Where a Pod goes, or why nowhere. */
export type Placement = { readonly node: string } | { readonly message: string };

/** Ready nodes that the Pod fits, fewest Pods first, then by name: pure. */
export function place(
  pod: ReadonlyPod,
  nodes: readonly ReadonlyNode[],
  usage: (node: ReadonlyNode) => NodeUsage,
): Placement {
  if (nodes.length === 0) return { message: 'no nodes available to schedule pods' };
  const reasons = new Map<string, number>();
  let best: { name: string; pods: number } | undefined;
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const used = usage(node);
    const why = isReadyNode(node) ? whyNot(pod, node, used) : (whyNot(pod, node, used) ?? ['node(s) were not ready']);
    if (why !== undefined) {
      for (const reason of why) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    } else if (
      best === undefined ||
      used.pods.length < best.pods ||
      (used.pods.length === best.pods && name < best.name)
    ) {
      best = { name, pods: used.pods.length };
    }
  }
  if (best !== undefined) return { node: best.name };
  const list = [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');
  const preemption = `preemption: 0/${nodes.length} nodes are available: ${nodes.length} Preemption is not helpful for scheduling.`;
  return { message: `0/${nodes.length} nodes are available: ${list}. ${preemption}` };
}

/** Binds Pods to nodes: kube-scheduler's contract with a plain policy (fewest Pods first). */
export const scheduler: ControllerDefinition = {
  name: 'scheduler',
  aliases: ['kube-scheduler'],
  // One at a time: each decision must see the one before it.
  workers: 1,
  build({ client, informers, queue, clock, recorder }) {
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    const writer = client.resource<Pod>(PODS);
    const events = recorder(SCHEDULER_NAME);
    pods.addIndex(BY_NODE, pod => [pod.spec?.nodeName ?? '']);
    /** Bound by us, not yet seen in the cache: uid → Pod as it will be. */
    const assumed = new Map<string, { pod: ReadonlyPod; node: string }>();
    const unschedulable = new Set<string>();

    const retryAll = (): void => {
      for (const key of unschedulable) queue.add(key);
    };
    pods.addHandler({
      add: pod => {
        if (isPending(pod)) queue.add(keyOf(pod));
      },
      update: (old, pod) => {
        if ((pod.spec?.nodeName ?? '') !== '') assumed.delete(pod.metadata.uid ?? '');
        if (isPending(pod)) queue.add(keyOf(pod));
        else if (isTerminal(pod) && !isTerminal(old)) retryAll();
      },
      delete: pod => {
        assumed.delete(pod.metadata.uid ?? '');
        unschedulable.delete(keyOf(pod));
        retryAll();
      },
    });
    const facts = (node: ReadonlyNode): string =>
      JSON.stringify([
        isReadyNode(node),
        node.spec?.taints,
        node.spec?.unschedulable,
        node.metadata.labels,
        node.status?.allocatable,
      ]);
    nodes.addHandler({
      add: retryAll,
      update: (old, node) => {
        if (facts(old) !== facts(node)) retryAll();
      },
      delete: retryAll,
    });

    const usage = (node: ReadonlyNode): NodeUsage => {
      const name = node.metadata.name ?? '';
      const bound = pods.indexer.byIndex(BY_NODE, name).filter(pod => !isTerminal(pod));
      const coming = [...assumed.values()].filter(entry => entry.node === name).map(entry => entry.pod);
      return usageOf([...bound, ...coming]);
    };

    const refuse = async (key: string, pod: ReadonlyPod, message: string): Promise<void> => {
      unschedulable.add(key);
      const old = podCondition(pod, 'PodScheduled');
      if (old?.status === 'False' && old.message === message) return;
      events.event(pod, 'Warning', 'FailedScheduling', message);
      const now = formatTime(clock.now());
      const condition = {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message,
        lastProbeTime: null,
        lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : now,
      };
      await writer.patch(
        splitKey(key),
        { status: { conditions: [condition] } },
        { type: 'strategic', subresource: 'status' },
      );
    };

    return {
      async reconcile(key) {
        const pod = pods.indexer.get(key);
        if (pod === undefined || !isPending(pod) || assumed.has(pod.metadata.uid ?? '')) return;
        const placement = place(pod, [...nodes.indexer.list()], usage);
        try {
          if ('message' in placement) return await refuse(key, pod, placement.message);
          unschedulable.delete(key);
          const { name = '', namespace = '', uid = '' } = pod.metadata;
          assumed.set(uid, { pod, node: placement.node });
          try {
            await writer.createSubresource(splitKey(key), 'binding', {
              apiVersion: 'v1',
              kind: 'Binding',
              metadata: { name, namespace, uid },
              target: { kind: 'Node', name: placement.node },
            });
          } catch (error) {
            assumed.delete(uid);
            throw error;
          }
          events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${placement.node}`);
        } catch (error) {
          // Deleted, or bound by somebody else meanwhile.
          if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
          throw error;
        }
      },
    };
  },
};
