import { jsonEqual } from '../json-equal.js';
import type { Field, FieldType, StructType } from '../schema.js';
import { EMPTY_SET, LEAF, put, type FieldSet, type MutableFieldSet } from './field-set.js';
import { fieldElement } from './path-element.js';
import {
  asList,
  asMap,
  impliedMembers,
  itemElement,
  memberOf,
  present,
  shapeOf,
  type JsonMap,
  type Origin,
} from './shape.js';

/**
 * What changed between two objects, as sets of paths. Source: structured-merge-diff typed/compare.go.
 * The cost is one walk over both; sets are made only for what differs.
 */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

interface Diff {
  removed?: FieldSet;
  modified?: FieldSet;
  added?: FieldSet;
}

interface Building {
  removed?: MutableFieldSet;
  modified?: MutableFieldSet;
  added?: MutableFieldSet;
}

interface Sides {
  readonly left: Origin;
  readonly right: Origin;
}

const MODIFIED: Diff = { modified: LEAF };
const LIST_ITEM: undefined = undefined;

function add(out: Building | undefined, element: string, diff: Diff | undefined): Building | undefined {
  if (diff === undefined) return out;
  const to = out ?? {};
  if (diff.removed !== undefined) put((to.removed ??= {}), element, diff.removed);
  if (diff.modified !== undefined) put((to.modified ??= {}), element, diff.modified);
  if (diff.added !== undefined) put((to.added ??= {}), element, diff.added);
  return to;
}

/**
 * The node of a value that only one object has: it, and everything in it. @throws SchemaError
 */
export function wholeNode(value: unknown, type: FieldType, field: Field | undefined, origin: Origin): FieldSet {
  const out: MutableFieldSet = {};
  const shape = shapeOf(type, field);
  switch (shape) {
    case 'scalar':
    case 'atomic':
      return LEAF;
    case 'keyed':
    case 'set': {
      const list = asList(value);
      if (list === undefined || list.length === 0 || field === undefined || type.kind !== 'list') return LEAF;
      out['.'] = LEAF;
      for (const item of list) {
        const element = itemElement(item, shape, field, type.items);
        // A repeated item is owned as such, without its members.
        out[element] = element in out ? LEAF : wholeNode(item, type.items, LIST_ITEM, origin);
      }
      return out;
    }
    case 'struct':
    case 'map':
    case 'deduced': {
      const map = asMap(value);
      if (map === undefined) return LEAF;
      out['.'] = LEAF;
      const values = type.kind === 'map' ? type.values : undefined;
      let any = false;
      for (const name in map) {
        const member = values === undefined ? memberOf(type, name) : undefined;
        const child = member === undefined ? map[name] : present(member, map[name], origin);
        const childType = member?.field.type ?? values;
        if (child === undefined || childType === undefined) continue;
        out[member?.element ?? fieldElement(name)] = wholeNode(child, childType, member?.field, origin);
        any = true;
      }
      for (const { field: child, element, zero } of impliedMembers(type, origin)) {
        if (map[child.name] !== undefined) continue;
        out[element] = wholeNode(zero, child.type, child, origin);
        any = true;
      }
      return any ? out : LEAF;
    }
  }
}

const isEmptyMap = (map: JsonMap | undefined): boolean => {
  for (const key in map) if (map[key] !== undefined) return false;
  return true;
};

function diffMaps(l: unknown, r: unknown, type: FieldType, sides: Sides): Diff | undefined {
  const left = asMap(l);
  const right = asMap(r);
  // Two empty ones are a leaf, which keeps null and {} apart.
  if (isEmptyMap(left) && isEmptyMap(right)) return (l === null) === (r === null) ? undefined : MODIFIED;
  let out: Building | undefined;
  const values = type.kind === 'map' ? type.values : undefined;
  const visit = (name: string): void => {
    let x = left?.[name];
    let y = right?.[name];
    if (x === y && left !== undefined && right !== undefined) return;
    const member = values === undefined ? memberOf(type, name) : undefined;
    const memberType = member?.field.type ?? values;
    if (memberType === undefined) return;
    if (member !== undefined) {
      if (left !== undefined) x = present(member, x, sides.left);
      if (right !== undefined) y = present(member, y, sides.right);
    }
    const diff = diffValues(x, y, memberType, member?.field, sides);
    if (diff !== undefined) out = add(out, member?.element ?? fieldElement(name), diff);
  };
  for (const name in right) visit(name);
  for (const name in left) if (right?.[name] === undefined) visit(name);
  return out;
}

function diffLists(l: unknown, r: unknown, type: FieldType, field: Field, sides: Sides): Diff | undefined {
  const left = asList(l) ?? [];
  const right = asList(r) ?? [];
  if (left.length === 0 && right.length === 0) return (l === null) === (r === null) ? undefined : MODIFIED;
  const shape = shapeOf(type, field);
  if (type.kind !== 'list' || (shape !== 'keyed' && shape !== 'set')) return undefined;
  if (jsonEqual(left, right)) return undefined;
  const { items } = type;
  const index = (list: readonly unknown[]): Map<string, unknown[]> => {
    const found = new Map<string, unknown[]>();
    for (const item of list) {
      const element = itemElement(item, shape, field, items);
      const same = found.get(element);
      if (same === undefined) found.set(element, [item]);
      else same.push(item);
    }
    return found;
  };
  const lefts = index(left);
  const rights = index(right);
  let out: Building | undefined;
  for (const element of new Set([...lefts.keys(), ...rights.keys()])) {
    const x = lefts.get(element) ?? [];
    const y = rights.get(element) ?? [];
    if (x.length <= 1 && y.length <= 1) {
      out = add(out, element, diffValues(x[0], y[0], items, LIST_ITEM, sides));
    } else if (x.length > 1 && y.length > 1) {
      // Repeated items are compared together, as one value.
      if (!jsonEqual(x, y)) out = add(out, element, MODIFIED);
    } else if (x.length > 1) {
      if (y.length > 0) out = add(out, element, diffValues(undefined, y[0], items, LIST_ITEM, sides));
      out = add(out, element, { removed: LEAF });
    } else {
      if (x.length > 0) out = add(out, element, diffValues(x[0], undefined, items, LIST_ITEM, sides));
      out = add(out, element, { added: LEAF });
    }
  }
  return out;
}

type JsonKind = 'map' | 'list' | 'scalar' | 'null';
const jsonKind = (value: unknown): JsonKind =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : 'scalar';

/** Any JSON: maps by member, the rest as one value; null takes the form of the other side. */
function diffDeduced(l: unknown, r: unknown, type: FieldType, sides: Sides): Diff | undefined {
  const left = jsonKind(l);
  const right = jsonKind(r);
  if (left === right) {
    if (left === 'map' || left === 'null') return diffMaps(l, r, type, sides);
    return jsonEqual(l, r) ? undefined : MODIFIED;
  }
  const asMaps = left === 'map' || right === 'map' || left === 'null' || right === 'null';
  const asOther = left === 'list' || right === 'list' || left === 'scalar' || right === 'scalar';
  const diff: Diff = asMaps ? { ...diffMaps(l, r, type, sides) } : {};
  if (asOther) diff.modified = LEAF;
  return diff;
}

function diffValues(l: unknown, r: unknown, type: FieldType, field: Field | undefined, sides: Sides): Diff | undefined {
  if (l === r) return undefined;
  if (l === undefined) return { added: wholeNode(r, type, field, sides.right) };
  if (r === undefined) return { removed: wholeNode(l, type, field, sides.left) };
  switch (shapeOf(type, field)) {
    case 'scalar':
    case 'atomic':
      return jsonEqual(l, r) ? undefined : MODIFIED;
    case 'struct':
    case 'map':
      return diffMaps(l, r, type, sides);
    case 'deduced':
      return diffDeduced(l, r, type, sides);
    case 'keyed':
    case 'set':
      return field === undefined ? undefined : diffLists(l, r, type, field, sides);
  }
}

/** @throws SchemaError when a keyed list has items without keys */
export function compareObjects(left: JsonMap, right: JsonMap, struct: StructType, sides: Sides): Comparison {
  const diff = diffMaps(left, right, { kind: 'struct', struct }, sides);
  return {
    removed: diff?.removed ?? EMPTY_SET,
    modified: diff?.modified ?? EMPTY_SET,
    added: diff?.added ?? EMPTY_SET,
  };
}
