import { addressAt, cidrOf, parseCidr } from '../../../machinery/cidr.js';
import { ipBytes, parseIP } from '../../../machinery/ip.js';
import type { Link, LinkAddress } from '../../../containers/network/stack.js';
import type { RouteTable } from '../../../dataplane/kernel/routes.js';
import { familyLike, METRIC, POD_LINK } from '../links.js';

/** 02:42 and the address, as Docker makes it; of an IPv6 address its last four bytes. */
export const macOf = (address: string): string =>
  ['02', '42', ...[...ipBytes(address).slice(-4)].map(byte => byte.toString(16).padStart(2, '0'))].join(':');

/** The range of this node's Pods; undefined: it has none yet. */
export const podRangeOf = (routes: RouteTable): string | undefined =>
  routes.entries().find(({ link, metric }) => link === POD_LINK && metric === METRIC.podRange)?.destination;

/** The bridge's own address, by which its Pods know the node: the first of their range. */
export function gatewayOf(routes: RouteTable): string | undefined {
  const range = parseCidr(podRangeOf(routes) ?? '');
  return range === undefined ? undefined : addressAt(range, 1n);
}

/** Of the network that nodes are in: kind's. */
const NODE_PREFIX = { IPv4: 16, IPv6: 64 } as const;
/** Of a Pod's network, where its node's range is not known. */
const POD_PREFIX = { IPv4: 24, IPv6: 64 } as const;

export const nodePrefix = (address: string): number => NODE_PREFIX[familyLike(address)];
export const podPrefix = (address: string, routes: RouteTable): number =>
  parseCidr(podRangeOf(routes) ?? '')?.prefix ?? POD_PREFIX[familyLike(address)];

/** The range that an address of a link is in: "10.244.1.0/24". */
export function networkText(address: string, prefix: number): string {
  const ip = parseIP(address);
  return ip === undefined ? address : cidrOf(ip, prefix).text;
}

export const isOnNodeLink = (address: string, nodeAddresses: readonly string[]): boolean =>
  nodeAddresses.some(
    own =>
      familyLike(own) === familyLike(address) &&
      parseCidr(networkText(own, nodePrefix(own)))?.contains(address) === true,
  );

/** Every Ethernet link has one (RFC 4291, modified EUI-64). */
export function linkLocal(mac: string): LinkAddress {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map(part => parseInt(part, 16));
  const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
  const words = [hex(a ^ 2, b), hex(c, 0xff), hex(0xfe, d), hex(e, f)];
  return { address: `fe80::${words.join(':')}`, prefix: 64, scope: 'link' };
}

export const LOOPBACK: Link = {
  index: 1,
  name: 'lo',
  kind: 'loopback',
  mac: '00:00:00:00:00:00',
  mtu: 65_536,
  addresses: [
    { address: '127.0.0.1', prefix: 8, scope: 'host' },
    { address: '::1', prefix: 128, scope: 'host' },
  ],
};
