import { isDue, newPace, type Pace } from '../pace.js';
import type { Field, FieldType, StructType } from '../schema.js';
import type { Steps } from '../steps.js';
import { EMPTY_SET, isEmptySet, LEAF, type FieldSet, type MutableFieldSet } from './field-set.js';
import { fieldElement } from './path-element.js';
import { asList, asMap, DEDUCED, fieldOf, impliedMembers, itemElement, memberOf, present, shapeOf } from './shape.js';
import type { JsonMap, Origin, Shape } from './shape.js';

/**
 * The paths that an object sets: leaves, list items, members of maps, and what is empty or null; not the structs, lists
 * and maps that merely contain them. Source: structured-merge-diff typed/tofieldset.go.
 */

/** The paths below a value, and whether its own path is set. */
interface Found {
  readonly below: FieldSet;
  readonly self: boolean;
}

const SELF_ONLY: Found = { below: EMPTY_SET, self: true };
const NOTHING: Found = { below: EMPTY_SET, self: false };

/** `element` is not there yet: nothing is merged. */
function putFound(set: MutableFieldSet, element: string, below: FieldSet, self: boolean): void {
  if (isEmptySet(below)) {
    if (self) set[element] = LEAF;
  } else set[element] = self ? { '.': LEAF, ...below } : below;
}

const isEmptyOrNull = (value: unknown): boolean => {
  if (value === null) return true;
  const map = asMap(value);
  if (map === undefined) return false;
  for (const _ in map) return false;
  return true;
};

function* fromList(
  list: readonly unknown[],
  type: FieldType,
  field: Field,
  origin: Origin,
  pace: Pace,
): Steps<FieldSet> {
  const shape = shapeOf(type, field);
  if (type.kind !== 'list' || (shape !== 'keyed' && shape !== 'set')) return EMPTY_SET;
  const out: MutableFieldSet = {};
  const itemShape = shapeOf(type.items, undefined);
  const isOne = itemShape === 'scalar' || itemShape === 'atomic';
  for (const item of list) {
    if (isDue(pace)) yield;
    const element = itemElement(item, shape, field, type.items);
    if (isOne || element in out) out[element] = LEAF;
    else {
      const known = foundAtOnce(item, type.items, itemShape, undefined);
      const below = known?.below ?? (yield* pathsBelow(item, type.items, undefined, origin, pace));
      putFound(out, element, below, true);
    }
  }
  return out;
}

function* fromMap(map: JsonMap, type: FieldType, origin: Origin, pace: Pace): Steps<FieldSet> {
  const out: MutableFieldSet = {};
  const values = type.kind === 'map' ? type.values : undefined;
  for (const name in map) {
    if (isDue(pace)) yield;
    const member = values === undefined ? memberOf(type, name) : undefined;
    const value = member === undefined ? map[name] : present(member, map[name], origin);
    const memberType = member?.field.type ?? values;
    if (value === undefined || memberType === undefined) continue;
    const element = member?.element ?? fieldElement(name);
    const shape = shapeOf(memberType, member?.field);
    if (shape === 'scalar' || shape === 'atomic') {
      out[element] = LEAF;
      continue;
    }
    const known = foundAtOnce(value, memberType, shape, member?.field);
    const declared = member !== undefined && member.field !== DEDUCED;
    const below = known?.below ?? (yield* pathsBelow(value, memberType, member?.field, origin, pace));
    putFound(out, element, below, known?.self === true || !declared);
  }
  for (const { field, element, zero } of impliedMembers(type, origin)) {
    if (map[field.name] !== undefined) continue;
    const known = foundAtOnce(zero, field.type, shapeOf(field.type, field), field);
    const below = known?.below ?? (yield* pathsBelow(zero, field.type, field, origin, pace));
    putFound(out, element, below, known?.self === true);
  }
  return out;
}

/** What is known of a value without a look into it; undefined: there are members or items to look at. */
function foundAtOnce(value: unknown, type: FieldType, shape: Shape, field: Field | undefined): Found | undefined {
  switch (shape) {
    case 'scalar':
    case 'atomic':
      return SELF_ONLY;
    case 'keyed':
    case 'set':
      if (asList(value) !== undefined && field !== undefined) return undefined;
      return value === null ? SELF_ONLY : NOTHING;
    case 'deduced':
    case 'struct':
    case 'map':
      if (isEmptyOrNull(value)) return SELF_ONLY;
      if (asMap(value) !== undefined) return undefined;
      // Any JSON that is not a map is one value.
      return type.kind === 'any' ? SELF_ONLY : NOTHING;
  }
}

/** The paths below a value that has members or items. */
function pathsBelow(
  value: unknown,
  type: FieldType,
  field: Field | undefined,
  origin: Origin,
  pace: Pace,
): Steps<FieldSet> {
  const list = asList(value);
  if (list !== undefined && field !== undefined) return fromList(list, type, field, origin, pace);
  return fromMap(asMap(value) ?? {}, type, origin, pace);
}

/** @throws SchemaError when a keyed list has items without keys */
export const toFieldSet = (object: JsonMap, struct: StructType, origin: Origin): Steps<FieldSet> =>
  fromMap(object, { kind: 'struct', struct }, origin, newPace());

/**
 * Adds every struct field that has something below it: upstream does so before subtracting sets, where a field must
 * not survive by its parent alone.
 */
export function* withNamedFields(
  set: FieldSet,
  type: FieldType | undefined,
  field: Field | undefined,
  pace: Pace,
): Steps<FieldSet> {
  const out: MutableFieldSet = {};
  for (const element in set) {
    if (isDue(pace)) yield;
    const node = set[element] ?? LEAF;
    if (element === '.' || isEmptySet(node)) {
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
    const below = yield* withNamedFields(node, childType, child, pace);
    out[element] = named && !('.' in below) ? { '.': LEAF, ...below } : below;
  }
  return out;
}
