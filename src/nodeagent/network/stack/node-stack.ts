import { parseCidr } from '../../../machinery/cidr.js';
import type { Clock } from '../../../machinery/clock.js';
import type { Family } from '../../../machinery/ip.js';
import { NetworkError } from '../../../containers/network/errors.js';
import type { Link, LinkAddress, Neighbour, NetworkStack, StackRoute } from '../../../containers/network/stack.js';
import type { Addresses, NetStream } from '../../../containers/network/types.js';
import type { Wire } from '../capture/wire.js';
import type { Kernels } from '../kernels.js';
import { familyLike, HOST, isLoopback, NODE_LINK, ofFamily, POD_LINK } from '../links.js';
import { answerOf, type Probing } from '../probing.js';
import type { Sockets } from '../sockets.js';
import {
  gatewayOf,
  isOnNodeLink,
  linkLocal,
  LOOPBACK,
  macOf,
  networkText,
  nodePrefix,
  podRangeOf,
} from './addressing.js';
import { patiently } from './patiently.js';
import { neighbour } from './neighbour.js';
import { socketsOf } from './sockets-of.js';

/** The node's end of a Pod's link. */
export interface PodLink {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
}

export interface NodeStackOptions {
  readonly addresses: Addresses;
  readonly hostGateways: Addresses;
  readonly kernels: Kernels;
  readonly sockets: Sockets;
  readonly dialled: () => Iterable<NetStream>;
  readonly wire: Wire;
  readonly probing: Probing;
  readonly clock: Clock;
  readonly podLinks: () => readonly PodLink[];
}

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const NODE_INDEX = 2;
const BRIDGE_INDEX = 3;
/** Of the first Pod's link. */
export const FIRST_POD_INDEX = 4;
const MTU = 1500;

/** The network of the node itself: kind's Ethernet link, the bridge with the Pods' links, and what IPVS has bound. */
export function createNodeStack(options: NodeStackOptions): NetworkStack {
  const { addresses, hostGateways, kernels, sockets, wire, probing, clock, podLinks } = options;

  const bridge = (): Link | undefined => {
    const own = FAMILIES.flatMap((family): LinkAddress[] => {
      const { routes } = kernels[family];
      const address = gatewayOf(routes);
      const prefix = parseCidr(podRangeOf(routes) ?? '')?.prefix;
      return address === undefined || prefix === undefined ? [] : [{ address, prefix, scope: 'global' }];
    });
    const [first] = own;
    if (first === undefined) return undefined;
    const mac = macOf(first.address);
    return {
      index: BRIDGE_INDEX,
      name: POD_LINK,
      kind: 'bridge',
      mac,
      mtu: MTU,
      addresses: [...own, linkLocal(mac)],
    };
  };
  const boundByIpvs = (index: number): Link[] => {
    const bound = FAMILIES.flatMap(family => kernels[family].routes.addresses()).filter(
      ({ link }) => link !== NODE_LINK && link !== POD_LINK && link !== LOOPBACK.name,
    );
    return [...new Set(bound.map(({ link }) => link))].map((name, at) => ({
      index: index + at,
      name,
      kind: 'dummy',
      mac: macOf(bound[0]?.address ?? '0.0.0.0'),
      mtu: MTU,
      addresses: bound
        .filter(({ link }) => link === name)
        .map(({ address }) => ({ address, prefix: address.includes(':') ? 128 : 32, scope: 'global' })),
    }));
  };
  const links = (): Link[] => {
    const nodeMac = macOf(addresses[0]);
    const made = bridge();
    const pods = podLinks().map(({ index, name, mac }): Link => ({
      index,
      name,
      kind: 'veth',
      mac,
      mtu: MTU,
      peer: NODE_INDEX,
      master: POD_LINK,
      addresses: [linkLocal(mac)],
    }));
    const last = pods.reduce((most, { index }) => Math.max(most, index), BRIDGE_INDEX);
    return [
      LOOPBACK,
      {
        index: NODE_INDEX,
        name: NODE_LINK,
        kind: 'ethernet',
        mac: nodeMac,
        mtu: MTU,
        addresses: [
          ...addresses.map((address): LinkAddress => ({ address, prefix: nodePrefix(address), scope: 'global' })),
          linkLocal(nodeMac),
        ],
      },
      ...(made === undefined ? [] : [made]),
      ...pods,
      ...boundByIpvs(last + 1),
    ];
  };

  /** A node's address, by its name. */
  const addressOf = (nodeName: string, family: Family): string | undefined =>
    kernels[family].routes
      .entries()
      .find(({ destination, nextHop }) => nextHop === nodeName && parseCidr(destination)?.network === destination)
      ?.destination;
  const routes = (family: Family): StackRoute[] => {
    const own = ofFamily(addresses, family);
    const table = kernels[family].routes;
    const gateway = gatewayOf(table);
    const shown = table.entries().flatMap((entry): StackRoute[] => {
      const { destination, link, nextHop } = entry;
      const range = parseCidr(destination);
      if (range === undefined || destination === range.network || nextHop === HOST) return [];
      if (range.prefix === 0) {
        const via = ofFamily(hostGateways, family);
        return via === undefined ? [] : [{ destination: 'default', link, via }];
      }
      if (link === POD_LINK)
        return [{ destination: range.text, link, ...(gateway === undefined ? {} : { source: gateway }) }];
      const via = nextHop === undefined ? undefined : addressOf(nextHop, family);
      return [{ destination: range.text, link, ...(via === undefined ? {} : { via }) }];
    });
    if (own !== undefined) shown.push({ destination: networkText(own, nodePrefix(own)), link: NODE_LINK, source: own });
    const rank = ({ destination }: StackRoute): bigint => parseCidr(destination)?.first ?? -1n;
    return shown.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  };

  return {
    links,
    routes,
    neighbours(): Neighbour[] {
      const met = new Map<string, { link: string; at: number }>();
      for (const [address, at] of wire.lastMet) {
        const family = familyLike(address);
        const route = kernels[family].routes.lookup(address);
        if (route === undefined || route.local) continue;
        const hop =
          route.link === POD_LINK || isOnNodeLink(address, addresses)
            ? address
            : route.nextHop === undefined
              ? ofFamily(hostGateways, family)
              : addressOf(route.nextHop, family);
        if (hop !== undefined) met.set(hop, { link: route.link, at: Math.max(at, met.get(hop)?.at ?? 0) });
      }
      return [...met].map(([address, { link, at }]) => neighbour(address, link, clock.now() - at));
    },
    sockets: () => socketsOf(sockets, options.dialled()),
    kernel: family => kernels[family],
    async probe(probe, given) {
      const src = isLoopback(probe.dst) ? probe.dst : ofFamily(addresses, familyLike(probe.dst));
      if (src === undefined) throw new NetworkError('ENETUNREACH');
      const sent = { ...probe, src };
      const flow = {
        proto: probe.protocol === 'tcp' ? 'tcp' : 'udp',
        src,
        srcPort: 0,
        dst: probe.dst,
        dstPort: probe.dstPort,
      } as const;
      if (isLoopback(probe.dst)) return patiently(clock, given, async () => answerOf(sockets, sent, flow, 64));
      wire.met(probe.dst);
      return patiently(clock, given, () => probing.send(sent, 'output', given));
    },
    capture: show => wire.capture(show),
  };
}
