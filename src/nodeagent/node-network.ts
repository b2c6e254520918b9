import { createKernel } from '../dataplane/kernel/kernel.js';
import { createRouteTable, defaultRoute } from '../dataplane/kernel/routes.js';
import type { Kernel } from '../dataplane/kernel/types.js';
import { parseCidr } from '../machinery/cidr.js';
import type { NodeAgentOptions } from './agent-options.js';
import { NODE_LINK } from './network/links.js';
import { createNodeDirectory, type NodeDirectory } from './network/node-directory.js';
import { createPodNetwork, type PodNetwork } from './network/pod-network.js';
import type { Addresses } from '../containers/network/types.js';
import type { NodeInformers } from './node-informers.js';
import { explainAddress } from './proxy/explain-address.js';

/** The node's network: the kernel its packets go through, the other nodes, and what hangs on it. */
export interface NodeNetwork {
  readonly nodeAddresses: Addresses;
  readonly kernel: Kernel;
  readonly directory: NodeDirectory;
  readonly network: PodNetwork;
}

export function createNodeNetwork(options: NodeAgentOptions, { services }: NodeInformers): NodeNetwork {
  const { clock, nodeName, hostGateway } = options;
  const nodeAddresses = [options.nodeIP] as const;
  const routes = createRouteTable('IPv4');
  for (const address of nodeAddresses) routes.addAddress(NODE_LINK, address);
  routes.add({ destination: defaultRoute(routes.family), link: NODE_LINK });
  const directory = createNodeDirectory({ nodeName, routes });
  const clusterRange = parseCidr(options.clusterCidr);
  const kernel = createKernel({
    clock,
    random: () => options.random.number(),
    routes,
    // As kindnet: outside of the Pods' range nobody knows the way back to a Pod.
    masquerades: ({ src, dst }) =>
      clusterRange !== undefined && !routes.isLocal(src) && !routes.isLocal(dst) && !clusterRange.contains(dst),
  });
  const network = createPodNetwork({
    nodeName,
    nodeAddresses,
    kernel,
    directory,
    clock,
    hostGateway,
    hostAddress: '127.0.0.1',
    explain: flow => explainAddress(services.indexer.list(), flow),
  });
  return { nodeAddresses, kernel, directory, network };
}
