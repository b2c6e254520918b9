import type { ClientConfig } from '../client/kubeconfig.js';
import type { BehaviourFile } from '../containers/behaviour/file.js';
import { dealt, type ProxyMode } from '../dataplane/proxiers/modes.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import type { Random } from '../machinery/random.js';
import type { NodeAgentOptions } from '../nodeagent/agent-options.js';
import { proxySettings } from '../nodeagent/proxy/proxy-settings.js';
import { describeNode } from './describe-node.js';
import { podsOf, type NodeDescription } from './node-description.js';
import { CLUSTER_DOMAIN, HOST, type ClusterNetwork, type NodeAddresses } from './addresses.js';
import { clientConfig, nodeIdentity } from './keys/kubeconfig.js';
import type { Pki } from './keys/pki.js';
import { startNodeAgent, type RunningNodeAgent } from './node-agent.js';

/** A node of a cluster in this process. Its Node object stays whatever becomes of the agent. */
export interface RunningNode {
  readonly name: string;
  /** On this machine. */
  readonly bindAddress: string;
  /** Undefined: it does not run. */
  readonly agent: RunningNodeAgent | undefined;
  /** Ends the agent and all that it runs, as a machine that loses its power; the API server is told nothing. */
  stop(): Promise<void>;
  /** Starts it again, as the same node: what is bound to it is run anew. @throws Error when a port cannot be had */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What one node has of its own. */
export type NodeSettings = Partial<Pick<NodeAgentOptions, 'clock' | 'cable'>>;

/** Where a node is, and what it is like. */
export type DescribedNode = NodeAddresses & { readonly description: NodeDescription };

export interface StartNodesOptions {
  /** Of the administrator, who says what nodes are like. */
  readonly admin: ClientConfig;
  readonly pki: Pki;
  /** Of the API server. */
  readonly url: string;
  /** How they reach it; given what they would use over a network. */
  readonly connected: (config: ClientConfig) => ClientConfig;
  readonly network: ClusterNetwork;
  readonly nodes: readonly DescribedNode[];
  /** Dealt to those that have none of their own. */
  readonly proxyModes: readonly ProxyMode[];
  /** What containers are told to do, beside what their Pods say. */
  readonly behaviour?: BehaviourFile | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settingsOf?: ((name: string) => NodeSettings) | undefined;
}

/** Starts an agent for each. @throws Error when a port cannot be had; none is left then */
export async function startNodes(options: StartNodesOptions): Promise<RunningNode[]> {
  const { nodes, proxyModes } = options;
  const started = nodes.map((node, i) => createNode(options, node, node.description.proxyMode ?? dealt(proxyModes, i)));
  const results = await Promise.allSettled(started.map(node => node.start()));
  const failed = results.find(result => result.status === 'rejected');
  if (failed === undefined) return started;
  await Promise.all(started.map(node => node.stop()));
  throw failed.reason;
}

function createNode(
  options: StartNodesOptions,
  { name, ips, bindAddress, description }: DescribedNode,
  mode: ProxyMode,
): RunningNode {
  const { admin, pki, url, connected, network, clock, random, log, settingsOf } = options;
  const clusterCidrs = network.clusterCidr.split(',');
  const identity = nodeIdentity(name);
  let agent: RunningNodeAgent | undefined;
  /** One after the other, whoever asks. */
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    last = last.catch(() => undefined).then(work);
    return last;
  };
  const stop = (): Promise<void> =>
    inTurn(async () => {
      const running = agent;
      agent = undefined;
      await running?.close();
    });
  return {
    name,
    bindAddress,
    get agent() {
      return agent;
    },
    start: () =>
      inTurn(async () => {
        if (agent !== undefined) return;
        await describeNode(admin, name, description);
        const settings = settingsOf?.(name) ?? {};
        const config = connected(await clientConfig(pki, identity, url));
        agent = await startNodeAgent({
          clock,
          random,
          log,
          config: settings.cable === undefined ? config : { ...config, cable: settings.cable },
          nodeName: name,
          nodeIPs: ips,
          labels: {},
          bindAddress,
          listenAddress: HOST,
          kubeletPort: 0,
          podNetworkPort: 0,
          hostGateways: network.hostGateways,
          clusterDns: network.clusterDns,
          clusterDomain: CLUSTER_DOMAIN,
          clusterCidrs,
          proxy: proxySettings(mode, clusterCidrs),
          behaviour: options.behaviour,
          maxPods: podsOf(description),
          ...(description.capacity === undefined ? {} : { capacity: description.capacity }),
          minSyncPeriodMs: 10,
          syncPeriodMs: 30_000,
          serving: await pki.servingCertificate(`kubelet-${name}`, identity.subject, [name, ...ips, HOST, bindAddress]),
          clientCa: pki.ca.cert,
          ...settings,
        });
      }),
    stop,
    close: stop,
  };
}
