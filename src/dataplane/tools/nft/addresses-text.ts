import { parseRange } from '../../../machinery/cidr.js';
import { bitsOf, type Family, formatIP } from '../../../machinery/ip.js';
import { newPace } from '../../../machinery/pace.js';
import { type Range, union } from '../../../machinery/ranges.js';
import { atOnce } from '../../../machinery/steps.js';

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
  const texts = atOnce(
    union(
      elements.flatMap(element => parseRange(element) ?? []),
      newPace(),
    ),
  ).map(range => rangeText(range, family));
  return elements.length === 1 ? (texts[0] ?? '') : `{ ${texts.join(', ')} }`;
}
