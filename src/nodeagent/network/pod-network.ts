import type { Cable } from '../../machinery/cable.js';
import type { Clock } from '../../machinery/clock.js';
import type { Addresses, Flow, NetNamespace, PacketReceiver } from '../../containers/network/types.js';
import { createForwarding } from './forwarding.js';
import type { Kernels } from './kernels.js';
import type { PeerLinks } from './link/peer-links.js';
import { familyLike, HOST, METRIC, NODE_LINK, POD_LINK } from './links.js';
import { type ConnectingNamespace, createNetNamespace } from './net-namespace.js';
import type { NodeDirectory } from './node-directory.js';
import { createSockets, type Sockets } from './sockets.js';

export interface PodNetworkOptions {
  readonly nodeName: string;
  readonly nodeAddresses: Addresses;
  readonly kernels: Kernels;
  readonly directory: NodeDirectory;
  /** The ways to the other nodes' agents. */
  readonly links: Pick<PeerLinks, 'open'>;
  /** Called with each first packet of a connection. */
  readonly onPacket?: (() => void) | undefined;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** The addresses under which Pods see the real host, as the bridge gateway of a kind cluster. */
  readonly hostGateways: Addresses;
  /** Where the real host's services listen. */
  readonly hostAddress: string;
  /** The node's way to all that is not on it; undefined: nobody pulls it. */
  readonly cable?: Cable | undefined;
  /** What is wrong with a packet whose address nobody has. Default: that nobody has it. */
  readonly explain?: (flow: Flow) => string | undefined;
}

/** The node's own network namespace: the kubelet's and that of Pods with hostNetwork. */
export interface NodeNamespace extends ConnectingNamespace {
  readonly sockets: Sockets;
}

/** One Pod's network namespace. */
export interface PodNamespace extends NetNamespace {
  readonly sockets: Sockets;
  /** Ends all its sockets and frees its addresses. */
  detach(): void;
}

export interface PodNetwork extends PacketReceiver {
  readonly node: NodeNamespace;
  attach(addresses: Addresses, owner: string): PodNamespace;
}

export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  const { nodeName, nodeAddresses, kernels, hostGateways, random } = options;
  const pods = new Map<string, Sockets>();
  const nodeSockets = createSockets(`node ${nodeName}`);
  for (const destination of hostGateways)
    kernels[familyLike(destination)].routes.add({ destination, link: NODE_LINK, nextHop: HOST, metric: METRIC.own });
  const forwarding = createForwarding({ ...options, nodeSockets, pods });
  const namespace = (addresses: Addresses, sockets: Sockets, hook: 'prerouting' | 'output'): ConnectingNamespace =>
    createNetNamespace({ nodeName, addresses, sockets, hook, forwarding, random });

  return {
    node: { ...namespace(nodeAddresses, nodeSockets, 'output'), sockets: nodeSockets },
    attach(addresses, owner) {
      const sockets = createSockets(owner);
      const undo = addresses.map(address => {
        pods.set(address, sockets);
        return kernels[familyLike(address)].routes.add({ destination: address, link: POD_LINK, metric: METRIC.own });
      });
      const detach = (): void => {
        for (const remove of undo) remove();
        for (const address of addresses) if (pods.get(address) === sockets) pods.delete(address);
        sockets.close();
      };
      return { ...namespace(addresses, sockets, 'prerouting'), sockets, detach };
    },
    acceptTcp: (flow, given) => forwarding.open(flow, 'prerouting', given),
    acceptSctp: (flow, given) => forwarding.open(flow, 'prerouting', given),
    acceptUdp: (flow, payload, given) => forwarding.sendUdp(flow, 'prerouting', payload, given),
  };
}
