import { parseCidr } from '../../machinery/cidr.js';
import { type Family as IpFamily, formatIP } from '../../machinery/ip.js';
import { parseLegacyIp } from '../../machinery/legacy-ip.js';

export type { IpFamily };

/** The texts that upstream's ipallocator returns; callers put them behind "failed to allocate IP x: ". */
export const IP_ALLOCATED = 'provided IP is already allocated';
export const IP_NOT_IN_RANGE = 'the provided network does not match the current range';
export const IP_RANGE_FULL = 'range is full';

export class AllocationError extends Error {
  override readonly name = 'AllocationError';
}

/** Whether somebody has the value. */
export type IsTaken<T> = (value: T) => boolean;

/** Chooses addresses of one Service CIDR. Which of them are taken is not known here. */
export interface IpAllocator {
  readonly family: IpFamily;
  /** The network address, which is what a dry run shows instead of a real one. */
  readonly network: string;
  /** The first usable address, kept for default/kubernetes. */
  readonly first: string;
  contains(ip: string): boolean;
  /** @throws AllocationError when this address cannot be had */
  check(ip: string, isTaken: IsTaken<string>): void;
  /** A random free address. @throws AllocationError when there is none */
  next(isTaken: IsTaken<string>): string;
}

/** At most this many offsets are random-accessed: a /64 has more than a number can count. */
const MAX_SIZE = 2 ** 48;

/**
 * Addresses given by name mostly come from the low band, random ones from the high band, so that they rarely collide:
 * https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
 * `random(n)` gives an integer in [0, n).
 * @throws RangeError when `cidr` is none
 */
export function createIpAllocator(cidr: string, random: (n: number) => number): IpAllocator {
  const range = parseCidr(cidr);
  if (range === undefined) throw new RangeError(`${cidr} is no CIDR`);
  const { family, network, first: base, last } = range;
  // Neither the network address nor, for IPv4, the broadcast address can be given out.
  const usable = last - base + 1n - (family === 'IPv4' ? 2n : 1n);
  const size = Math.min(Math.max(0, Number(usable)), MAX_SIZE);
  // Upstream: min(max(16, size/16), 256), nothing for tiny ranges.
  const staticBand = size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256);
  /** As it is printed; undefined: none of this range. */
  const ownText = (ip: string): string | undefined => {
    const parsed = parseLegacyIp(ip);
    const offset = parsed?.family === family ? parsed.value - base - 1n : -1n;
    return parsed === undefined || offset < 0n || offset >= usable ? undefined : formatIP(parsed);
  };
  const textOf = (offset: number): string => formatIP({ family, value: base + 1n + BigInt(offset) });

  /** A free address at an offset in [from, from+length), looked for from a random one on; undefined: the band is full. */
  const findFree = (from: number, length: number, isTaken: IsTaken<string>): string | undefined => {
    if (length <= 0) return undefined;
    const start = random(length);
    for (let i = 0; i < length; i++) {
      const ip = textOf(from + ((start + i) % length));
      if (!isTaken(ip)) return ip;
    }
    return undefined;
  };

  return {
    family,
    network,
    first: textOf(0),
    contains: ip => ownText(ip) !== undefined,
    check(ip, isTaken) {
      const text = ownText(ip);
      if (text === undefined) throw new AllocationError(IP_NOT_IN_RANGE);
      if (isTaken(text)) throw new AllocationError(IP_ALLOCATED);
    },
    next(isTaken) {
      const ip = findFree(staticBand, size - staticBand, isTaken) ?? findFree(0, staticBand, isTaken);
      if (ip === undefined) throw new AllocationError(IP_RANGE_FULL);
      return ip;
    },
  };
}
