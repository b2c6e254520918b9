import { parseCidr } from '../../machinery/cidr.js';
import { bitsOf, formatIP } from '../../machinery/ip.js';

/** Hands out equal slices of one range, lowest first. */
export interface CidrSet {
  /** Marks a slice as taken; false when it is not one of this set's. */
  occupy(cidr: string): boolean;
  /** undefined: the range is full. */
  allocate(): string | undefined;
  release(cidr: string): void;
}

/** @throws RangeError for a range that is no CIDR or is smaller than a slice */
export function createCidrSet(clusterCidr: string, maskSize: number): CidrSet {
  const range = parseCidr(clusterCidr);
  if (range === undefined || range.prefix > maskSize || maskSize > bitsOf(range.family) - 2)
    throw new RangeError(`cluster CIDR ${clusterCidr} cannot be divided into /${maskSize} ranges`);
  const { family, first } = range;
  const size = 1n << BigInt(bitsOf(family) - maskSize);
  const count = 2 ** (maskSize - range.prefix);
  const taken = new Set<number>();
  const indexOf = (text: string): number | undefined => {
    const cidr = parseCidr(text);
    return cidr?.prefix === maskSize && range.contains(cidr.network) ? Number((cidr.first - first) / size) : undefined;
  };
  return {
    occupy(cidr) {
      const index = indexOf(cidr);
      if (index !== undefined) taken.add(index);
      return index !== undefined;
    },
    allocate() {
      for (let index = 0; index < count; index++) {
        if (taken.has(index)) continue;
        taken.add(index);
        return `${formatIP({ family, value: first + BigInt(index) * size })}/${maskSize}`;
      }
      return undefined;
    },
    release(cidr) {
      const index = indexOf(cidr);
      if (index !== undefined) taken.delete(index);
    },
  };
}
