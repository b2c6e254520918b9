import { setMember } from '../json-equal.js';
import type { Field, FieldType, StructType } from '../schema.js';
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

function mergeMaps(l: unknown, r: unknown, type: FieldType): unknown {
  const left = asMap(l);
  const right = asMap(r);
  if (right === undefined || Object.keys(right).length === 0) {
    return left === undefined || Object.keys(left).length === 0 ? r : l;
  }
  if (left === undefined) return r;
  const out: Record<string, unknown> = { ...left };
  for (const name in right) {
    const child = childOf(type, name);
    const old = Object.hasOwn(left, name) ? left[name] : undefined;
    const merged = child.type === undefined ? right[name] : mergeValues(old, right[name], child.type, child.field);
    setMember(out, name, merged);
  }
  return out;
}

/**
 * The items of both, those that only the object has at their places, the shared ones in the order of the
 * configuration.
 */
function mergeLists(l: unknown, r: unknown, type: FieldType, field: Field, shape: 'keyed' | 'set'): unknown {
  const left = asList(l) ?? [];
  const right = asList(r) ?? [];
  if (left.length === 0 && right.length === 0) return r;
  if (type.kind !== 'list') return r;
  const elementsOf = (list: readonly unknown[]): string[] =>
    list.map(item => itemElement(item, shape, field, type.items));
  const lefts = elementsOf(left);
  const rights = elementsOf(right);
  const rightItems = new Map(rights.map((element, i) => [element, right[i]]));
  const leftItems = new Map<string, unknown>();
  // Items repeated in the object are not merged with, they count as null.
  lefts.forEach((element, i) => leftItems.set(element, leftItems.has(element) ? null : left[i]));

  const shared = rights.filter(element => leftItems.has(element));
  let next = 0;
  const merged = new Set<string>();
  const out: unknown[] = [];
  const take = (element: string): void => {
    merged.add(element);
    out.push(mergeValues(leftItems.get(element), rightItems.get(element), type.items, undefined));
  };
  let i = 0;
  let j = 0;
  while (i < lefts.length || j < rights.length) {
    const fromLeft = lefts[i];
    const fromRight = rights[j];
    if (fromLeft !== undefined && fromRight !== undefined) {
      if (fromLeft === fromRight) {
        take(fromLeft);
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
      take(fromRight);
      j++;
      if (shared[next] === fromRight) next++;
    }
  }
  return out;
}

function mergeValues(l: unknown, r: unknown, type: FieldType, field: Field | undefined): unknown {
  if (r === undefined) return l;
  if (l === undefined) return r;
  const shape = shapeOf(type, field);
  switch (shape) {
    case 'scalar':
    case 'atomic':
      return r;
    case 'struct':
    case 'map':
      return mergeMaps(l, r, type);
    case 'deduced':
      return asMap(r) !== undefined || (r === null && asMap(l) !== undefined) ? mergeMaps(l, r, type) : r;
    case 'keyed':
    case 'set':
      return field === undefined ? r : mergeLists(l, r, type, field, shape);
  }
}

/** `config` on top of `live`. @throws SchemaError when a keyed list has items without keys */
export const mergeObjects = (live: JsonMap, config: JsonMap, struct: StructType): JsonMap =>
  mergeMaps(live, config, { kind: 'struct', struct }) as JsonMap;

function removeFromMap(value: unknown, set: FieldSet, type: FieldType): unknown {
  const map = asMap(value);
  if (map === undefined) return value;
  let out: Record<string, unknown> | undefined;
  for (const name of Object.keys(map)) {
    const node = set[fieldElement(name)];
    if (node === undefined) continue;
    if (isMember(node)) {
      out ??= { ...map };
      delete out[name];
      continue;
    }
    const child = childOf(type, name);
    if (child.type === undefined) continue;
    const rest = removeValues(map[name], node, child.type, child.field);
    if (rest === map[name]) continue;
    out ??= { ...map };
    setMember(out, name, rest);
  }
  if (out === undefined) return value;
  return Object.keys(out).length === 0 ? null : out;
}

/** What is left; null when everything went. Paths inside an atomic value take all of it. */
function removeValues(value: unknown, set: FieldSet, type: FieldType, field: Field | undefined): unknown {
  const shape = shapeOf(type, field);
  switch (shape) {
    case 'scalar':
      return value;
    case 'atomic':
      return typeof value === 'object' ? null : value;
    case 'struct':
    case 'map':
    case 'deduced':
      return removeFromMap(value, set, type);
    case 'keyed':
    case 'set': {
      const list = asList(value);
      if (list === undefined || list.length === 0 || field === undefined || type.kind !== 'list') return value;
      const out: unknown[] = [];
      let changed = false;
      for (const item of list) {
        const node = set[itemElement(item, shape, field, type.items)] ?? undefined;
        if (node !== undefined && isMember(node)) {
          changed = true;
          continue;
        }
        const rest = node === undefined ? item : removeValues(item, node, type.items, undefined);
        if (rest !== item) changed = true;
        out.push(rest);
      }
      return !changed ? value : out.length === 0 ? null : out;
    }
  }
}

/** The object without the paths of a set; containers that lost all they had are null. */
export const removeItems = (object: JsonMap, set: FieldSet, struct: StructType): JsonMap =>
  set === EMPTY_SET ? object : ((removeFromMap(object, set, { kind: 'struct', struct }) ?? {}) as JsonMap);
