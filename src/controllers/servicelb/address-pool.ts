import { isWithin } from '../../machinery/address-range.js';
import { parseCidr } from '../../machinery/cidr.js';
import { type Family, formatIP, parseIP } from '../../machinery/ip.js';

/** The addresses of a range: each has one holder at most, and no holder has two. */
export interface AddressPool {
  readonly range: string;
  readonly family: Family;
  contains(address: string): boolean;
  isFree(address: string): boolean;
  readonly isFull: boolean;
  addressOf(holder: string): string | undefined;
  /** What the holder had before is free then. False: the address is another's, or not of this pool. */
  take(holder: string, address: string): boolean;
  /** undefined: the pool is full. */
  takeLowest(holder: string): string | undefined;
  /** Whether the holder had one. */
  release(holder: string): boolean;
}

/**
 * The first and the last address, which name a network and all of its hosts, are given to nobody where there are others.
 * @throws RangeError for a range that is no CIDR
 */
export function createAddressPool(cidr: string): AddressPool {
  const range = parseCidr(cidr);
  if (range === undefined) throw new RangeError(`load balancer CIDR ${cidr} is no range of addresses`);
  const { family, text } = range;
  const margin = range.last - range.first > 1n ? 1n : 0n;
  const [first, last] = [range.first + margin, range.last - margin];
  const holders = new Map<bigint, string>();
  const addresses = new Map<string, bigint>();
  /** Nothing below is free. */
  let lowest = first;

  const valueOf = (address: string): bigint | undefined => {
    const ip = parseIP(address);
    return ip !== undefined && isWithin({ family, first, last }, ip) ? ip.value : undefined;
  };
  const printed = (value: bigint): string => formatIP({ family, value });
  const release = (holder: string): boolean => {
    const value = addresses.get(holder);
    if (value === undefined) return false;
    addresses.delete(holder);
    holders.delete(value);
    if (value < lowest) lowest = value;
    return true;
  };
  const give = (holder: string, value: bigint): void => {
    release(holder);
    holders.set(value, holder);
    addresses.set(holder, value);
  };
  return {
    range: text,
    family,
    contains: address => valueOf(address) !== undefined,
    isFree(address) {
      const value = valueOf(address);
      return value !== undefined && !holders.has(value);
    },
    get isFull() {
      return BigInt(holders.size) > last - first;
    },
    addressOf(holder) {
      const value = addresses.get(holder);
      return value === undefined ? undefined : printed(value);
    },
    take(holder, address) {
      const value = valueOf(address);
      if (value === undefined || (holders.get(value) ?? holder) !== holder) return false;
      give(holder, value);
      return true;
    },
    takeLowest(holder) {
      while (holders.has(lowest)) lowest++;
      if (lowest > last) return undefined;
      const value = lowest;
      give(holder, value);
      return printed(value);
    },
    release,
  };
}
