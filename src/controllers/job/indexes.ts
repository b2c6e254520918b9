/** Completion indexes as ordered, disjoint, non-adjacent intervals (job/indexed_job_utils.go). */
export type Indexes = readonly (readonly [first: number, last: number])[];

export const NO_INDEXES: Indexes = [];

/** "1,3-5,7"; what is beyond `completions`, or is no list of indexes, does not count. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  const found: number[][] = [];
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
    if (first <= last) found.push([first, last]);
  }
  return merge(found as [number, number][]);
}

function merge(intervals: readonly (readonly [number, number])[]): Indexes {
  const merged: [number, number][] = [];
  for (const [first, last] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export const withIndexes = (indexes: Indexes, more: readonly number[]): Indexes =>
  more.length === 0 ? indexes : merge([...indexes, ...more.map(index => [index, index] as const)]);

/** Two in a row are written "1,2", three "1-3". */
export const formatIndexes = (indexes: Indexes): string =>
  indexes
    .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`))
    .join(',');

export const countIndexes = (indexes: Indexes): number =>
  indexes.reduce((total, [first, last]) => total + last - first + 1, 0);

export function hasIndex(indexes: Indexes, index: number): boolean {
  let [low, high] = [0, indexes.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last] = indexes[middle] ?? [0, -1];
    if (index < first) high = middle - 1;
    else if (index > last) low = middle + 1;
    else return true;
  }
  return false;
}

/** How many of `wanted` are there. */
export function countCommon(indexes: Indexes, wanted: Indexes): number {
  let total = 0;
  for (const [first, last] of wanted)
    for (const [a, b] of indexes) total += Math.max(0, Math.min(b, last) - Math.max(a, first) + 1);
  return total;
}
