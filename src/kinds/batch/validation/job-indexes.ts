import { quote } from '../../../machinery/go-text.js';

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

/** The intervals of a text that can be read; what cannot is left to `parseIndexes`. */
const intervals = (text: string, completions: number): readonly (readonly [number, number])[] =>
  text.split(',').flatMap(interval => {
    if ('error' in parseIndexes(interval, completions) || interval === '') return [];
    const [first = '', last = first] = interval.split('-');
    return [[Number(first), Number(last)] as const];
  });

/** The first index that both texts name. */
export function overlap(a: string, b: string, completions: number): number | undefined {
  const [left, right] = [intervals(a, completions), intervals(b, completions)];
  for (let i = 0, k = 0; ;) {
    const [x, y] = [left[i], right[k]];
    if (x === undefined || y === undefined) return undefined;
    if (x[0] <= y[1] && y[0] <= x[1]) return Math.max(x[0], y[0]);
    if (x[0] <= y[0]) i++;
    else k++;
  }
}
