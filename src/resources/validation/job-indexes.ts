import { quote } from '../../machinery/go-text.js';

type Parsed = { readonly total: number } | { readonly error: string };

function parseNumber(text: string, completions: number): number | { error: string } {
  if (!/^[+-]?\d+$/.test(text)) return { error: `cannot convert string to integer for index: ${quote(text)}` };
  const value = Number(text);
  return value >= completions ? { error: `too large index: ${quote(text)}` } : value;
}

/** How many indexes a text such as "0-2,5" names; they must rise and stay below `completions`. */
export function parseIndexes(text: string, completions: number): Parsed {
  let total = 0;
  let last = -1;
  if (text === '') return { total };
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2) {
      const rule = 'violates the requirement that an index interval can have at most two parts separated by';
      return { error: `the fragment ${quote(interval)} ${rule} '-'` };
    }
    const first = parseNumber(limits[0] ?? '', completions);
    if (typeof first !== 'number') return first;
    const end = limits[1] === undefined ? first : parseNumber(limits[1], completions);
    if (typeof end !== 'number') return end;
    if (limits.length === 2 && first >= end) return { error: unordered(first, end) };
    if (last >= first) return { error: unordered(last, first) };
    total += end - first + 1;
    last = end;
  }
  return { total };
}

const unordered = (previous: number, current: number): string =>
  `non-increasing order, previous: ${previous}, current: ${current}`;
