import { type Family, type IpAddress, networkOf, parseIP } from '../../machinery/ip.js';
import { createRouteEntries, type RouteEntries, type RouteEntry } from './route-entries.js';
import { parseCidr } from '../../machinery/cidr.js';

/** Where this node sends a packet. */
export interface Route {
  /** To a socket of this node. */
  readonly local: boolean;
  /** The interface it leaves by; "lo" for a local one. */
  readonly link: string;
  /** Who takes it on that link, by the name that the one who delivers knows; undefined: the destination itself. */
  readonly nextHop?: string;
  /**
   * The address MASQUERADE uses: the primary one of the outgoing interface, else the node's. In IPv6 the destination itself
   * when it is one of this node (RFC 6724, rule 1).
   */
  readonly source?: string;
}

export interface LinkAddress {
  readonly link: string;
  readonly address: string;
}

/**
 * The addresses, links and routes of one node and IP family: the one place that says whether an address is this node's and
 * which way everything else goes. Netfilter and delivery both ask it.
 */
export interface RouteTable {
  readonly family: Family;
  /** The first address of a link is its primary one; the first of all is the node's. Returns what takes it away. */
  addAddress(link: string, address: string): () => void;
  /** Returns what takes it away. @throws RangeError for a destination that is no range of this family */
  add(entry: RouteEntry): () => void;
  /** The longest prefix that holds the address; undefined: no route. */
  lookup(destination: string): Route | undefined;
  isLocal(address: string): boolean;
  /** All that were added, in the order in which they are asked: the longest prefix first. */
  entries(): readonly RouteEntry[];
  addresses(): readonly LinkAddress[];
  /** Of one link, if it has any; else the node's. */
  primaryAddress(link?: string): string | undefined;
}

export const LOOPBACK_LINK = 'lo';
const LOOPBACK = { IPv4: '127.0.0.0/8', IPv6: '::1/128' } as const;

const first = (some: ReadonlySet<LinkAddress> | undefined): LinkAddress | undefined => some?.values().next().value;

/** What a table has in common with those of other nodes: everything but what leads to itself. */
export interface CommonRoutes {
  readonly entries: RouteEntries;
  /** The next hop that this node is to the others. */
  readonly self: string;
}

/** A table that knows loopback only, and what it has in common with others. */
export function createRouteTable(family: Family, common?: CommonRoutes): RouteTable {
  /** In the order in which they came, all and by link; and how often each is there. IPVS puts thousands on one link. */
  const addresses = new Set<LinkAddress>();
  const byLink = new Map<string, Set<LinkAddress>>();
  const local = new Map<string, number>();
  const own = createRouteEntries(family);
  const lengthsOf = common === undefined ? () => own.lengths : merged(() => [own.lengths, common.entries.lengths]);
  const loopback = parseCidr(LOOPBACK[family]);

  const isOthers = (entry: RouteEntry): boolean => entry.nextHop !== common?.self;
  const find = (ip: IpAddress): RouteEntry | undefined => {
    for (const length of lengthsOf()) {
      const network = networkOf(ip, length).value;
      const [mine] = own.to(length, network);
      const others = common?.entries.to(length, network).find(isOthers);
      const isBetter = mine === undefined || (others?.metric ?? 0) < (mine.metric ?? 0);
      const entry = others !== undefined && isBetter ? others : mine;
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  const isLocal = (address: string): boolean => local.has(address) || loopback?.contains(address) === true;
  const primaryAddress = (link = ''): string | undefined => (first(byLink.get(link)) ?? first(addresses))?.address;
  const withSource = (link: string): Pick<Route, 'source'> => {
    const source = primaryAddress(link);
    return source === undefined ? {} : { source };
  };

  return {
    family,
    addAddress(link, address) {
      const added = { link, address };
      const ofLink = byLink.get(link) ?? new Set<LinkAddress>();
      byLink.set(link, ofLink.add(added));
      addresses.add(added);
      local.set(address, (local.get(address) ?? 0) + 1);
      return () => {
        if (!addresses.delete(added)) return;
        ofLink.delete(added);
        const left = (local.get(address) ?? 1) - 1;
        if (left === 0) local.delete(address);
        else local.set(address, left);
      };
    },
    add: entry => own.add(entry),
    lookup(destination) {
      if (isLocal(destination)) {
        const source = family === 'IPv6' ? { source: destination } : withSource(LOOPBACK_LINK);
        return { local: true, link: LOOPBACK_LINK, ...source };
      }
      const ip = parseIP(destination);
      const entry = ip?.family === family ? find(ip) : undefined;
      if (entry === undefined) return undefined;
      const { link, nextHop } = entry;
      return { local: false, link, ...(nextHop === undefined ? {} : { nextHop }), ...withSource(link) };
    },
    isLocal,
    entries: () =>
      common === undefined
        ? own.all()
        : [...own.all(), ...common.entries.all().filter(isOthers)].sort((a, b) => prefixOf(b) - prefixOf(a)),
    addresses: () => [...addresses],
    primaryAddress,
  };
}

const prefixOf = ({ destination }: RouteEntry): number => parseCidr(destination)?.prefix ?? 0;

/** The lengths of both, the longest first; made anew when either has changed. */
function merged(both: () => readonly [readonly number[], readonly number[]]): () => readonly number[] {
  let of = both();
  let lengths: readonly number[] | undefined;
  return () => {
    const [own, others] = both();
    if (lengths === undefined || own !== of[0] || others !== of[1]) {
      of = [own, others];
      lengths = [...new Set([...own, ...others])].sort((a, b) => b - a);
    }
    return lengths;
  };
}

/** The route that takes what no other does. */
export const defaultRoute = (family: Family): string => (family === 'IPv4' ? '0.0.0.0/0' : '::/0');
