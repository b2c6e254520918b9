import type { Addresses } from '../containers/network/types.js';
import { parsePrefix } from '../machinery/cidr.js';
import { type Family, familyOf } from '../machinery/ip.js';
import { invalidArgument } from './process.js';

const areOfDifferentFamilies = (families: readonly (Family | undefined)[]): boolean =>
  !families.includes(undefined) && new Set(families).size === families.length;

/** @throws FlagError */
export function addressFlag(name: string, value: string): string {
  if (familyOf(value) === undefined) throw invalidArgument(name, value, 'want an IP address');
  return value;
}

/** One address, or one of each family, comma separated. @throws FlagError */
export function addressesFlag(name: string, value: string): Addresses {
  const [first = '', ...others] = value.split(',');
  if (!areOfDifferentFamilies([first, ...others].map(familyOf)))
    throw invalidArgument(name, value, 'want an IP address, or one of each family');
  return [first, ...others];
}

/** One range, or one of each family, comma separated; empty: none. @throws FlagError */
export function cidrsFlag(name: string, value: string): readonly string[] {
  const ranges = value === '' ? [] : value.split(',');
  if (!areOfDifferentFamilies(ranges.map(range => parsePrefix(range)?.ip.family)))
    throw invalidArgument(name, value, 'want a CIDR, or one of each IP family');
  return ranges;
}
