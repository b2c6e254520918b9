import { formatTime } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Lease, Node, Pod } from '../../machinery/types.js';
import { LEASES, NODES, PODS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { isReady, isTerminal } from '../pods.js';
import { evictionDelayMs } from './eviction.js';
import { heartbeat, silentConditions, wantedTaints } from './health.js';

const LEASE_NAMESPACE = 'kube-node-lease';
const BY_NODE = 'node';
/** How long a Node that never reported may stay silent; upstream --node-startup-grace-period. */
const STARTUP_GRACE_MS = 60_000;

/** Watches node heartbeats; marks, taints and empties nodes that fall silent (pkg/controller/nodelifecycle, tainteviction). */
export const nodeLifecycleController: ControllerDefinition = {
  name: 'node-lifecycle-controller',
  aliases: ['nodelifecycle'],
  workers: 4,
  build({ client, informers, queue, clock, options, recorder, signal, log }) {
    const nodes = informers.informer<Node>(NODES);
    const leases = informers.informer<Lease>(LEASES, { fieldSelector: `metadata.namespace=${LEASE_NAMESPACE}` });
    const pods = informers.informer<Pod>(PODS);
    const nodeWriter = client.resource<Node>(NODES);
    const podWriter = client.resource<Pod>(PODS);
    const events = recorder('node-controller');
    pods.addIndex(BY_NODE, pod => [pod.spec?.nodeName ?? '']);
    /** Node name → the last heartbeat seen and when, on our clock: clocks of nodes need not agree with ours. */
    const seen = new Map<string, { beat: string; at: number }>();

    nodes.addHandler({
      add: node => queue.add(keyOf(node)),
      update: (_old, node) => queue.add(keyOf(node)),
      delete: node => {
        seen.delete(keyOf(node));
        queue.add(keyOf(node));
      },
    });
    // A Pod that lands on a tainted node is subject to its taints at once.
    const podChanged = (pod: DeepReadonly<Pod>): void => {
      const node = nodes.indexer.get(pod.spec?.nodeName ?? '');
      if ((node?.spec?.taints ?? []).some(taint => taint.effect === 'NoExecute')) queue.add(pod.spec?.nodeName ?? '');
    };
    pods.addHandler({ add: podChanged, update: (_old, pod) => podChanged(pod) });

    const markPodsNotReady = async (name: string): Promise<void> => {
      for (const pod of pods.indexer.byIndex(BY_NODE, name)) {
        if (!isReady(pod) || isTerminal(pod)) continue;
        const now = formatTime(clock.now());
        const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: now }];
        const key = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '' };
        await podWriter
          .patch(key, { status: { conditions } }, { type: 'strategic', subresource: 'status' })
          .catch((error: unknown) => {
            if (!isStatusError(error, 'NotFound')) throw error;
          });
        events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
      }
    };

    /** Deletes the Pods that do not tolerate the node's NoExecute taints, or no longer do; says when to look again. */
    const evict = async (name: string, node: DeepReadonly<Node>): Promise<number | undefined> => {
      const taints = (node.spec?.taints ?? []).filter(taint => taint.effect === 'NoExecute');
      if (taints.length === 0) return undefined;
      let next: number | undefined;
      for (const pod of pods.indexer.byIndex(BY_NODE, name)) {
        if (pod.metadata.deletionTimestamp !== undefined) continue;
        const delay = evictionDelayMs(pod, taints, clock.now());
        if (delay === undefined) continue;
        if (delay > 0) {
          next = Math.min(next ?? delay, delay);
          continue;
        }
        const key = keyOf(pod);
        events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
        await podWriter
          .delete({ namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '' })
          .catch((error: unknown) => {
            if (!isStatusError(error, 'NotFound')) throw error;
          });
      }
      return next;
    };

    return {
      async reconcile(name) {
        const node = nodes.indexer.get(name);
        if (node === undefined) return;
        const now = clock.now();
        const beat = heartbeat(node, leases.indexer.get(`${LEASE_NAMESPACE}/${name}`));
        const last = seen.get(name);
        if (last?.beat !== beat) seen.set(name, { beat, at: now });
        const silentFor = now - (seen.get(name)?.at ?? now);
        const started = node.status?.conditions?.some(c => c.type === 'Ready') === true;
        if (silentFor > (started ? options.nodeMonitorGracePeriodMs : STARTUP_GRACE_MS)) {
          const conditions = silentConditions(node, formatTime(now));
          if (conditions !== undefined) {
            await nodeWriter.update(
              { ...(node as Node), status: { ...(node as Node).status, conditions } },
              { subresource: 'status' },
            );
            events.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
            return;
          }
        }
        const ready = node.status?.conditions?.find(c => c.type === 'Ready');
        if (ready !== undefined && ready.status !== 'True') await markPodsNotReady(name);
        const taints = wantedTaints(node, formatTime(now));
        if (taints !== undefined) {
          await nodeWriter.update({ ...(node as Node), spec: { ...(node as Node).spec, taints } });
          return;
        }
        const next = await evict(name, node);
        if (next !== undefined) queue.addAfter(name, next);
      },
      async background() {
        while (!signal.aborted) {
          for (const node of nodes.indexer.list()) queue.add(keyOf(node));
          await clock.sleep(options.nodeMonitorPeriodMs, signal).catch(() => undefined);
        }
        log.info({}, 'node monitor stopped');
      },
    };
  },
};
