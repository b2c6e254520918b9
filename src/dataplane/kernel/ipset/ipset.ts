import { bitsOf, type Family, formatIP, networkOf, parseIP } from '../../../machinery/ip.js';
import type { Tuple } from '../../packet.js';
import { entryKey } from './entry.js';
import type { SetSide, SetType } from './types.js';

/** One set of addresses and ports. A packet costs one look, with ranges one look per prefix length. */
export interface Ipset {
  readonly name: string;
  readonly type: SetType;
  readonly family: Family;
  /** What the hash of this set begins with; a number of 32 bits. */
  readonly initval: number;
  /** In the form of `entryKey`, in no order that means anything. */
  readonly entries: ReadonlySet<string>;
  add(entry: string): void;
  remove(entry: string): void;
  test(packet: Tuple, sides: readonly SetSide[]): boolean;
}

/** ipset's default maxelem; bitmaps of ports have as many places. */
export const MAX_ELEMENTS = 65_536;

const addressAt = (packet: Tuple, side: SetSide | undefined): string => (side === 'src' ? packet.src : packet.dst);
const portAt = (packet: Tuple, side: SetSide | undefined): number => (side === 'src' ? packet.srcPort : packet.dstPort);

export interface IpsetOptions {
  readonly name: string;
  readonly type: SetType;
  readonly family: Family;
  readonly initval: number;
}

export function createIpset({ name, type, family, initval }: IpsetOptions): Ipset {
  const entries = new Set<string>();
  /** Of sets of ranges: how many entries have each prefix length. */
  const lengths = new Map<number, number>();

  function countLength(key: string, by: number): void {
    if (type !== 'hash:ip,port,net') return;
    const length = Number(key.slice(key.lastIndexOf('/') + 1));
    const left = (lengths.get(length) ?? 0) + by;
    if (left === 0) lengths.delete(length);
    else lengths.set(length, left);
  }

  function holdsRange(first: string, address: string): boolean {
    const ip = parseIP(address);
    if (ip === undefined) return false;
    for (const length of lengths.keys())
      if (entries.has(`${first},${formatIP(networkOf(ip, length))}/${length}`)) return true;
    return false;
  }

  function test(packet: Tuple, sides: readonly SetSide[]): boolean {
    const ip = addressAt(packet, sides[0]);
    const ipPort = (): string => `${ip},${packet.protocol}:${portAt(packet, sides[1])}`;
    switch (type) {
      case 'bitmap:port':
        return entries.has(String(portAt(packet, sides[0])));
      case 'hash:ip':
        return entries.has(ip);
      case 'hash:ip,port':
        return entries.has(ipPort());
      case 'hash:ip,port,ip':
        return entries.has(`${ipPort()},${addressAt(packet, sides[2])}`);
      case 'hash:ip,port,net':
        return holdsRange(ipPort(), addressAt(packet, sides[2]));
      default:
        return type satisfies never;
    }
  }

  return {
    name,
    type,
    family,
    initval,
    entries,
    add(entry) {
      const key = entryKey(type, entry);
      // ipset refuses what is too much; kube-proxy says so in its log and goes on.
      if (entries.has(key) || entries.size >= MAX_ELEMENTS) return;
      entries.add(key);
      countLength(key, 1);
    },
    remove(entry) {
      const key = entryKey(type, entry);
      if (entries.delete(key)) countLength(key, -1);
    },
    test,
  };
}

/** The entry as ipset lists it: a range of one address is that address. */
export const entryText = ({ family }: Ipset, key: string): string => {
  const whole = `/${bitsOf(family)}`;
  return key.endsWith(whole) ? key.slice(0, -whole.length) : key;
};
