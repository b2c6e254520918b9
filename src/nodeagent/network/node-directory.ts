import type { RouteEntry } from '../../dataplane/kernel/route-entries.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Family } from '../../dataplane/packet.js';
import { parseCidr } from '../../machinery/cidr.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import { addressesOfNode, type CommonDirectory } from './common-directory.js';
import { METRIC, NODE_LINK, POD_LINK } from './links.js';
import { type Peer, podNetworkOf } from './peer.js';

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
  /** Of all other nodes, whose routes the kernels' tables have in common with those of this process's other nodes. */
  readonly common?: Pick<CommonDirectory, 'get'> | undefined;
}

export function createNodeDirectory({ nodeName: self, kernels, common }: NodeDirectoryOptions): NodeDirectory {
  const peers = new Map<string, { readonly peer: Peer; readonly undo: readonly (() => void)[] }>();
  const forget = (nodeName: string): void => {
    for (const undo of peers.get(nodeName)?.undo ?? []) undo();
    peers.delete(nodeName);
  };
  /** None for what is no range: others write it. */
  const addRoute = (entry: RouteEntry): (() => void)[] => {
    const family = parseCidr(entry.destination)?.family;
    return family === undefined ? [] : [kernels[family].routes.add(entry)];
  };

  return {
    update(node) {
      const nodeName = node.metadata.name ?? '';
      if (common !== undefined && nodeName !== self) return;
      forget(nodeName);
      const ranges = node.spec?.podCIDRs ?? [];
      const undo =
        nodeName === self
          ? ranges.flatMap(destination => addRoute({ destination, link: POD_LINK, metric: METRIC.podRange }))
          : [...addressesOfNode(node), ...ranges].flatMap(destination =>
              addRoute({ destination, link: NODE_LINK, nextHop: nodeName, metric: METRIC.peer }),
            );
      const podNetwork = podNetworkOf(node);
      peers.set(nodeName, { peer: { nodeName, podNetwork }, undo });
    },
    remove: forget,
    get: nodeName => common?.get(nodeName) ?? peers.get(nodeName)?.peer,
  };
}
