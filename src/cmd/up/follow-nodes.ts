import { loadKubeConfig } from '../../client/kubeconfig.js';
import { createClient, type RestClient } from '../../client/rest-client.js';
import { addressesOfNode, type NodeAddresses } from '../../cluster/addresses.js';
import { describeNode } from '../../cluster/describe-node.js';
import type { HostRange } from '../../cluster/host-range.js';
import { ADMIN } from '../../cluster/keys/kubeconfig.js';
import type { Pki } from '../../cluster/keys/pki.js';
import { nodesReady, untilReady } from '../../cluster/readiness.js';
import { realClock } from '../../machinery/clock.js';
import type { Supervisor } from '../supervisor.js';
import { nodeName, readNodes, type WantedNode } from './nodes.js';
import type { Plan } from './plan.js';
import { groupName, groupsOf, type NodeGroup } from './node-groups.js';
import { agentName, kubeconfigOf, nodeAgent, proxyModeOf } from './processes.js';
import type { Recorder } from './recorder.js';
import type { Screen } from './screen.js';

const STOP_GRACE_MS = 4_000;
/** A list of many nodes is long. */
const MANY_POLL_MS = 250;
/** What `kubette node` sends when it has changed what nodes there are to be. */
export const NODES_CHANGED = 'SIGUSR2';

/** The agents of the nodes that the cluster is to have. */
export interface Nodes {
  /** Starts those that are missing, ends those that should not run; resolves when all that run are Ready. */
  apply(wanted: readonly WantedNode[], client: RestClient, signal: AbortSignal): Promise<void>;
  /** From now on what `kubette node` writes is followed. */
  follow(signal: AbortSignal): void;
}

export function followNodes(options: {
  readonly plan: Plan;
  readonly pki: Pki;
  readonly processes: Supervisor;
  readonly recorder: Recorder;
  readonly screen: Screen;
  readonly range: HostRange;
}): Nodes {
  const { plan, pki, processes, recorder, screen, range } = options;
  /** By the name of their group. */
  const running = new Map<string, NodeGroup>();

  const addressesOf = (node: WantedNode): NodeAddresses => ({
    ...addressesOfNode(nodeName(node), node.number - 1, plan.network),
    bindAddress: range.addressOf(node.number - 1),
  });
  /** A node that shares its agent has no address of this machine. */
  const isAlone = ({ name }: WantedNode): boolean => plan.nodesPerAgent === 1 || name !== undefined;
  const apply: Nodes['apply'] = async (wanted, client, signal) => {
    const up = wanted.filter(({ stopped }) => !stopped);
    const names = new Set(up.map(nodeName));
    recorder.nodes(wanted.map(node => (isAlone(node) ? addressesOf(node) : { name: nodeName(node), bindAddress: '' })));
    for (const [name, { nodes }] of running) {
      // Of several that share an agent none is stopped alone.
      if (nodes.some(node => names.has(nodeName(node)))) continue;
      running.delete(name);
      await processes.end(agentName(name), STOP_GRACE_MS);
      screen.line(`${name} stopped`);
    }
    const known = new Set([...running.values()].flatMap(({ nodes }) => nodes.map(nodeName)));
    const fresh = groupsOf(
      up.filter(node => !known.has(nodeName(node))),
      plan.nodesPerAgent,
      node => proxyModeOf(plan, node),
    );
    for (const group of fresh) {
      running.set(groupName(group), group);
      const admin = await loadKubeConfig(await kubeconfigOf(plan, pki, ADMIN));
      for (const node of group.nodes) await describeNode(admin, nodeName(node), node);
      processes.start(await nodeAgent(plan, pki, addressesOf(group.nodes[0]), group));
    }
    for (const group of fresh) {
      const { nodes } = group;
      const name = groupName(group);
      const alone = nodes.length === 1;
      const ready = (): Promise<void> => nodesReady(client, nodes.map(nodeName));
      await untilReady(realClock, signal, ready, alone ? undefined : MANY_POLL_MS);
      processes.markReady(agentName(name));
      screen.done(name, alone ? `Ready, node ports on ${addressesOf(nodes[0]).bindAddress}` : 'Ready, in one process');
    }
  };

  return {
    apply,
    follow(signal) {
      let work = Promise.resolve();
      const again = async (): Promise<void> => {
        const wanted = await readNodes(plan.dataDir);
        if (wanted === undefined) return;
        const client = createClient(await loadKubeConfig(await kubeconfigOf(plan, pki, ADMIN)), 'kubette-up');
        try {
          await apply(wanted, client, signal);
        } finally {
          client.close();
        }
      };
      process.on(NODES_CHANGED, () => {
        work = work.then(again).catch((error: Error) => {
          if (!signal.aborted) screen.event(`nodes: ${error.message}`);
        });
      });
    },
  };
}
