import { createRouteEntries, type RouteEntries } from '../../dataplane/kernel/route-entries.js';
import { type Family, networkOf, parseIP } from '../../machinery/ip.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import { addRoutes, destinationsOf, routeTo } from './node-routes.js';
import { type Peer, podNetworkOf } from './peer.js';

/** The nodes of the cluster and the routes to them, once for all nodes of a process. */
export interface CommonDirectory {
  /** To every node that there is, by its name as next hop. */
  readonly routes: Readonly<Record<Family, RouteEntries>>;
  update(node: DeepReadonly<Node>): void;
  remove(nodeName: string): void;
  get(nodeName: string): Peer | undefined;
  /** The node that has an address, or the Pod with it; undefined: none. */
  nodeOf(address: string): string | undefined;
}

export function createCommonDirectory(): CommonDirectory {
  const routes = { IPv4: createRouteEntries('IPv4'), IPv6: createRouteEntries('IPv6') };
  interface Known {
    readonly peer: Peer;
    /** What routes lead to it. */
    readonly destinations: string;
    readonly undo: readonly (() => void)[];
  }
  const nodes = new Map<string, Known>();
  const remove = (nodeName: string): void => {
    for (const undo of nodes.get(nodeName)?.undo ?? []) undo();
    nodes.delete(nodeName);
  };
  return {
    routes,
    update(node) {
      const nodeName = node.metadata.name ?? '';
      const peer = { nodeName, podNetwork: podNetworkOf(node) };
      const to = destinationsOf(node);
      const destinations = to.join();
      const known = nodes.get(nodeName);
      // Most of what is told of a Node is that it is well.
      if (known?.destinations === destinations) return void nodes.set(nodeName, { ...known, peer });
      remove(nodeName);
      const undo = addRoutes(
        routes,
        to.map(destination => routeTo(nodeName, destination)),
      );
      nodes.set(nodeName, { peer, destinations, undo });
    },
    remove,
    get: nodeName => nodes.get(nodeName)?.peer,
    nodeOf(address) {
      const ip = parseIP(address);
      if (ip === undefined) return undefined;
      const entries = routes[ip.family];
      for (const length of entries.lengths) {
        const [first] = entries.to(length, networkOf(ip, length).value);
        if (first !== undefined) return first.nextHop;
      }
      return undefined;
    },
  };
}
