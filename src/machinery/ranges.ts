import { isDue, type Pace } from './pace.js';
import { sortSteps } from './sort-steps.js';
import type { Steps } from './steps.js';

/** Numbers from one to another, both included: addresses or ports. */
export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

const byFirst = (a: Range, b: Range): number => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0);

/** The same numbers in ranges that are sorted and do not touch each other. */
export function* union(ranges: readonly Range[], pace: Pace): Steps<Range[]> {
  const out: Range[] = [];
  for (const range of yield* sortSteps(ranges, byFirst, pace)) {
    if (isDue(pace)) yield;
    const before = out.at(-1);
    if (before === undefined || before.last + 1n < range.first) out.push(range);
    else if (range.last > before.last) out[out.length - 1] = { first: before.first, last: range.last };
  }
  return out;
}

/** What a range has beside the holes, which are a union. Added to `out`, of which there may be very much. */
export function* without({ first, last }: Range, holes: readonly Range[], out: Range[], pace: Pace): Steps<void> {
  let next = first;
  for (const hole of holes) {
    if (isDue(pace)) yield;
    if (hole.first > last) break;
    if (hole.first > next) out.push({ first: next, last: hole.first - 1n });
    if (hole.last >= next) next = hole.last + 1n;
  }
  if (next <= last) out.push({ first: next, last });
}

/** Whether a number is in one of the ranges of a union. */
export function holds(ranges: readonly Range[], value: bigint): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle] as Range;
    if (value < range.first) high = middle;
    else if (value > range.last) low = middle + 1;
    else return true;
  }
  return false;
}
