import { isDue, type Pace } from './pace.js';
import type { Steps } from './steps.js';

/** So many are sorted at once. */
const RUN = 500;

/** As toSorted, stable too: short runs are sorted at once, then merged two by two with rests. */
export function* sortSteps<T>(list: readonly T[], compare: (a: T, b: T) => number, pace: Pace): Steps<T[]> {
  let runs: T[][] = [];
  for (let i = 0; i < list.length; i += RUN) {
    runs.push(list.slice(i, i + RUN).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left = [], right] = [runs[i], runs[i + 1]];
      merged.push(right === undefined ? left : yield* merge(left, right, compare, pace));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<T>(left: readonly T[], right: readonly T[], compare: (a: T, b: T) => number, pace: Pace): Steps<T[]> {
  const out: T[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    if (isDue(pace)) yield;
    const [a, b] = [left[i] as T, right[j] as T];
    if (compare(a, b) <= 0) {
      out.push(a);
      i++;
    } else {
      out.push(b);
      j++;
    }
  }
  for (; i < left.length; i++) out.push(left[i] as T);
  for (; j < right.length; j++) out.push(right[j] as T);
  return out;
}
