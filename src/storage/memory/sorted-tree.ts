import { compareKeys } from '../key-order.js';
import type { KeyValue } from '../kv-store.js';

/**
 * A persistent B+ tree of KeyValues: a change copies the few nodes on its way to the root and leaves every older root
 * as it was, so that each revision is one root and reading it costs the same as reading the newest.
 */
export type Tree = Leaf | Branch;

interface Leaf {
  readonly items: readonly KeyValue[];
  readonly children?: undefined;
  readonly count: number;
}

interface Branch {
  readonly children: readonly Tree[];
  /** Smallest key of each child. */
  readonly firsts: readonly string[];
  /** Items below. */
  readonly count: number;
}

const MAX = 32;
const MIN = 8;

export const emptyTree: Tree = { items: [], count: 0 };

const leaf = (items: readonly KeyValue[]): Leaf => ({ items, count: items.length });
const branch = (children: readonly Tree[]): Branch => ({
  children,
  firsts: children.map(firstKey),
  count: children.reduce((sum, child) => sum + child.count, 0),
});

const firstKey = (node: Tree): string =>
  node.children === undefined ? (node.items[0]?.key ?? '') : (node.firsts[0] ?? '');

/** How many of the sorted `keys` are less than `key` (or equal, when `orEqual`). */
function lowerBound<T>(items: readonly T[], keyOf: (item: T) => string, key: string, orEqual: boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareKeys(keyOf(items[middle] as T), key);
    if (order < 0 || (orEqual && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const itemKey = (item: KeyValue): string => item.key;
const same = (key: string): string => key;
const childIndex = (node: Branch, key: string): number => Math.max(0, lowerBound(node.firsts, same, key, true) - 1);

export function find(tree: Tree, key: string): KeyValue | undefined {
  let node = tree;
  while (node.children !== undefined) node = node.children[childIndex(node, key)] as Tree;
  const item = node.items[lowerBound(node.items, itemKey, key, false)];
  return item?.key === key ? item : undefined;
}

export function put(tree: Tree, item: KeyValue): Tree {
  const nodes = putInto(tree, item);
  return nodes.length === 1 ? (nodes[0] as Tree) : branch(nodes);
}

function putInto(node: Tree, item: KeyValue): Tree[] {
  if (node.children === undefined) {
    const at = lowerBound(node.items, itemKey, item.key, false);
    const items = node.items.toSpliced(at, node.items[at]?.key === item.key ? 1 : 0, item);
    return split(items).map(leaf);
  }
  const at = childIndex(node, item.key);
  const children = node.children.toSpliced(at, 1, ...putInto(node.children[at] as Tree, item));
  return split(children).map(branch);
}

function split<T>(entries: readonly T[]): (readonly T[])[] {
  if (entries.length <= MAX) return [entries];
  // Keys mostly arrive in order (generated names, events), so the left half is kept fuller.
  const at = Math.floor((entries.length * 2) / 3);
  return [entries.slice(0, at), entries.slice(at)];
}

/** The same tree when the key is not there. */
export function remove(tree: Tree, key: string): Tree {
  if (find(tree, key) === undefined) return tree;
  let root = removeFrom(tree, key);
  while (root.children?.length === 1) root = root.children[0] as Tree;
  return root.count === 0 ? emptyTree : root;
}

function removeFrom(node: Tree, key: string): Tree {
  if (node.children === undefined) return leaf(node.items.filter(item => item.key !== key));
  const at = childIndex(node, key);
  const child = removeFrom(node.children[at] as Tree, key);
  if (child.count === 0) return branch(node.children.toSpliced(at, 1));
  const neighbourAt = at === 0 ? 1 : at - 1;
  const neighbour = node.children[neighbourAt];
  if (neighbour !== undefined && width(child) < MIN && width(child) + width(neighbour) <= MAX) {
    const pair: [Tree, Tree] = at === 0 ? [child, neighbour] : [neighbour, child];
    return branch(node.children.toSpliced(Math.min(at, neighbourAt), 2, merge(...pair)));
  }
  return branch(node.children.with(at, child));
}

const width = (node: Tree): number => (node.children ?? node.items).length;

function merge(left: Tree, right: Tree): Tree {
  if (left.children !== undefined && right.children !== undefined) return branch([...left.children, ...right.children]);
  if (left.children === undefined && right.children === undefined) return leaf([...left.items, ...right.items]);
  throw new Error('sorted tree: siblings of different height');
}

/** How many items have a key less than `key` (or equal, when `orEqual`). */
export function countBelow(tree: Tree, key: string, orEqual = false): number {
  let node = tree;
  let below = 0;
  while (node.children !== undefined) {
    const at = childIndex(node, key);
    for (let i = 0; i < at; i++) below += (node.children[i] as Tree).count;
    node = node.children[at] as Tree;
  }
  return below + lowerBound(node.items, itemKey, key, orEqual);
}

/** Items by position, `start` inclusive to `end` exclusive. */
export function slice(tree: Tree, start: number, end: number): KeyValue[] {
  const out: KeyValue[] = [];
  collect(tree, start, end, out);
  return out;
}

function collect(node: Tree, start: number, end: number, out: KeyValue[]): void {
  if (node.children === undefined) {
    for (let i = Math.max(0, start); i < Math.min(end, node.count); i++) out.push(node.items[i] as KeyValue);
    return;
  }
  let offset = 0;
  for (const child of node.children) {
    if (offset >= end) return;
    if (offset + child.count > start) collect(child, start - offset, end - offset, out);
    offset += child.count;
  }
}
