import { isDue, newPace, type Pace } from '../pace.js';
import { atOnce, type Steps } from '../steps.js';
import {
  areInOrder,
  canonicalElement,
  sortElements,
  sortElementsSteps,
  fieldElement,
  formatElement,
} from './path-element.js';

/**
 * A set of field paths, in the very form of FieldsV1: {"f:spec": {"f:replicas": {}}}. A node without members is itself
 * in the set; a node with members is in the set when one of them is ".". So a stored entry needs no parsing, and an
 * operation costs what the smaller operand has. Sets are values: never changed once made.
 */
export type FieldSet = { readonly [element: string]: FieldSet };
/** A set under construction. */
export type MutableFieldSet = { [element: string]: FieldSet };

const SELF = '.';
/** A set of fewer nodes is put in order at once. */
const SMALL = 1000;
/** The node of a path that is in the set and has nothing below it; as a root, the empty set. */
export const LEAF: FieldSet = Object.freeze({});
export const EMPTY_SET: FieldSet = LEAF;

export const isEmptySet = (set: FieldSet): boolean => {
  for (const _ in set) return false;
  return true;
};

/** Whether the node's own path is in the set. */
export const isMember = (node: FieldSet): boolean => isEmptySet(node) || SELF in node;

/** The elements below a node, without ".". */
export const elementsOf = (node: FieldSet): string[] => Object.keys(node).filter(element => element !== SELF);

const hasChildren = (node: FieldSet): boolean => {
  for (const element in node) if (element !== SELF) return true;
  return false;
};

/** Not by a spread, which takes a long list's node in one piece. */
function* copyOf(node: FieldSet, pace: Pace): Steps<MutableFieldSet> {
  const out: MutableFieldSet = {};
  for (const element in node) {
    if (isDue(pace)) yield;
    out[element] = node[element] ?? LEAF;
  }
  return out;
}

/** The same node as a member of the set. */
const asMember = (node: FieldSet): FieldSet => (SELF in node ? node : { [SELF]: LEAF, ...node });

/** Puts `node` under `element`, merging with what is there: little, since an item has few members. */
export function put(set: MutableFieldSet, element: string, node: FieldSet): void {
  const old = set[element];
  set[element] = old === undefined ? node : atOnce(unionNodes(old, node, newPace()));
}

function* unionNodes(a: FieldSet, b: FieldSet, pace: Pace): Steps<FieldSet> {
  if (a === b) return a;
  if (isEmptySet(b)) return isEmptySet(a) ? a : asMember(a);
  return isEmptySet(a) ? asMember(b) : yield* unionChildren(a, b, pace);
}

function* unionChildren(a: FieldSet, b: FieldSet, pace: Pace): Steps<FieldSet> {
  let out: MutableFieldSet | undefined;
  for (const element in b) {
    if (isDue(pace)) yield;
    const node = b[element] ?? LEAF;
    const old = a[element];
    if (old === node) continue;
    const merged = old === undefined ? node : yield* unionNodes(old, node, pace);
    if (merged === old) continue;
    out ??= yield* copyOf(a, pace);
    out[element] = merged;
  }
  return out ?? a;
}

/** Paths in either. Returns `a` itself when `b` adds nothing. */
export function* union(a: FieldSet, b: FieldSet, pace: Pace): Steps<FieldSet> {
  return isEmptySet(a) ? b : isEmptySet(b) ? a : yield* unionChildren(a, b, pace);
}

/** A copy of `a` when anything is taken, else `a` itself. */
function* subtract(a: FieldSet, b: FieldSet, recursive: boolean, pace: Pace): Steps<FieldSet> {
  let out: MutableFieldSet | undefined;
  for (const element in b) {
    if (isDue(pace)) yield;
    const node = a[element];
    const minus = b[element];
    if (element === SELF || node === undefined || minus === undefined) continue;
    let rest: FieldSet | undefined;
    if (isEmptySet(node)) rest = isMember(minus) ? undefined : node;
    else if (!recursive || !isMember(minus)) rest = yield* subtractNode(node, minus, recursive, pace);
    if (rest === node) continue;
    out ??= yield* copyOf(a, pace);
    if (rest === undefined) delete out[element];
    else out[element] = rest;
  }
  return out ?? a;
}

/** What is left of a node that has something below it, where not all of that goes with it; undefined: nothing. */
function* subtractNode(node: FieldSet, minus: FieldSet, recursive: boolean, pace: Pace): Steps<FieldSet | undefined> {
  const below = yield* subtract(node, minus, recursive, pace);
  if (SELF in node && isMember(minus)) {
    const children: MutableFieldSet = below === node ? yield* copyOf(node, pace) : below;
    delete children[SELF];
    return isEmptySet(children) ? undefined : children;
  }
  if (below === node || hasChildren(below)) return below;
  return SELF in below ? LEAF : undefined;
}

/** Paths of `a` that are not in `b`. Returns `a` itself when nothing is taken. */
export const difference = (a: FieldSet, b: FieldSet, pace: Pace): Steps<FieldSet> => subtract(a, b, false, pace);

/** As difference, and a path in `b` takes everything below it as well. */
export const recursiveDifference = (a: FieldSet, b: FieldSet, pace: Pace): Steps<FieldSet> =>
  subtract(a, b, true, pace);

/** Paths in both. */
export function* intersection(a: FieldSet, b: FieldSet, pace: Pace): Steps<FieldSet> {
  const out: MutableFieldSet = {};
  for (const element in b) {
    if (isDue(pace)) yield;
    const x = a[element];
    const y = b[element];
    if (element === SELF || x === undefined || y === undefined) continue;
    const below = isEmptySet(x) || isEmptySet(y) ? EMPTY_SET : yield* intersection(x, y, pace);
    const member = isMember(x) && isMember(y);
    if (isEmptySet(below)) {
      if (member) out[element] = LEAF;
    } else out[element] = member ? asMember(below) : below;
  }
  return out;
}

/** Whether all paths of `b` are in `a`. */
export function* covers(a: FieldSet, b: FieldSet, pace: Pace): Steps<boolean> {
  const wholes = [a];
  const parts = [b];
  for (let whole = wholes.pop(), part = parts.pop(); whole && part; whole = wholes.pop(), part = parts.pop()) {
    for (const element in part) {
      if (isDue(pace)) yield;
      const x = whole[element];
      const y = part[element] ?? LEAF;
      if (element === SELF || x === y) continue;
      if (x === undefined) return false;
      if (isMember(y) && !isMember(x)) return false;
      if (!isEmptySet(y)) {
        wholes.push(x);
        parts.push(y);
      }
    }
  }
  return true;
}

/** Whether the path of these elements is in the set. */
export function hasPath(set: FieldSet, elements: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of elements) node = node?.[element];
  return node !== undefined && node !== set && isMember(node);
}

/** "spec.replicas" as elements; field names only. */
export const pathElements = (path: string): string[] => path.replace(/^\./, '').split('.').map(fieldElement);

/** The set of these paths. */
export function setOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  let out: FieldSet = EMPTY_SET;
  for (const elements of paths) {
    const path = elements.reduceRight<FieldSet>((below, element) => ({ [element]: below }), LEAF);
    out = atOnce(union(out, path, newPace()));
  }
  return out;
}

/** How many nodes a set has, counted no further than the limit. */
function countNodes(set: FieldSet, limit: number): number {
  let count = 0;
  for (const element in set) {
    count += 1 + countNodes(set[element] ?? LEAF, limit - count);
    if (count >= limit) break;
  }
  return count;
}

/** The elements of a node in upstream's order, without "."; and whether the node has them so already, "." first. */
function ordered(set: FieldSet): { elements: string[]; same: boolean } {
  const keys = Object.keys(set);
  const member = SELF in set;
  const elements = member ? keys.filter(element => element !== SELF) : keys;
  if (areInOrder(elements)) return { elements, same: !member || keys[0] === SELF };
  return { elements: sortElements(elements), same: false };
}

/** As sortSet, at once: for nearly all sets steps cost more than what they would cut. */
function sortSmall(set: FieldSet): FieldSet {
  const { elements, same } = ordered(set);
  if (elements.length === 0) return LEAF;
  let out: MutableFieldSet | undefined = same ? undefined : SELF in set ? { [SELF]: LEAF } : {};
  for (const element of elements) {
    const below = set[element] ?? LEAF;
    const sorted = isEmptySet(below) ? below : sortSmall(below);
    if (sorted !== below) out ??= { ...set };
    if (out !== undefined) out[element] = sorted;
  }
  return out ?? set;
}

/** The set with its elements in upstream's order, "." first. */
export function* sortSet(set: FieldSet, pace: Pace): Steps<FieldSet> {
  if (countNodes(set, SMALL) < SMALL) return sortSmall(set);
  const keys = Object.keys(set);
  const member = SELF in set;
  const given = member ? keys.filter(element => element !== SELF) : keys;
  const inOrder = areInOrder(given);
  yield;
  const elements = inOrder ? given : yield* sortElementsSteps(given, pace);
  const same = inOrder && (!member || keys[0] === SELF);
  /** What is below those of them that have anything below, where it was put in order. */
  let changed: Map<string, FieldSet> | undefined;
  for (const element of elements) {
    if (isDue(pace)) yield;
    const below = set[element] ?? LEAF;
    if (isEmptySet(below)) continue;
    const sorted = countNodes(below, SMALL) < SMALL ? sortSmall(below) : yield* sortSet(below, pace);
    if (sorted !== below) (changed ??= new Map<string, FieldSet>()).set(element, sorted);
  }
  // What is sorted already is kept: a copy would be another 20,000 objects of a client's longest list.
  if (same && changed === undefined) return set;
  const out: MutableFieldSet = member ? { [SELF]: LEAF } : {};
  for (const element of elements) {
    if (isDue(pace)) yield;
    out[element] = changed?.get(element) ?? set[element] ?? LEAF;
  }
  return out;
}

/** The paths as text, in upstream's order: those of a node before those below it. */
export function* formatPaths(set: FieldSet, pace: Pace, prefix = '', paths: string[] = []): Steps<string[]> {
  const elements = yield* sortElementsSteps(elementsOf(set), pace);
  const texts: string[] = [];
  for (const element of elements) {
    if (isDue(pace)) yield;
    const text = prefix + formatElement(element);
    texts.push(text);
    if (isMember(set[element] ?? LEAF)) paths.push(text);
  }
  for (const [i, element] of elements.entries()) {
    if (isDue(pace)) yield;
    const below = set[element] ?? LEAF;
    if (!isEmptySet(below)) yield* formatPaths(below, pace, texts[i], paths);
  }
  return paths;
}

/** A set that a client sent, in canonical form; undefined when it is not one. */
export function* parseSet(fields: unknown, pace: Pace): Steps<FieldSet | undefined> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
  const out: MutableFieldSet = {};
  let member = false;
  for (const key of Object.keys(fields)) {
    if (isDue(pace)) yield;
    if (key === SELF) {
      member = true;
      continue;
    }
    // Elements of an unknown kind are dropped: a later version may know them.
    if (/^[^fkvi]:/.test(key)) continue;
    const below = yield* parseSet((fields as Record<string, unknown>)[key], pace);
    if (below === undefined) return undefined;
    const element = canonicalElement(key);
    if (element === undefined) return undefined;
    put(out, element, below);
  }
  return member && hasChildren(out) ? { [SELF]: LEAF, ...out } : out;
}
