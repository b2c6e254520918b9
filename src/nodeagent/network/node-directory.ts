import type { RouteEntry } from '../../dataplane/kernel/routes.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Family } from '../../dataplane/packet.js';
import { parseCidr } from '../../machinery/cidr.js';
import { familyOf } from '../../machinery/ip.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import { METRIC, NODE_LINK, POD_LINK } from './links.js';
import type { SocketAddress } from '../../containers/network/types.js';

/** Where a node agent's pod network listens, "host:port", on its Node. */
export const POD_NETWORK_ANNOTATION = 'kubette.dev/pod-network';

export interface Peer {
  readonly nodeName: string;
  /** Undefined until that node's agent has announced it. */
  readonly podNetwork: SocketAddress | undefined;
}

/** The nodes of the cluster. Keeps the routes to them and to their Pods, as a CNI plugin's agent would. */
export interface NodeDirectory {
  update(node: DeepReadonly<Node>): void;
  remove(nodeName: string): void;
  /** The node that a route names as next hop. */
  get(nodeName: string): Peer | undefined;
}

export interface NodeDirectoryOptions {
  /** Whose directory it is: the way to its own Pods is its bridge. */
  readonly nodeName: string;
  readonly kernels: Readonly<Record<Family, Pick<Kernel, 'routes'>>>;
}

/** Where the agent of a Node takes packets from others; undefined: it has not said so. */
export function podNetworkOf(node: DeepReadonly<Node>): SocketAddress | undefined {
  const text = node.metadata.annotations?.[POD_NETWORK_ANNOTATION];
  const colon = text?.lastIndexOf(':') ?? -1;
  const port = Number(text?.slice(colon + 1));
  if (text === undefined || colon <= 0 || !Number.isInteger(port)) return undefined;
  return { address: text.slice(0, colon), port };
}

export function createNodeDirectory({ nodeName: self, kernels }: NodeDirectoryOptions): NodeDirectory {
  const peers = new Map<string, { readonly peer: Peer; readonly undo: readonly (() => void)[] }>();
  const forget = (nodeName: string): void => {
    for (const undo of peers.get(nodeName)?.undo ?? []) undo();
    peers.delete(nodeName);
  };
  const addressesOf = (node: DeepReadonly<Node>): string[] =>
    (node.status?.addresses ?? [])
      .filter(
        ({ type, address }) => (type === 'InternalIP' || type === 'ExternalIP') && familyOf(address) !== undefined,
      )
      .map(({ address }) => address);
  /** None for what is no range: others write it. */
  const addRoute = (entry: RouteEntry): (() => void)[] => {
    const family = parseCidr(entry.destination)?.family;
    return family === undefined ? [] : [kernels[family].routes.add(entry)];
  };

  return {
    update(node) {
      const nodeName = node.metadata.name ?? '';
      forget(nodeName);
      const ranges = node.spec?.podCIDRs ?? [];
      const undo =
        nodeName === self
          ? ranges.flatMap(destination => addRoute({ destination, link: POD_LINK, metric: METRIC.podRange }))
          : [...addressesOf(node), ...ranges].flatMap(destination =>
              addRoute({ destination, link: NODE_LINK, nextHop: nodeName, metric: METRIC.peer }),
            );
      const podNetwork = podNetworkOf(node);
      peers.set(nodeName, { peer: { nodeName, podNetwork }, undo });
    },
    remove: forget,
    get: nodeName => peers.get(nodeName)?.peer,
  };
}
