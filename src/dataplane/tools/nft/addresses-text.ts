import { bitsOf, type Family, formatIP } from '../../../machinery/ip.js';
import { type AddressRange, parseRange } from '../../kernel/nftables/ranges.js';

type Range = Pick<AddressRange, 'first' | 'last'>;

/** Addresses, CIDRs and ranges in ascending order; what overlaps or follows each other without a gap is one range. */
function merged(elements: readonly string[]): Range[] {
  const ranges = elements
    .flatMap((element): Range | [] => parseRange(element) ?? [])
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const result: Range[] = [];
  for (const range of ranges) {
    const before = result.at(-1);
    if (before !== undefined && range.first <= before.last + 1n)
      result[result.length - 1] = { first: before.first, last: range.last > before.last ? range.last : before.last };
    else result.push(range);
  }
  return result;
}

/** As nft lists it: an address, a CIDR, or a range that is none. */
function rangeText({ first, last }: Range, family: Family): string {
  const address = (value: bigint): string => formatIP({ family, value });
  if (first === last) return address(first);
  const size = last - first + 1n;
  const isCidr = (size & (size - 1n)) === 0n && first % size === 0n;
  if (!isCidr) return `${address(first)}-${address(last)}`;
  return `${address(first)}/${bitsOf(family) - (size.toString(2).length - 1)}`;
}

/** The addresses of a rule as nft lists them: a lone one without braces, others sorted and merged. */
export function listedAddresses(elements: readonly string[], family: Family): string {
  const texts = merged(elements).map(range => rangeText(range, family));
  return elements.length === 1 ? (texts[0] ?? '') : `{ ${texts.join(', ')} }`;
}
