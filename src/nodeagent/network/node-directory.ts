import type { DeepReadonly, Node } from '../../machinery/types.js';
import { cidrContains, parseCidr, type Cidr } from './ip.js';
import type { SocketAddress } from './types.js';

/** Where a node agent's pod network listens, "host:port", on its Node. */
export const POD_NETWORK_ANNOTATION = 'kubette.dev/pod-network';

export interface Peer {
  readonly nodeName: string;
  readonly addresses: readonly string[];
  readonly podCidrs: readonly Cidr[];
  /** Undefined until that node's agent has announced it. */
  readonly podNetwork: SocketAddress | undefined;
}

/** Which node owns an address: the routing table a CNI plugin would program. */
export interface NodeDirectory {
  update(node: DeepReadonly<Node>): void;
  remove(nodeName: string): void;
  /** The node that has this address, or whose Pod range it is in. */
  find(address: string): Peer | undefined;
}

function parseAddress(text: string | undefined): SocketAddress | undefined {
  const colon = text?.lastIndexOf(':') ?? -1;
  const port = Number(text?.slice(colon + 1));
  if (text === undefined || colon <= 0 || !Number.isInteger(port)) return undefined;
  return { address: text.slice(0, colon), port };
}

export function createNodeDirectory(): NodeDirectory {
  const peers = new Map<string, Peer>();
  const byAddress = new Map<string, Peer>();
  const forget = (nodeName: string): void => {
    for (const address of peers.get(nodeName)?.addresses ?? []) byAddress.delete(address);
    peers.delete(nodeName);
  };
  return {
    update(node) {
      const nodeName = node.metadata.name ?? '';
      forget(nodeName);
      const addresses = (node.status?.addresses ?? [])
        .filter(a => a.type === 'InternalIP' || a.type === 'ExternalIP')
        .map(a => a.address);
      const podCidrs = (node.spec?.podCIDRs ?? [])
        .map(cidr => parseCidr(cidr))
        .filter((cidr): cidr is Cidr => cidr !== undefined);
      const podNetwork = parseAddress(node.metadata.annotations?.[POD_NETWORK_ANNOTATION]);
      const peer = { nodeName, addresses, podCidrs, podNetwork };
      peers.set(nodeName, peer);
      for (const address of addresses) byAddress.set(address, peer);
    },
    remove: forget,
    find(address) {
      const owner = byAddress.get(address);
      if (owner !== undefined) return owner;
      for (const peer of peers.values()) if (peer.podCidrs.some(cidr => cidrContains(cidr, address))) return peer;
      return undefined;
    },
  };
}
