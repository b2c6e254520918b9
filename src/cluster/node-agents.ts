import { createClient } from '../client/rest-client.js';
import type { Addresses } from '../containers/network/types.js';
import { createNodeAgent } from '../nodeagent/agent.js';
import type { NodeAgent, NodeAgentOptions } from '../nodeagent/agent-options.js';
import { createNodeHost, type NodeHostOptions } from '../nodeagent/host/node-host.js';
import { createTurns } from '../machinery/turns.js';
import type { ServingOptions } from '../nodeagent/kubelet-api/server.js';
import { createLoggedInformers } from './informers.js';
import { KUBELET_VERSION, type StartNodeAgentOptions } from './node-agent.js';

/** One of many nodes of a process. */
export interface HostedNode {
  readonly nodeName: string;
  readonly nodeIPs: Addresses;
}

type Shared = Omit<
  StartNodeAgentOptions,
  'nodeName' | 'nodeIPs' | 'serving' | 'host' | 'hostRules' | 'proxyConfig' | 'onBusy' | 'bindAddress' | 'cable'
>;

export interface StartNodeAgentsOptions extends Shared, Pick<NodeHostOptions, 'eventsPerSecond'> {
  readonly nodes: readonly HostedNode[];
  /** Names all nodes. */
  readonly serving: Pick<ServingOptions, 'cert' | 'key'>;
}

export interface RunningNodeAgents {
  readonly kubeletPort: number;
  readonly podNetworkPort: number;
  close(): Promise<void>;
}

/** A few watches, and what writes at a time: each more is a TLS session here and at the server. */
const MAX_CONNECTIONS = 24;

/** Runs the agents of many nodes in this process. @throws Error when a port cannot be opened */
export async function startNodeAgents(options: StartNodeAgentsOptions): Promise<RunningNodeAgents> {
  const { config, clock, log, nodes } = options;
  const client = createClient({ ...config, maxConnections: MAX_CONNECTIONS }, 'kubelet', clock);
  const informers = createLoggedInformers(client.transport, clock, log);
  const host = await createNodeHost({ ...options, ...options.serving, client, informers });
  const agents: NodeAgent[] = [];
  const turns = createTurns(clock);
  const { eventsPerSecond: _shared, nodes: _all, config: _config, ...own } = options;
  for (const node of nodes) {
    const agent: NodeAgentOptions = {
      ...own,
      ...node,
      bindAddress: options.listenAddress,
      client,
      informers,
      host,
      version: KUBELET_VERSION,
      ...folderOf(options, node),
    };
    agents.push(await createNodeAgent(agent));
    if (turns.isOver()) await turns.next();
  }
  const { kubeletPort, podNetworkPort } = host;
  log.info({ kubeletPort, podNetworkPort, nodes: nodes.length }, 'listening');
  return {
    kubeletPort,
    podNetworkPort,
    async close() {
      await Promise.all(agents.map(agent => agent.close()));
      host.close();
      client.close();
    },
  };
}

/** Each keeps its volumes apart. */
const folderOf = ({ volumesFolder }: Shared, { nodeName }: HostedNode): Pick<NodeAgentOptions, 'volumesFolder'> =>
  volumesFolder === undefined ? {} : { volumesFolder: `${volumesFolder}/${nodeName}/volumes` };
