import type { Steps } from './steps.js';

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

/** Items between two rests. */
export const ITEMS_PER_STEP = 500;

export function* partition(items: readonly unknown[], by: readonly unknown[], key: ItemKey): Steps<Partition> {
  const names = new Set<unknown>();
  for (const [i, item] of by.entries()) {
    names.add(key(item));
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
  }
  const named: unknown[] = [];
  const others: unknown[] = [];
  for (const [i, item] of items.entries()) {
    (names.has(key(item)) ? named : others).push(item);
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
  }
  return { named, others };
}

/** Distinct primitives. A duplicate's place is taken by the last item, as upstream's algorithm has it. */
export function* deduplicate(items: readonly unknown[]): Steps<unknown[]> {
  const list = [...items];
  let last = list.length - 1;
  const places = new Map<unknown, number[]>();
  const note = (i: number): void => {
    const known = places.get(list[i]);
    if (known === undefined) places.set(list[i], [i]);
    else known.push(i);
  };
  for (let i = 0; i < list.length; i++) {
    note(i);
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
  }
  for (let i = 0; i < last; i++) {
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
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
export function* normalizeOrder(
  { named, others }: Partition,
  order: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): Steps<unknown[]> {
  const keyOf: ItemKey = item =>
    mergeKey === ''
      ? item
      : typeof item === 'object' && item !== null
        ? (item as Record<string, unknown>)[mergeKey]
        : null;
  const inLive = yield* positions(live, keyOf);
  const left = yield* sortBy(others, inLive, keyOf);
  const right = yield* sortBy(named, yield* positions(order, keyOf), keyOf);
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    if (out.length % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
    const l = inLive.get(keyOf(left[i]));
    const r = inLive.get(keyOf(right[j]));
    out.push(l !== undefined && r !== undefined && l < r ? left[i++] : right[j++]);
  }
  while (i < left.length) out.push(left[i++]);
  while (j < right.length) out.push(right[j++]);
  return out;
}

/** The first place of each key. */
function* positions(list: readonly unknown[], keyOf: ItemKey): Steps<Map<unknown, number>> {
  const found = new Map<unknown, number>();
  for (const [i, item] of list.entries()) {
    const key = keyOf(item);
    if (!found.has(key)) found.set(key, i);
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
  }
  return found;
}

/** By place in the ordering list; items it does not have come first. */
function* sortBy(items: readonly unknown[], places: Map<unknown, number>, keyOf: ItemKey): Steps<unknown[]> {
  const placed: { readonly item: unknown; readonly at: number }[] = [];
  let inOrder = true;
  let before = -1;
  for (const item of items) {
    const at = places.get(keyOf(item)) ?? -1;
    if (at < before) inOrder = false;
    before = at;
    if (placed.push({ item, at }) % ITEMS_PER_STEP === 0) yield;
  }
  if (inOrder) return [...items];
  placed.sort((a, b) => a.at - b.at);
  yield;
  return placed.map(({ item }) => item);
}
