import type { ClientConfig } from '../client/kubeconfig.js';
import { ENDPOINT_SLICES, SERVICE_CIDRS, SERVICES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import type { InformerFactory, ResourceRef } from '../client/types.js';
import { KUBERNETES_VERSION } from '../machinery/kubernetes-version.js';
import type { Logger } from '../machinery/logger.js';
import { createNodeAgent } from '../nodeagent/agent.js';
import type { NodeAgent, NodeAgentOptions } from '../nodeagent/agent-options.js';
import { createLoggedInformers } from './informers.js';

/** What the Node says its kubelet is. */
export const KUBELET_VERSION = `v${KUBERNETES_VERSION}`;

export interface StartNodeAgentOptions extends Omit<NodeAgentOptions, 'client' | 'informers' | 'version'> {
  readonly config: ClientConfig;
  /** The proxy's own identity; undefined: the kubelet's. */
  readonly proxyConfig?: ClientConfig;
  readonly log: Logger;
}

export type RunningNodeAgent = Pick<NodeAgent, 'kubeletPort' | 'podNetworkPort' | 'pods' | 'close'>;

/** Runs the agent of one node. @throws Error when a port cannot be opened */
export async function startNodeAgent(options: StartNodeAgentOptions): Promise<RunningNodeAgent> {
  const { config, proxyConfig, clock, log } = options;
  const client = createClient(config, 'kubelet', clock);
  const proxyClient = proxyConfig === undefined ? client : createClient(proxyConfig, 'kube-proxy', clock);
  const informersOf = (transport: typeof client.transport): InformerFactory =>
    createLoggedInformers(transport, clock, log);
  const agent = await createNodeAgent({
    ...options,
    client,
    informers: split(informersOf(client.transport), informersOf(proxyClient.transport)),
    version: KUBELET_VERSION,
  });
  log.info({ kubeletPort: agent.kubeletPort, podNetworkPort: agent.podNetworkPort }, 'listening');
  return {
    kubeletPort: agent.kubeletPort,
    podNetworkPort: agent.podNetworkPort,
    pods: agent.pods,
    async close() {
      await agent.close();
      client.close();
      proxyClient.close();
    },
  };
}

const OF_THE_PROXY: ReadonlySet<ResourceRef> = new Set([SERVICES, ENDPOINT_SLICES, SERVICE_CIDRS]);

/** The proxy's resources are watched under its own identity. */
const split = (kubelet: InformerFactory, proxy: InformerFactory): InformerFactory => ({
  informer: (ref, options) => (OF_THE_PROXY.has(ref) ? proxy : kubelet).informer(ref, options),
  start(signal) {
    kubelet.start(signal);
    proxy.start(signal);
  },
  whenSynced: async signal => {
    await Promise.all([kubelet.whenSynced(signal), proxy.whenSynced(signal)]);
  },
});
