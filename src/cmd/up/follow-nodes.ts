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
import { agentName, kubeconfigOf, nodeAgent } from './processes.js';
import type { Recorder } from './recorder.js';
import type { Screen } from './screen.js';

const STOP_GRACE_MS = 4_000;
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
  const running = new Set<string>();

  const addressesOf = (node: WantedNode): NodeAddresses => ({
    ...addressesOfNode(nodeName(node), node.number - 1, plan.network),
    bindAddress: range.addressOf(node.number - 1),
  });
  const apply: Nodes['apply'] = async (wanted, client, signal) => {
    const up = wanted.filter(({ stopped }) => !stopped);
    const names = new Set(up.map(nodeName));
    recorder.nodes(wanted.map(addressesOf));
    for (const name of [...running]) {
      if (names.has(name)) continue;
      running.delete(name);
      await processes.end(agentName(name), STOP_GRACE_MS);
      screen.line(`${name} stopped`);
    }
    const fresh = up.filter(node => !running.has(nodeName(node)));
    for (const node of fresh) {
      running.add(nodeName(node));
      await describeNode(await loadKubeConfig(await kubeconfigOf(plan, pki, ADMIN)), nodeName(node), node);
      processes.start(await nodeAgent(plan, pki, addressesOf(node), node));
    }
    for (const node of fresh) {
      const name = nodeName(node);
      await untilReady(realClock, signal, () => nodesReady(client, [name]));
      processes.markReady(agentName(name));
      screen.done(name, `Ready, node ports on ${addressesOf(node).bindAddress}`);
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
