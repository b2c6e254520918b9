import { ipv4ToNumber, numberToIPv4, type Cidr } from './ip.js';

export interface IpAllocator {
  /** The next free address, or undefined when the range is used up. */
  allocate(): string | undefined;
  /** Marks an address that is already in use, e.g. of a Pod known from before a restart. */
  reserve(address: string): void;
  release(address: string): void;
}

/**
 * Pod addresses of one node, as the host-local CNI plugin gives them: next-fit, so that an address freed a moment ago
 * is not handed to another Pod at once; the network, gateway and broadcast addresses are left out.
 */
export function createIpAllocator(range: Cidr): IpAllocator {
  const used = new Set<number>();
  const first = range.base + 2;
  const last = range.base + range.size - 2;
  let next = first;
  return {
    allocate() {
      for (let tried = first; tried <= last; tried++) {
        const candidate = next;
        next = next >= last ? first : next + 1;
        if (used.has(candidate)) continue;
        used.add(candidate);
        return numberToIPv4(candidate);
      }
      return undefined;
    },
    reserve(address) {
      const value = ipv4ToNumber(address);
      if (value === undefined || value < first || value > last) return;
      used.add(value);
      if (value >= next) next = value >= last ? first : value + 1;
    },
    release(address) {
      const value = ipv4ToNumber(address);
      if (value !== undefined) used.delete(value);
    },
  };
}
