import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Family } from '../../dataplane/packet.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import type { CommonDirectory } from './common-directory.js';
import { METRIC, POD_LINK } from './links.js';
import { addRoutes, destinationsOf, routeTo } from './node-routes.js';
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
  const tables = { IPv4: kernels.IPv4.routes, IPv6: kernels.IPv6.routes };

  return {
    update(node) {
      const nodeName = node.metadata.name ?? '';
      if (common !== undefined && nodeName !== self) return;
      forget(nodeName);
      const undo = addRoutes(
        tables,
        nodeName === self
          ? (node.spec?.podCIDRs ?? []).map(destination => ({ destination, link: POD_LINK, metric: METRIC.podRange }))
          : destinationsOf(node).map(destination => routeTo(nodeName, destination)),
      );
      const podNetwork = podNetworkOf(node);
      peers.set(nodeName, { peer: { nodeName, podNetwork }, undo });
    },
    remove: forget,
    get: nodeName => common?.get(nodeName) ?? peers.get(nodeName)?.peer,
  };
}
