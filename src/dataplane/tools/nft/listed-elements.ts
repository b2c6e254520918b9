import { compareText } from '../../../machinery/compare-text.js';
import { parseIP } from '../../../machinery/ip.js';
import type { NftElement } from '../../kernel/nftables/rule.js';
import type { LoadedSet } from '../../kernel/nftables/table.js';

/** Addresses in the order of their values, ports by number, the rest as text. */
function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [i, part] of a.entries()) {
    const other = b[i] ?? '';
    if (part === other) continue;
    const [x, y] = [parseIP(part)?.value, parseIP(other)?.value];
    if (x !== undefined && y !== undefined) return x < y ? -1 : 1;
    return Number(part) - Number(other) || compareText(part, other);
  }
  return 0;
}

/** What was written into the set, as it is listed. */
export const writtenElements = ({ elements }: LoadedSet): NftElement[] =>
  [...elements.values()].sort((a, b) => compareKeys(a.key, b.key));

/** What packets have taught it and it has not forgotten: the key, and for how many milliseconds still. */
export const learnedElements = ({ learned }: LoadedSet, now: number): (readonly [key: string, left: number])[] =>
  [...learned]
    .filter(([, expires]) => expires > now)
    .sort(([a], [b]) => compareKeys([a], [b]))
    .map(([key, expires]) => [key, expires - now]);
