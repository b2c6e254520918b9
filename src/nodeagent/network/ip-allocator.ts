import { type Cidr } from '../../machinery/cidr.js';
import { formatIP, parseIP } from '../../machinery/ip.js';
import type { Addresses } from '../../containers/network/types.js';

export interface IpAllocator {
  /** The next free addresses, one of each range, or undefined when one of the ranges is used up. */
  allocate(): Addresses | undefined;
  /** Marks an address that is already in use, e.g. of a Pod known from before a restart. */
  reserve(address: string): void;
  release(address: string): void;
}

/** The addresses of one range. */
interface Pool {
  allocate(): bigint | undefined;
  reserve(value: bigint): void;
  release(value: bigint): void;
}

/**
 * Pod addresses of one node, one of each of its ranges, as the host-local CNI plugin gives them: next-fit, so that an
 * address freed a moment ago is not handed to another Pod at once; the network, gateway and broadcast addresses are left out.
 */
export function createIpAllocator(ranges: readonly Cidr[]): IpAllocator {
  const pools = ranges.map(range => ({ family: range.family, pool: createPool(range) }));
  const each = (address: string, act: (pool: Pool, value: bigint) => void): void => {
    const ip = parseIP(address);
    if (ip === undefined) return;
    for (const { family, pool } of pools) if (family === ip.family) act(pool, ip.value);
  };
  return {
    allocate() {
      const found = pools.flatMap(({ family, pool }) => {
        const value = pool.allocate();
        return value === undefined ? [] : [{ family, pool, value }];
      });
      const [first, ...rest] = found.map(formatIP);
      if (first !== undefined && found.length === pools.length) return [first, ...rest];
      for (const { pool, value } of found) pool.release(value);
      return undefined;
    },
    reserve: address => each(address, (pool, value) => pool.reserve(value)),
    release: address => each(address, (pool, value) => pool.release(value)),
  };
}

function createPool(range: Cidr): Pool {
  const used = new Set<bigint>();
  const first = range.first + 2n;
  const last = range.last - 1n;
  let from = first;
  const after = (value: bigint): bigint => (value >= last ? first : value + 1n);
  return {
    allocate() {
      for (let tried = 0n; tried <= last - first; tried++) {
        const candidate = from;
        from = after(candidate);
        if (used.has(candidate)) continue;
        used.add(candidate);
        return candidate;
      }
      return undefined;
    },
    reserve(value) {
      if (value < first || value > last) return;
      used.add(value);
      if (value >= from) from = after(value);
    },
    release: value => void used.delete(value),
  };
}
