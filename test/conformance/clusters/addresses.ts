import {
  createRouteTable,
  defaultRoute,
  LOOPBACK_LINK,
  type RouteTable,
} from '../../../src/dataplane/kernel/routes.js';
import { canonicalIP, type Family } from '../../../src/machinery/ip.js';
import { inFamily } from '../packets.js';

/*
 * The machines around one node, all written in IPv4; `inFamily` reads them in the other. Each is a network namespace behind
 * a link of the node, so that nothing goes around it.
 */
export const THIS_NODE = 'worker-a';
export const OTHER_NODE = 'worker-b';
export const NODE = '192.168.50.11';
/** The side of the node that other nodes' Pods are on. */
export const SECOND = '192.168.60.11';
/** Of every Pod of the node. */
export const POD_GATEWAY = '10.66.1.1';
/** An address of a load balancer that the node itself has, as some clouds give it. */
export const LOCAL_VIP = '203.0.113.70';

export type Place = 'pod' | 'first' | 'second' | 'peer' | 'outside';

interface Surrounding {
  /** The node's end. */
  readonly link: string;
  /** The node's address on it. */
  readonly gateway: string;
  readonly addresses: readonly string[];
}

export const PLACES: Readonly<Record<Place, Surrounding>> = {
  pod: { link: 'veth0', gateway: POD_GATEWAY, addresses: ['10.66.1.99'] },
  first: { link: 'veth1', gateway: POD_GATEWAY, addresses: ['10.66.1.10'] },
  second: { link: 'veth2', gateway: POD_GATEWAY, addresses: ['10.66.1.11'] },
  peer: { link: 'eth1', gateway: SECOND, addresses: ['10.66.2.20', '10.66.2.21', '10.66.2.22'] },
  // A Pod of another node is among them: some ways to tell local traffic take it for one.
  outside: {
    link: 'eth0',
    gateway: NODE,
    addresses: ['192.168.50.1', '198.51.100.7', '203.0.113.200', '10.66.2.99'],
  },
};
export const PLACE_NAMES = Object.keys(PLACES) as readonly Place[];

/** Where a server of each protocol stands. The last one is a Pod in the node's own network. */
export const ENDPOINTS = {
  local: [...PLACES.first.addresses, ...PLACES.second.addresses, NODE],
  remote: PLACES.peer.addresses,
} as const;
export const ENDPOINT_PORTS = [8080, 9090] as const;

/** As the node lists its addresses. */
export const NODE_ADDRESSES = [NODE, SECOND, POD_GATEWAY, LOCAL_VIP];

/** Address and link of what the node has, in the order in which it gets them. */
export const nodeLinks = (): readonly (readonly [link: string, address: string])[] => [
  ...PLACE_NAMES.map(name => [PLACES[name].link, PLACES[name].gateway] as const).reverse(),
  [LOOPBACK_LINK, LOCAL_VIP],
];

export const loopbackOf = (family: Family): string => (family === 'IPv4' ? '127.0.0.1' : '::1');

export const addressIn = (address: string, family: Family): string => {
  const text = inFamily(address, family);
  return canonicalIP(text) ?? text;
};

/** The node's routes, as `setUp` makes them in the kernel. */
export function nodeRoutes(family: Family): RouteTable {
  const routes = createRouteTable(family);
  for (const [link, address] of nodeLinks()) routes.addAddress(link, addressIn(address, family));
  for (const { link, addresses } of Object.values(PLACES))
    for (const address of addresses) routes.add({ destination: addressIn(address, family), link });
  routes.add({ destination: defaultRoute(family), link: PLACES.outside.link });
  return routes;
}
