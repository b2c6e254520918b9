import { jsonEqual, ownMember } from '../json-equal.js';
import { isDue, newPace, type Pace } from '../pace.js';
import type { Field, FieldType, StructType } from '../schema.js';
import type { Steps } from '../steps.js';
import { EMPTY_SET, LEAF, put, type FieldSet, type MutableFieldSet } from './field-set.js';
import { fieldElement } from './path-element.js';
import {
  asList,
  asMap,
  isOneValue,
  itemElement,
  memberOf,
  present,
  shapeOf,
  type JsonMap,
  type Origin,
  type Shape,
} from './shape.js';
import { wholeNode } from './whole-node.js';

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
  readonly pace: Pace;
}

const ADDED: Diff = { added: LEAF };
const REMOVED: Diff = { removed: LEAF };
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

const isEmptyMap = (map: JsonMap | undefined): boolean => {
  for (const key in map) if (map[key] !== undefined) return false;
  return true;
};

const memberIn = (map: JsonMap | undefined, name: string): unknown =>
  map === undefined ? undefined : ownMember(map, name);

function* diffMaps(l: unknown, r: unknown, type: FieldType, sides: Sides): Steps<Diff | undefined> {
  const left = asMap(l);
  const right = asMap(r);
  // Two empty ones are a leaf, which keeps null and {} apart.
  if (isEmptyMap(left) && isEmptyMap(right)) return (l === null) === (r === null) ? undefined : MODIFIED;
  let out: Building | undefined;
  const values = type.kind === 'map' ? type.values : undefined;
  // The members of one, then what only the other has.
  for (const side of [right, left]) {
    for (const name in side) {
      if (isDue(sides.pace)) yield;
      let x = side === left ? left[name] : memberIn(left, name);
      let y = side === right ? right[name] : memberIn(right, name);
      if (side === left && side !== right && y !== undefined) continue;
      if (x === y && left !== undefined && right !== undefined) continue;
      const member = values === undefined ? memberOf(type, name) : undefined;
      const memberType = member?.field.type ?? values;
      if (memberType === undefined) continue;
      if (member !== undefined) {
        if (left !== undefined) x = present(member, x, sides.left);
        if (right !== undefined) y = present(member, y, sides.right);
      }
      const shape = shapeOf(memberType, member?.field);
      if (x === y) continue;
      const diff = isOneValue(shape) ? diffOne(x, y) : yield* diffValues(x, y, memberType, shape, member?.field, sides);
      if (diff !== undefined) out = add(out, member?.element ?? fieldElement(name), diff);
    }
    if (right === left) break;
  }
  return out;
}

/** Items by what tells them apart: those that come once, and those that are repeated. */
interface Index {
  readonly once: ReadonlyMap<string, unknown>;
  readonly repeated: ReadonlyMap<string, readonly unknown[]>;
}

function* index(list: readonly unknown[], elementOf: (item: unknown) => string, pace: Pace): Steps<Index> {
  const once = new Map<string, unknown>();
  const repeated = new Map<string, unknown[]>();
  for (const item of list) {
    if (isDue(pace)) yield;
    const element = elementOf(item);
    const same = repeated.get(element);
    if (same !== undefined) same.push(item);
    else if (!once.has(element)) once.set(element, item);
    else {
      repeated.set(element, [once.get(element), item]);
      once.delete(element);
    }
  }
  return { once, repeated };
}

function* diffLists(
  l: unknown,
  r: unknown,
  type: FieldType,
  shape: 'keyed' | 'set',
  field: Field,
  sides: Sides,
): Steps<Diff | undefined> {
  const left = asList(l) ?? [];
  const right = asList(r) ?? [];
  if (left.length === 0 && right.length === 0) return (l === null) === (r === null) ? undefined : MODIFIED;
  if (type.kind !== 'list') return undefined;
  const { pace } = sides;
  if (yield* sameItems(left, right, pace)) return undefined;
  const { items } = type;
  const elementOf = (item: unknown): string => itemElement(item, shape, field, items);
  const lefts = yield* index(left, elementOf, pace);
  const rights = yield* index(right, elementOf, pace);
  const itemShape = shapeOf(items, LIST_ITEM);
  const isOne = isOneValue(itemShape);
  let out: Building | undefined;
  for (const [element, x] of lefts.once) {
    if (isDue(pace)) yield;
    const y = rights.once.get(element);
    if (x !== y)
      out = add(out, element, isOne ? diffOne(x, y) : yield* diffValues(x, y, items, itemShape, LIST_ITEM, sides));
    if (rights.repeated.has(element)) out = add(out, element, ADDED);
  }
  for (const [element, x] of lefts.repeated) {
    if (isDue(pace)) yield;
    const y = rights.repeated.get(element);
    if (y !== undefined) {
      // Repeated items are compared together, as one value.
      if (!(yield* sameItems(x, y, pace))) out = add(out, element, MODIFIED);
      continue;
    }
    const one = rights.once.get(element);
    if (one !== undefined)
      out = add(out, element, isOne ? ADDED : yield* diffValues(undefined, one, items, itemShape, LIST_ITEM, sides));
    out = add(out, element, REMOVED);
  }
  for (const [element, y] of rights.once) {
    if (isDue(pace)) yield;
    if (lefts.once.has(element) || lefts.repeated.has(element)) continue;
    out = add(out, element, isOne ? ADDED : yield* diffValues(undefined, y, items, itemShape, LIST_ITEM, sides));
  }
  for (const element of rights.repeated.keys()) {
    if (isDue(pace)) yield;
    if (!lefts.once.has(element) && !lefts.repeated.has(element)) out = add(out, element, ADDED);
  }
  return out;
}

function* sameItems(left: readonly unknown[], right: readonly unknown[], pace: Pace): Steps<boolean> {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) {
    if (isDue(pace)) yield;
    if (!jsonEqual(left[i], right[i])) return false;
  }
  return true;
}

type JsonKind = 'map' | 'list' | 'scalar' | 'null';
const jsonKind = (value: unknown): JsonKind =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : 'scalar';

/** Any JSON: maps by member, the rest as one value; null takes the form of the other side. */
function* diffDeduced(l: unknown, r: unknown, type: FieldType, sides: Sides): Steps<Diff | undefined> {
  const left = jsonKind(l);
  const right = jsonKind(r);
  if (left === right) {
    if (left === 'map' || left === 'null') return yield* diffMaps(l, r, type, sides);
    return jsonEqual(l, r) ? undefined : MODIFIED;
  }
  const asMaps = left === 'map' || right === 'map' || left === 'null' || right === 'null';
  const asOther = left === 'list' || right === 'list' || left === 'scalar' || right === 'scalar';
  const diff: Diff = asMaps ? { ...(yield* diffMaps(l, r, type, sides)) } : {};
  if (asOther) diff.modified = LEAF;
  return diff;
}

/** Of what has no paths below its own. */
function diffOne(l: unknown, r: unknown): Diff | undefined {
  if (l === r) return undefined;
  if (l === undefined) return ADDED;
  if (r === undefined) return REMOVED;
  return jsonEqual(l, r) ? undefined : MODIFIED;
}

/** The work on two values that have paths below their own: not itself a step, which there would be two of for each. */
function diffValues(
  l: unknown,
  r: unknown,
  type: FieldType,
  shape: Shape,
  field: Field | undefined,
  sides: Sides,
): Steps<Diff | undefined> {
  if (l === undefined || r === undefined) return diffWhole(l, r, type, field, sides);
  if (shape === 'deduced') return diffDeduced(l, r, type, sides);
  if (field !== undefined && (shape === 'keyed' || shape === 'set')) return diffLists(l, r, type, shape, field, sides);
  return diffMaps(l, r, type, sides);
}

/** Of what only one object has. */
function* diffWhole(
  l: unknown,
  r: unknown,
  type: FieldType,
  field: Field | undefined,
  { left, right, pace }: Sides,
): Steps<Diff | undefined> {
  if (l === undefined) return { added: yield* wholeNode(r, type, field, right, pace) };
  return { removed: yield* wholeNode(l, type, field, left, pace) };
}

/** @throws SchemaError when a keyed list has items without keys */
export function* compareObjects(
  left: JsonMap,
  right: JsonMap,
  struct: StructType,
  origins: { readonly left: Origin; readonly right: Origin },
): Steps<Comparison> {
  const diff = yield* diffMaps(left, right, { kind: 'struct', struct }, { ...origins, pace: newPace() });
  return {
    removed: diff?.removed ?? EMPTY_SET,
    modified: diff?.modified ?? EMPTY_SET,
    added: diff?.added ?? EMPTY_SET,
  };
}
