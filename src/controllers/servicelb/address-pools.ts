import { createAddressPool, type AddressPool } from './address-pool.js';

/** A pool, or one of each family. */
export interface AddressPools {
  readonly all: readonly AddressPool[];
  /** As text: "172.18.255.0/24, fd00:18:ff::/120". */
  readonly ranges: string;
  /** Those of the families, in their order; without families all. */
  of(families: readonly string[] | undefined): AddressPool[];
  /** What the holder has of any. */
  addressesOf(holder: string): string[];
  /** Whether the holder had any. */
  release(holder: string): boolean;
}

/** @throws RangeError for a text that is no range, or no list of ranges */
export function createAddressPools(cidrs: string): AddressPools {
  const all = cidrs.split(',').map(createAddressPool);
  return {
    all,
    ranges: all.map(({ range }) => range).join(', '),
    of: families =>
      families === undefined || families.length === 0
        ? [...all]
        : families.flatMap(family => all.find(pool => pool.family === family) ?? []),
    addressesOf: holder => all.flatMap(pool => pool.addressOf(holder) ?? []),
    release: holder => all.filter(pool => pool.release(holder)).length > 0,
  };
}
