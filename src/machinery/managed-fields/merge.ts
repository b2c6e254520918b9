import { setMember } from '../json-equal.js';
import { isDue, newPace, type Pace } from '../pace.js';
import type { Field, FieldType, StructType } from '../schema.js';
import type { Steps } from '../steps.js';
import { EMPTY_SET, isMember, type FieldSet } from './field-set.js';
import { fieldElement } from './path-element.js';
import { asList, asMap, DEDUCED, fieldOf, itemElement, shapeOf, type JsonMap } from './shape.js';

/**
 * Merging an applied configuration into an object, and taking paths out of one. Both share what they do not change
 * with their input. Source: structured-merge-diff typed/merge.go and remove.go.
 */

const childOf = (type: FieldType, name: string): { type: FieldType | undefined; field: Field | undefined } => {
  const field = type.kind === 'struct' ? fieldOf(type.struct, name) : type.kind === 'any' ? DEDUCED : undefined;
  return { type: field?.type ?? (type.kind === 'map' ? type.values : undefined), field };
};

const isEmptyMap = (map: JsonMap): boolean => {
  for (const _ in map) return false;
  return true;
};

/** Not by a spread, which takes a long map in one piece. */
function* copyOf(map: JsonMap, pace: Pace): Steps<Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  for (const name in map) {
    if (isDue(pace)) yield;
    setMember(out, name, map[name]);
  }
  return out;
}

function* mergeMaps(l: unknown, r: unknown, type: FieldType, pace: Pace): Steps<unknown> {
  const left = asMap(l);
  const right = asMap(r);
  if (right === undefined || isEmptyMap(right)) return left === undefined || isEmptyMap(left) ? r : l;
  if (left === undefined) return r;
  const out = yield* copyOf(left, pace);
  for (const name in right) {
    if (isDue(pace)) yield;
    const value = right[name];
    const old = Object.hasOwn(left, name) ? left[name] : undefined;
    if (old === undefined || typeof value !== 'object') {
      setMember(out, name, value === undefined ? old : value);
      continue;
    }
    const { type: childType, field } = childOf(type, name);
    const work = childType === undefined ? undefined : mergeValues(old, value, childType, field, pace);
    setMember(out, name, work === undefined ? value : yield* work);
  }
  return out;
}

/**
 * The items of both, those that only the object has at their places, the shared ones in the order of the
 * configuration.
 */
function* mergeLists(
  l: unknown,
  r: unknown,
  type: FieldType,
  field: Field,
  shape: 'keyed' | 'set',
  pace: Pace,
): Steps<unknown> {
  const left = asList(l) ?? [];
  const right = asList(r) ?? [];
  if (left.length === 0 && right.length === 0) return r;
  if (type.kind !== 'list') return r;
  const lefts: string[] = [];
  const rights: string[] = [];
  const leftItems = new Map<string, unknown>();
  const rightItems = new Map<string, unknown>();
  for (const item of left) {
    if (isDue(pace)) yield;
    const element = itemElement(item, shape, field, type.items);
    lefts.push(element);
    // Items repeated in the object are not merged with, they count as null.
    leftItems.set(element, leftItems.has(element) ? null : item);
  }
  const shared: string[] = [];
  for (const item of right) {
    if (isDue(pace)) yield;
    const element = itemElement(item, shape, field, type.items);
    rights.push(element);
    rightItems.set(element, item);
    if (leftItems.has(element)) shared.push(element);
  }
  let next = 0;
  const merged = new Set<string>();
  const out: unknown[] = [];
  /** What is there of the item on both sides becomes one, where there are members to merge. */
  const take = (element: string): Steps<unknown> | undefined => {
    merged.add(element);
    const old = leftItems.get(element);
    const item = rightItems.get(element);
    if (old !== undefined && typeof item === 'object') {
      const work = mergeValues(old, item, type.items, undefined, pace);
      if (work !== undefined) return work;
    }
    out.push(item);
    return undefined;
  };
  let i = 0;
  let j = 0;
  while (i < lefts.length || j < rights.length) {
    if (isDue(pace)) yield;
    const fromLeft = lefts[i];
    const fromRight = rights[j];
    if (fromLeft !== undefined && fromRight !== undefined) {
      if (fromLeft === fromRight) {
        const work = take(fromLeft);
        if (work !== undefined) out.push(yield* work);
        i++;
        j++;
        next++;
        continue;
      }
      const due = shared[next];
      if (rightItems.has(fromLeft) && due !== undefined && due !== fromLeft) {
        // Shared, but it comes later in the configuration.
        i++;
        continue;
      }
    }
    if (fromLeft !== undefined) {
      if (!rightItems.has(fromLeft)) {
        out.push(left[i]);
        i++;
        continue;
      }
      if (merged.has(fromLeft)) i++;
    }
    if (fromRight !== undefined) {
      const work = take(fromRight);
      if (work !== undefined) out.push(yield* work);
      j++;
      if (shared[next] === fromRight) next++;
    }
  }
  return out;
}

/** Where both values are there: the work of merging them, or undefined when the second takes the place of the first. */
function mergeValues(
  l: unknown,
  r: unknown,
  type: FieldType,
  field: Field | undefined,
  pace: Pace,
): Steps<unknown> | undefined {
  const shape = shapeOf(type, field);
  switch (shape) {
    case 'scalar':
    case 'atomic':
      return undefined;
    case 'struct':
    case 'map':
      return mergeMaps(l, r, type, pace);
    case 'deduced':
      if (asMap(r) === undefined && (r !== null || asMap(l) === undefined)) return undefined;
      return mergeMaps(l, r, type, pace);
    case 'keyed':
    case 'set':
      return field === undefined ? undefined : mergeLists(l, r, type, field, shape, pace);
  }
}

/** `config` on top of `live`. @throws SchemaError when a keyed list has items without keys */
export function* mergeObjects(live: JsonMap, config: JsonMap, struct: StructType): Steps<JsonMap> {
  return (yield* mergeMaps(live, config, { kind: 'struct', struct }, newPace())) as JsonMap;
}

function* removeFromMap(value: unknown, set: FieldSet, type: FieldType, pace: Pace): Steps<unknown> {
  const map = asMap(value);
  if (map === undefined) return value;
  let out: Record<string, unknown> | undefined;
  for (const name of Object.keys(map)) {
    if (isDue(pace)) yield;
    const node = set[fieldElement(name)];
    if (node === undefined) continue;
    if (isMember(node)) {
      out ??= yield* copyOf(map, pace);
      delete out[name];
      continue;
    }
    const child = childOf(type, name);
    if (child.type === undefined) continue;
    const rest = yield* removeValues(map[name], node, child.type, child.field, pace);
    if (rest === map[name]) continue;
    out ??= yield* copyOf(map, pace);
    setMember(out, name, rest);
  }
  if (out === undefined) return value;
  return isEmptyMap(out) ? null : out;
}

/** What is left; null when everything went. Paths inside an atomic value take all of it. */
function* removeValues(
  value: unknown,
  set: FieldSet,
  type: FieldType,
  field: Field | undefined,
  pace: Pace,
): Steps<unknown> {
  const shape = shapeOf(type, field);
  switch (shape) {
    case 'scalar':
      return value;
    case 'atomic':
      return typeof value === 'object' ? null : value;
    case 'struct':
    case 'map':
    case 'deduced':
      return yield* removeFromMap(value, set, type, pace);
    case 'keyed':
    case 'set': {
      const list = asList(value);
      if (list === undefined || list.length === 0 || field === undefined || type.kind !== 'list') return value;
      const out: unknown[] = [];
      let changed = false;
      for (const item of list) {
        if (isDue(pace)) yield;
        const node = set[itemElement(item, shape, field, type.items)] ?? undefined;
        if (node !== undefined && isMember(node)) {
          changed = true;
          continue;
        }
        const rest = node === undefined ? item : yield* removeValues(item, node, type.items, undefined, pace);
        if (rest !== item) changed = true;
        out.push(rest);
      }
      return !changed ? value : out.length === 0 ? null : out;
    }
  }
}

/** The object without the paths of a set; containers that lost all they had are null. */
export function* removeItems(object: JsonMap, set: FieldSet, struct: StructType): Steps<JsonMap> {
  if (set === EMPTY_SET) return object;
  return ((yield* removeFromMap(object, set, { kind: 'struct', struct }, newPace())) ?? {}) as JsonMap;
}
