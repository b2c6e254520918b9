import { areInOrder, canonicalElement, sortElements, fieldElement, formatElement } from './path-element.js';

/**
 * A set of field paths, in the very form of FieldsV1: {"f:spec": {"f:replicas": {}}}. A node without members is itself
 * in the set; a node with members is in the set when one of them is ".". So a stored entry needs no parsing, and an
 * operation costs what the smaller operand has. Sets are values: never changed once made.
 */
export type FieldSet = { readonly [element: string]: FieldSet };
/** A set under construction. */
export type MutableFieldSet = { [element: string]: FieldSet };

const SELF = '.';
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

/** The node of given membership and children; undefined when it is nothing. */
const nodeOf = (member: boolean, children: MutableFieldSet | undefined): FieldSet | undefined => {
  if (children === undefined || isEmptySet(children)) return member ? LEAF : undefined;
  return member ? { [SELF]: LEAF, ...children } : children;
};

/** Puts `node` under `element`, merging with what is there. */
export function put(set: MutableFieldSet, element: string, node: FieldSet): void {
  const old = set[element];
  set[element] = old === undefined ? node : unionNodes(old, node);
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const aLeaf = isEmptySet(a);
  const bLeaf = isEmptySet(b);
  if (aLeaf && bLeaf) return a;
  if (aLeaf) return SELF in b ? b : { [SELF]: LEAF, ...b };
  if (bLeaf) return SELF in a ? a : { [SELF]: LEAF, ...a };
  return unionChildren(a, b);
}

function unionChildren(a: FieldSet, b: FieldSet): FieldSet {
  let out: MutableFieldSet | undefined;
  for (const element in b) {
    const node = b[element] ?? LEAF;
    const old = a[element];
    const merged = old === undefined ? node : unionNodes(old, node);
    if (merged !== old) {
      out ??= { ...a };
      out[element] = merged;
    }
  }
  return out ?? a;
}

/** Paths in either. Returns `a` itself when `b` adds nothing. */
export const union = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(a) ? b : isEmptySet(b) ? a : unionChildren(a, b);

function subtract(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  let out: MutableFieldSet | undefined;
  for (const element in b) {
    const node = a[element];
    const minus = b[element];
    if (element === SELF || node === undefined || minus === undefined) continue;
    const rest = subtractNode(node, minus, recursive);
    if (rest === node) continue;
    out ??= { ...a };
    if (rest === undefined) delete out[element];
    else out[element] = rest;
  }
  return out ?? a;
}

function subtractNode(node: FieldSet, minus: FieldSet, recursive: boolean): FieldSet | undefined {
  const takesSelf = isMember(minus);
  if (recursive && takesSelf) return undefined;
  const member = isMember(node);
  const below = isEmptySet(node) ? node : subtract(node, minus, recursive);
  const keepsSelf = member && !takesSelf;
  if (below === node && keepsSelf === member) return node;
  const { [SELF]: _, ...children } = below;
  return nodeOf(keepsSelf, children);
}

/** Paths of `a` that are not in `b`. Returns `a` itself when nothing is taken. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => subtract(a, b, false);

/** As difference, and a path in `b` takes everything below it as well. */
export const recursiveDifference = (a: FieldSet, b: FieldSet): FieldSet => subtract(a, b, true);

/** Paths in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const out: MutableFieldSet = {};
  for (const element in b) {
    const x = a[element];
    const y = b[element];
    if (element === SELF || x === undefined || y === undefined) continue;
    const node = nodeOf(isMember(x) && isMember(y), intersection(x, y));
    if (node !== undefined) out[element] = node;
  }
  return out;
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
    out = union(
      out,
      elements.reduceRight<FieldSet>((below, element) => ({ [element]: below }), LEAF),
    );
  }
  return out;
}

/** The set with its elements in upstream's order, "." first. */
export function sortSet(set: FieldSet): FieldSet {
  const keys = Object.keys(set);
  const member = SELF in set;
  const elements = member ? keys.filter(element => element !== SELF) : keys;
  if (elements.length === 0) return LEAF;
  let same = !member || keys[0] === SELF;
  if (!areInOrder(elements)) {
    same = false;
    sortElements(elements);
  }
  const out: MutableFieldSet = member ? { [SELF]: LEAF } : {};
  for (const element of elements) {
    const below = set[element] ?? LEAF;
    const sorted = below === LEAF ? LEAF : sortSet(below);
    if (sorted !== below) same = false;
    out[element] = sorted;
  }
  // What is sorted already is kept: a copy would be another 20,000 objects of a client's longest list.
  return same ? set : out;
}

/** The paths as text, in upstream's order: those of a node before those below it. */
export function formatPaths(set: FieldSet, prefix = ''): string[] {
  const elements = sortElements(elementsOf(set));
  const own = elements.filter(e => isMember(set[e] ?? LEAF)).map(e => prefix + formatElement(e));
  return [...own, ...elements.flatMap(e => formatPaths(set[e] ?? LEAF, prefix + formatElement(e)))];
}

/** A set that a client sent, in canonical form; undefined when it is not one. */
export function parseSet(fields: unknown): FieldSet | undefined {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
  const out: MutableFieldSet = {};
  let member = false;
  for (const [key, value] of Object.entries(fields as Record<string, unknown>)) {
    if (key === SELF) {
      member = true;
      continue;
    }
    // Elements of an unknown kind are dropped: a later version may know them.
    if (/^[^fkvi]:/.test(key)) continue;
    const below = parseSet(value);
    if (below === undefined) return undefined;
    const element = canonicalElement(key);
    if (element === undefined) return undefined;
    put(out, element, below);
  }
  return member && hasChildren(out) ? { [SELF]: LEAF, ...out } : out;
}
