import type { HookFunction } from '../dataplane/kernel/hooks.js';
import { createKernel } from '../dataplane/kernel/kernel.js';
import { createRouteTable, defaultRoute } from '../dataplane/kernel/routes.js';
import type { Family } from '../dataplane/packet.js';
import type { Kernel } from '../dataplane/kernel/types.js';
import { policyHook } from '../dataplane/policies/policy-hook.js';
import { parseCidr } from '../machinery/cidr.js';
import type { NodeAgentOptions } from './agent-options.js';
import { kernelOnDemand } from './network/kernel-on-demand.js';
import type { Kernels } from './network/kernels.js';
import { createPeerLinks, type PeerLinks } from './network/link/peer-links.js';
import { familyLike, NODE_LINK } from './network/links.js';
import { createNodeDirectory, type NodeDirectory } from './network/node-directory.js';
import { createPodNetwork, type PodNetwork } from './network/pod-network.js';
import type { Addresses } from '../containers/network/types.js';
import type { NodeInformers } from './node-informers.js';
import { watchTraffic } from './network/traffic.js';
import { createNodePolicies } from './policies/node-policies.js';
import { explainAddress } from './proxy/explain-address.js';

/** The node's network: the kernels its packets go through, the other nodes, and what hangs on it. */
export interface NodeNetwork {
  /** One of each family that the node has, the primary one first. */
  readonly nodeAddresses: Addresses;
  readonly kernels: Kernels;
  readonly directory: NodeDirectory;
  readonly network: PodNetwork;
  /** To the agents of other nodes. */
  readonly links: PeerLinks;
  /** To be called for what Pods say to each other. */
  readonly onTraffic: (() => void) | undefined;
  /** Calls `load` before the first packet that rules may concern, or for whoever reads them; at once where nobody waits for that. */
  onRulesAsked(load: () => void): void;
}

export function createNodeNetwork(options: NodeAgentOptions, { services, slices }: NodeInformers): NodeNetwork {
  const { clock, nodeName, hostGateways, nodeIPs: nodeAddresses, host } = options;
  const policies = host?.policies ?? createNodePolicies({ ...options, services, slices });
  const hooks = [policyHook(packet => policies.judge(packet, nodeName))];
  let loadRules: () => void = () => undefined;
  const stackOf = (family: Family): Kernel => stack(family, options, hooks, () => loadRules());
  const kernels = { IPv4: stackOf('IPv4'), IPv6: stackOf('IPv6') };
  const directory = createNodeDirectory({ nodeName, kernels, common: host?.directory });
  const onTraffic = options.onBusy && watchTraffic(clock, options.onBusy);
  const links = host?.links ?? createPeerLinks(clock, onTraffic, options.cable);
  const network = createPodNetwork({
    random: () => options.random.number(),
    nodeName,
    nodeAddresses,
    kernels,
    directory,
    links,
    onPacket: onTraffic,
    clock,
    hostGateways,
    hostAddress: '127.0.0.1',
    cable: options.cable,
    explain: flow => explainAddress(services.indexer.list(), flow),
  });
  return {
    nodeAddresses,
    kernels,
    directory,
    network,
    links,
    onTraffic,
    onRulesAsked(load) {
      if (host === undefined) return load();
      loadRules = load;
    },
  };
}

/** What the node has of one family. */
function stack(
  family: Family,
  options: NodeAgentOptions,
  hooks: readonly HookFunction[],
  loadRules: () => void,
): Kernel {
  const { nodeIPs, clusterCidrs, clock, random, host, nodeName } = options;
  const common = host && { entries: host.directory.routes[family], self: nodeName };
  const routes = createRouteTable(family, common);
  for (const address of nodeIPs.filter(ip => familyLike(ip) === family)) {
    routes.addAddress(NODE_LINK, address);
    routes.add({ destination: defaultRoute(family), link: NODE_LINK });
  }
  const clusterRange = clusterCidrs.flatMap(text => parseCidr(text) ?? []).find(range => range.family === family);
  const make = (): Kernel =>
    createKernel({
      clock,
      random: () => random.number(),
      routes,
      // As kindnet: outside of the Pods' range nobody knows the way back to a Pod.
      masquerades: ({ src, dst }) =>
        clusterRange !== undefined && !routes.isLocal(src) && !routes.isLocal(dst) && !clusterRange.contains(dst),
      hooks,
    });
  return host === undefined ? make() : kernelOnDemand({ clock, routes, make, load: loadRules });
}
