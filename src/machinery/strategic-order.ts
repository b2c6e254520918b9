/**
 * The order of merged lists: what $setElementOrder (or else the patch) says, then the order of the live list.
 * Source: apimachinery pkg/util/strategicpatch/patch.go, normalizeElementOrder.
 */

export type ItemKey = (item: unknown) => unknown;

export interface Partition {
  /** Items that the ordering list names. */
  readonly named: readonly unknown[];
  readonly others: readonly unknown[];
}

export function partition(items: readonly unknown[], by: readonly unknown[], key: ItemKey): Partition {
  const names = new Set(by.map(key));
  return { named: items.filter(item => names.has(key(item))), others: items.filter(item => !names.has(key(item))) };
}

/** Distinct primitives. A duplicate's place is taken by the last item, as upstream's algorithm has it. */
export function deduplicate(items: readonly unknown[]): unknown[] {
  const list = [...items];
  let last = list.length - 1;
  const places = new Map<unknown, number[]>();
  const note = (i: number): void => {
    const known = places.get(list[i]);
    if (known === undefined) places.set(list[i], [i]);
    else known.push(i);
  };
  list.forEach((_, i) => note(i));
  for (let i = 0; i < last; i++) {
    const item = list[i];
    const found = places.get(item) ?? [];
    if (found.length < 2) continue;
    for (const j of found.sort((a, b) => a - b)) {
      if (j <= i) continue;
      while (j <= last && list[j] === item) {
        list[j] = list[last];
        list.length = last--;
      }
      if (j <= last) note(j);
    }
  }
  return list;
}

/** `mergeKey` "" means primitives. */
export function normalizeOrder(
  { named, others }: Partition,
  order: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const keyOf: ItemKey = item =>
    mergeKey === ''
      ? item
      : typeof item === 'object' && item !== null
        ? (item as Record<string, unknown>)[mergeKey]
        : null;
  const positions = (list: readonly unknown[]): Map<unknown, number> => {
    const found = new Map<unknown, number>();
    list.forEach((item, i) => {
      if (!found.has(keyOf(item))) found.set(keyOf(item), i);
    });
    return found;
  };
  const inLive = positions(live);
  const left = sortBy(others, positions(live), keyOf);
  const right = sortBy(named, positions(order), keyOf);
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const l = inLive.get(keyOf(left[i]));
    const r = inLive.get(keyOf(right[j]));
    out.push(l !== undefined && r !== undefined && l < r ? left[i++] : right[j++]);
  }
  return [...out, ...left.slice(i), ...right.slice(j)];
}

/** By place in the ordering list; items it does not have come first. */
function sortBy(items: readonly unknown[], positions: Map<unknown, number>, keyOf: ItemKey): unknown[] {
  return items
    .map(item => ({ item, at: positions.get(keyOf(item)) ?? -1 }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
