import type { Cable } from '../../machinery/cable.js';
import type { Clock } from '../../machinery/clock.js';
import type { Addresses, Flow, NetNamespace, PacketReceiver } from '../../containers/network/types.js';
import { createWire, type Wire } from './capture/wire.js';
import { createForwarding } from './forwarding.js';
import type { Kernels } from './kernels.js';
import type { PeerLinks } from './link/peer-links.js';
import { familyLike, HOST, METRIC, NODE_LINK, POD_LINK } from './links.js';
import { type ConnectingNamespace, createNetNamespace } from './net-namespace.js';
import type { NodeDirectory } from './node-directory.js';
import { createProbing } from './probing.js';
import { createSockets, type Sockets } from './sockets.js';
import { macOf } from './stack/addressing.js';
import { createNodeStack, FIRST_POD_INDEX, type PodLink } from './stack/node-stack.js';
import { createPodStack } from './stack/pod-stack.js';

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
  const { nodeName, nodeAddresses, kernels, hostGateways, clock, random } = options;
  const wire = createWire(clock, random);
  const podLinks = new Map<number, PodLink>();
  let nextIndex = FIRST_POD_INDEX;
  const pods = new Map<string, Sockets>();
  const nodeSockets = createSockets(`node ${nodeName}`);
  for (const destination of hostGateways)
    kernels[familyLike(destination)].routes.add({ destination, link: NODE_LINK, nextHop: HOST, metric: METRIC.own });
  const forwarding = createForwarding({ ...options, nodeSockets, pods, wire });
  const probing = createProbing({ ...options, nodeSockets, pods });
  const namespace = (
    addresses: Addresses,
    sockets: Sockets,
    hook: 'prerouting' | 'output',
    podWire?: Wire,
  ): ConnectingNamespace =>
    createNetNamespace({ nodeName, clock, addresses, sockets, hook, forwarding, wire: podWire, random });
  const node = namespace(nodeAddresses, nodeSockets, 'output');
  const nodeStack = createNodeStack({
    addresses: nodeAddresses,
    hostGateways,
    kernels,
    sockets: nodeSockets,
    dialled: () => node.dialled(),
    wire,
    probing,
    clock,
    podLinks: () => [...podLinks.values()],
  });

  return {
    node: { ...node, sockets: nodeSockets, stack: nodeStack },
    attach(addresses, owner) {
      const podWire = createWire(clock, random);
      const sockets = createSockets(owner, podWire);
      const index = nextIndex++;
      podLinks.set(index, linkOf(index, addresses));
      const undo = addresses.map(address => {
        pods.set(address, sockets);
        return kernels[familyLike(address)].routes.add({ destination: address, link: POD_LINK, metric: METRIC.own });
      });
      const detach = (): void => {
        for (const remove of undo) remove();
        podLinks.delete(index);
        for (const address of addresses) if (pods.get(address) === sockets) pods.delete(address);
        sockets.close();
      };
      const own = namespace(addresses, sockets, 'prerouting', podWire);
      const stack = createPodStack({
        addresses,
        kernels,
        sockets,
        dialled: () => own.dialled(),
        wire: podWire,
        probing,
        clock,
        peerIndex: index,
      });
      return { ...own, sockets, stack, detach };
    },
    acceptTcp: (flow, given) => forwarding.open(flow, 'prerouting', given),
    acceptSctp: (flow, given) => forwarding.open(flow, 'prerouting', given),
    acceptProbe: (probe, given) => probing.send(probe, 'prerouting', given),
    acceptUdp: (flow, payload, given) => forwarding.sendUdp(flow, 'prerouting', payload, given),
  };
}

/** The node's end of a Pod's link, named as the bridge plugin names it. */
function linkOf(index: number, addresses: Addresses): PodLink {
  const [, , ...rest] = macOf(addresses[0]).split(':');
  return { index, name: `veth${rest.join('')}`, mac: ['3e', '42', ...rest].join(':') };
}
