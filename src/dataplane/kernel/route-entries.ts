import { parseCidr } from '../../machinery/cidr.js';
import type { Family } from '../../machinery/ip.js';

export interface RouteEntry {
  /** CIDR, or a lone address. */
  readonly destination: string;
  readonly link: string;
  readonly nextHop?: string;
  /** Of two entries for one destination the lower is taken. Default 0. */
  readonly metric?: number;
}

/** Routes by their destination. The tables of several nodes may have some in common. */
export interface RouteEntries {
  /** Returns what takes it away. @throws RangeError for a destination that is no range of this family */
  add(entry: RouteEntry): () => void;
  /** The lengths of the prefixes that there are, the longest first. Another array when they have changed. */
  readonly lengths: readonly number[];
  /** Those to a network, the lowest metric first. */
  to(length: number, network: bigint): readonly RouteEntry[];
  all(): readonly RouteEntry[];
}

const NONE: readonly RouteEntry[] = [];

/** By prefix length, then by network: a packet costs one look per length, however many nodes there are. */
export function createRouteEntries(family: Family): RouteEntries {
  let lengths: readonly number[] = [];
  const byLength = new Map<number, Map<bigint, RouteEntry[]>>();
  return {
    add(entry) {
      const cidr = parseCidr(entry.destination);
      if (cidr?.family !== family) throw new RangeError(`${entry.destination} is no ${family} range`);
      const known = byLength.get(cidr.prefix);
      const networks = known ?? new Map<bigint, RouteEntry[]>();
      if (known === undefined) {
        byLength.set(cidr.prefix, networks);
        lengths = [...byLength.keys()].sort((a, b) => b - a);
      }
      const entries = [...(networks.get(cidr.first) ?? []), entry];
      networks.set(
        cidr.first,
        entries.sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0)),
      );
      return () => {
        const left = (networks.get(cidr.first) ?? []).filter(one => one !== entry);
        if (left.length > 0) networks.set(cidr.first, left);
        else networks.delete(cidr.first);
        if (networks.size > 0 || byLength.get(cidr.prefix) !== networks) return;
        byLength.delete(cidr.prefix);
        lengths = lengths.filter(length => length !== cidr.prefix);
      };
    },
    get lengths() {
      return lengths;
    },
    to: (length, network) => byLength.get(length)?.get(network) ?? NONE,
    all: () => lengths.flatMap(length => [...(byLength.get(length)?.values() ?? [])].flat()),
  };
}
