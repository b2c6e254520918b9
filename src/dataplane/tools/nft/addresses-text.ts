import { parseRange } from '../../../machinery/cidr.js';
import { bitsOf, type Family, formatIP } from '../../../machinery/ip.js';
import { newPace } from '../../../machinery/pace.js';
import { type Range, union } from '../../../machinery/ranges.js';
import { atOnce } from '../../../machinery/steps.js';

/** As nft lists it: an address, a CIDR, or a range that is none. */
export type ListedRange =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'prefix'; readonly address: string; readonly length: number }
  | { readonly kind: 'range'; readonly first: string; readonly last: string };

function listedRange({ first, last }: Range, family: Family): ListedRange {
  const address = formatIP({ family, value: first });
  if (first === last) return { kind: 'address', address };
  const size = last - first + 1n;
  const isCidr = (size & (size - 1n)) === 0n && first % size === 0n;
  return isCidr
    ? { kind: 'prefix', address, length: bitsOf(family) - (size.toString(2).length - 1) }
    : { kind: 'range', first: address, last: formatIP({ family, value: last }) };
}

/** As it is written. */
export function givenRange(element: string): ListedRange {
  const [address = '', length] = element.split('/');
  if (length !== undefined) return { kind: 'prefix', address, length: Number(length) };
  const [first = '', last] = element.split('-');
  return last === undefined ? { kind: 'address', address } : { kind: 'range', first, last };
}

/** The addresses of a rule as nft lists them: sorted and merged. */
export const listedRanges = (elements: readonly string[], family: Family): ListedRange[] =>
  atOnce(
    union(
      elements.flatMap(element => parseRange(element) ?? []),
      newPace(),
    ),
  ).map(range => listedRange(range, family));

function rangeText(range: ListedRange): string {
  switch (range.kind) {
    case 'address':
      return range.address;
    case 'prefix':
      return `${range.address}/${range.length}`;
    case 'range':
      return `${range.first}-${range.last}`;
  }
}

/** A lone one stands without braces. */
export function listedAddresses(elements: readonly string[], family: Family): string {
  const texts = listedRanges(elements, family).map(rangeText);
  return elements.length === 1 ? (texts[0] ?? '') : `{ ${texts.join(', ')} }`;
}
