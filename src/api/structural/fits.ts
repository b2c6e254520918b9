import { isDue, type Pace } from '../../machinery/pace.js';
import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import { itemElement, SchemaError, shapeOf } from '../../machinery/managed-fields/shape.js';
import type { Steps } from '../../machinery/steps.js';
import { isMap } from './walk.js';

/**
 * Whether an object has the types that its schema says: only then does upstream know who owns what in it. Values are
 * checked later, and not all of them: a status that a main write drops may be anything. What sets repeat is no matter
 * here. Source: structured-merge-diff typed/validate.go, with AllowDuplicates.
 */
export const fitsStruct = (object: unknown, struct: StructType, pace: Pace): Steps<boolean> =>
  fits(object, { kind: 'struct', struct }, undefined, pace);

function* fits(value: unknown, type: FieldType, field: Field | undefined, pace: Pace): Steps<boolean> {
  if (typeof value !== 'object' || value === null) return scalarFits(value, type);
  switch (type.kind) {
    case 'struct':
    case 'map':
      return isMap(value) && (yield* membersFit(value, type, pace));
    case 'list':
      return Array.isArray(value) && (yield* itemsFit(value, type, field, pace));
    default:
      return type.kind === 'any';
  }
}

/** What is no map and no list. */
function scalarFits(value: unknown, type: FieldType): boolean {
  if (value === null || value === undefined) return true;
  switch (type.kind) {
    case 'struct':
    case 'map':
    case 'list':
      return false;
    case 'integer':
    case 'number':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return true;
  }
}

function* membersFit(
  map: Record<string, unknown>,
  type: Extract<FieldType, { kind: 'struct' | 'map' }>,
  pace: Pace,
): Steps<boolean> {
  for (const name in map) {
    if (isDue(pace)) yield;
    const field = type.kind === 'struct' ? type.struct.byName.get(name) : undefined;
    const member = type.kind === 'map' ? type.values : field?.type;
    if (member === undefined) continue;
    const value = map[name];
    const isScalar = typeof value !== 'object' || value === null;
    if (!(isScalar ? scalarFits(value, member) : yield* fits(value, member, field, pace))) return false;
  }
  return true;
}

function* itemsFit(
  list: readonly unknown[],
  type: Extract<FieldType, { kind: 'list' }>,
  field: Field | undefined,
  pace: Pace,
): Steps<boolean> {
  const shape = shapeOf(type, field);
  for (const item of list) {
    if (isDue(pace)) yield;
    if (field !== undefined && (shape === 'keyed' || shape === 'set') && !hasElement(item, shape, field, type.items))
      return false;
    if (!(yield* fits(item, type.items, undefined, pace))) return false;
  }
  return true;
}

/** Whether an item can be told from the others. */
function hasElement(item: unknown, shape: 'keyed' | 'set', field: Field, items: FieldType): boolean {
  try {
    itemElement(item, shape, field, items);
    return true;
  } catch (error) {
    if (error instanceof SchemaError) return false;
    throw error;
  }
}
