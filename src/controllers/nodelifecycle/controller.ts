import { formatTime } from '../../machinery/clock.js';
import { isNodeReady } from '../../machinery/node-ready.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Lease, Node, Pod } from '../../machinery/types.js';
import { LEASES, NODES, PODS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { BY_NODE, byNode, isReady, isTerminal } from '../pods.js';
import { heartbeat, silentConditions, wantedTaints } from './health.js';

const LEASE_NAMESPACE = 'kube-node-lease';
/** How long a Node that never reported may stay silent; upstream --node-startup-grace-period. */
const STARTUP_GRACE_MS = 60_000;

/** Watches node heartbeats; marks and taints nodes that fall silent or say that they are unwell (pkg/controller/nodelifecycle). */
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
    pods.addIndex(BY_NODE, byNode);
    /** Node name → the last heartbeat seen and when, on our clock: clocks of nodes need not agree with ours. */
    const seen = new Map<string, { beat: string; at: number }>();

    /** Upstream's event names the node by name and uid alone. */
    const tell = ({ metadata }: DeepReadonly<Node>, reason: string, text: string): void => {
      const { name = '', uid = '' } = metadata;
      const about = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid } };
      events.event(about, 'Normal', reason, `Node ${name} ${text}`);
    };

    nodes.addHandler({
      add: node => {
        tell(node, 'RegisteredNode', `event: Registered Node ${keyOf(node)} in Controller`);
        queue.add(keyOf(node));
      },
      update: (_old, node) => queue.add(keyOf(node)),
      delete: node => {
        tell(node, 'RemovingNode', `event: Removing Node ${keyOf(node)} from Controller`);
        seen.delete(keyOf(node));
      },
    });
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

    return {
      async reconcile(name) {
        const node = nodes.indexer.get(name);
        if (node === undefined) return;
        const now = clock.now();
        // Silence is measured by what passes: a clock that is set ahead would silence all nodes at once.
        const at = clock.monotonic();
        const beat = heartbeat(node, leases.indexer.get(`${LEASE_NAMESPACE}/${name}`));
        const last = seen.get(name);
        if (last?.beat !== beat) seen.set(name, { beat, at });
        const silentFor = at - (seen.get(name)?.at ?? at);
        const started = node.status?.conditions?.some(c => c.type === 'Ready') === true;
        if (silentFor > (started ? options.nodeMonitorGracePeriodMs : STARTUP_GRACE_MS)) {
          const conditions = silentConditions(node, formatTime(now));
          if (conditions !== undefined) {
            await nodeWriter.update(
              { ...(node as Node), status: { ...(node as Node).status, conditions } },
              { subresource: 'status' },
            );
            // A node that says so itself has told its Pods; here nobody else can.
            if (isNodeReady(node)) {
              tell(node, 'NodeNotReady', `status is now: NodeNotReady`);
              await markPodsNotReady(name);
            }
            return;
          }
        }
        const taints = wantedTaints(node, formatTime(now));
        if (taints !== undefined)
          await nodeWriter.update({ ...(node as Node), spec: { ...(node as Node).spec, taints } });
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
