import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';

/** What Go writes for the zero value of a type that is always written. Fresh for each call. */
export function zeroValue(type: FieldType): unknown {
  switch (type.kind) {
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'struct':
      return zeroStruct(type.struct);
    case 'bytes':
    case 'time':
    case 'microTime':
    case 'any':
    case 'list':
    case 'map':
      return null;
  }
}

export function zeroStruct(struct: StructType): JsonObject {
  const object: JsonObject = {};
  for (const field of struct.fields)
    if (field.omit === 'never') object[field.name] = field.pointer ? null : zeroValue(field.type);
  return object;
}

/**
 * Stands for a map without members: whoever reads knows, and to ask the map itself takes the longer the bigger it is.
 */
export const EMPTY_MAP: JsonObject = Object.freeze({});

/** Whether omitempty drops a value that is there. Go drops no structs: their fields are never 'empty' (see link-types). */
function isZero(value: unknown, type: FieldType): boolean {
  // An empty name is not the number 0.
  if (value === '') return type.kind !== 'intOrString';
  if (value === 0 || value === false || value === EMPTY_MAP) return true;
  return type.kind === 'list' && (value as unknown[]).length === 0;
}

/** `managedFields: []` asks the server to forget them: Go, which has nil too, tells it from an absent list. */
const isRequestWhenEmpty = (field: Field): boolean => field.name === 'managedFields' && field.type.kind === 'list';

/**
 * The object that Go would write for a struct with these values, one per field and undefined where nothing was read
 * (EMPTY_MAP for an empty map):
 * zero values are dropped or filled in as the JSON tags say; an empty list that is always written stays one, not null.
 * Fields come in Go's order.
 */
export function finishStruct(fields: readonly Field[], values: readonly unknown[]): JsonObject {
  const object: JsonObject = {};
  for (let i = 0; i < fields.length; i++) {
    const value = values[i];
    const field = fields[i] as Field;
    if (value === undefined) {
      if (field.omit === 'never') object[field.name] = field.pointer ? null : zeroValue(field.type);
    } else if (field.pointer || !isZero(value, field.type) || isRequestWhenEmpty(field))
      object[field.name] = value === EMPTY_MAP ? {} : value;
    else if (field.omit === 'never') object[field.name] = Array.isArray(value) ? value : zeroValue(field.type);
  }
  return object;
}
