import type { Field, FieldType, StructType } from '../schema.js';
import { EMPTY_SET, LEAF, type FieldSet, type MutableFieldSet } from './field-set.js';
import { fieldElement } from './path-element.js';
import { asList, asMap, DEDUCED, fieldOf, impliedMembers, itemElement, memberOf, present, shapeOf } from './shape.js';
import type { JsonMap, Origin } from './shape.js';

/**
 * The paths that an object sets: leaves, list items, members of maps, and what is empty or null; not the structs, lists
 * and maps that merely contain them. Source: structured-merge-diff typed/tofieldset.go.
 */

/** A node as it is put into its parent: the paths below, and whether the value's own path is set. */
interface Found {
  readonly below: FieldSet;
  readonly self: boolean;
}

const SELF_ONLY: Found = { below: EMPTY_SET, self: true };
const NOTHING: Found = { below: EMPTY_SET, self: false };

/** `element` is not there yet: nothing is merged. */
function putFound(set: MutableFieldSet, element: string, { below, self }: Found): void {
  let any = false;
  for (const _ in below) {
    any = true;
    break;
  }
  if (self) set[element] = any ? { '.': LEAF, ...below } : LEAF;
  else if (any) set[element] = below;
}

const isEmptyOrNull = (value: unknown): boolean => {
  if (value === null) return true;
  const map = asMap(value);
  return map !== undefined && Object.keys(map).length === 0;
};

function fromList(list: readonly unknown[], type: FieldType, field: Field, origin: Origin): FieldSet {
  const shape = shapeOf(type, field);
  if (type.kind !== 'list' || (shape !== 'keyed' && shape !== 'set')) return EMPTY_SET;
  const out: MutableFieldSet = {};
  for (const item of list) {
    const element = itemElement(item, shape, field, type.items);
    if (element in out) out[element] = LEAF;
    else putFound(out, element, { ...find(item, type.items, undefined, origin), self: true });
  }
  return out;
}

function fromMap(map: JsonMap, type: FieldType, origin: Origin): FieldSet {
  const out: MutableFieldSet = {};
  const values = type.kind === 'map' ? type.values : undefined;
  for (const name in map) {
    const member = values === undefined ? memberOf(type, name) : undefined;
    const value = member === undefined ? map[name] : present(member, map[name], origin);
    const memberType = member?.field.type ?? values;
    if (value === undefined || memberType === undefined) continue;
    const found = find(value, memberType, member?.field, origin);
    const declared = member !== undefined && member.field !== DEDUCED;
    putFound(out, member?.element ?? fieldElement(name), found.self || declared ? found : { ...found, self: true });
  }
  for (const { field, element, zero } of impliedMembers(type, origin)) {
    if (map[field.name] === undefined) putFound(out, element, find(zero, field.type, field, origin));
  }
  return out;
}

function find(value: unknown, type: FieldType, field: Field | undefined, origin: Origin): Found {
  switch (shapeOf(type, field)) {
    case 'scalar':
    case 'atomic':
      return SELF_ONLY;
    case 'keyed':
    case 'set': {
      const list = asList(value);
      if (list === undefined || field === undefined) return value === null ? SELF_ONLY : NOTHING;
      return { below: fromList(list, type, field, origin), self: false };
    }
    case 'deduced':
    case 'struct':
    case 'map': {
      if (isEmptyOrNull(value)) return SELF_ONLY;
      const map = asMap(value);
      // Any JSON that is not a map is one value.
      if (map === undefined) return type.kind === 'any' ? SELF_ONLY : NOTHING;
      return { below: fromMap(map, type, origin), self: false };
    }
  }
}

/** @throws SchemaError when a keyed list has items without keys */
export const toFieldSet = (object: JsonMap, struct: StructType, origin: Origin): FieldSet =>
  fromMap(object, { kind: 'struct', struct }, origin);

/**
 * Adds every struct field that has something below it: upstream does so before subtracting sets, where a field must
 * not survive by its parent alone.
 */
export function withNamedFields(set: FieldSet, type: FieldType | undefined, field: Field | undefined): FieldSet {
  const out: MutableFieldSet = {};
  for (const element in set) {
    const node = set[element] ?? LEAF;
    if (element === '.') {
      out[element] = node;
      continue;
    }
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    let child: Field | undefined;
    let childType: FieldType | undefined;
    let named = false;
    if (name !== undefined && type?.kind === 'struct') {
      child = fieldOf(type.struct, name);
      childType = child?.type;
      named = type.struct.byName.has(name);
    } else if (name !== undefined && type?.kind === 'map') {
      childType = type.values;
    } else if (name !== undefined && type?.kind === 'any') {
      child = field;
      childType = type;
    } else if (element.startsWith('k:') && type?.kind === 'list') {
      childType = type.items;
    }
    const below = withNamedFields(node, childType, child);
    out[element] = named && !('.' in below) && Object.keys(below).length > 0 ? { '.': LEAF, ...below } : below;
  }
  return out;
}
