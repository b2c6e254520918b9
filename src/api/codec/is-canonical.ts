import { canonicalTime, GoTimeError } from '../../machinery/go-time.js';
import type { Field, FieldType, StructType } from '../../machinery/schema.js';

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Whether a struct's reader would give back the same value: nothing unknown, nothing that Go drops or fills in, scalars
 * in their one spelling. Reads only, and costs a small part of reading. Says no where it does not know: of types that
 * ObjectMeta has not.
 */
export function isCanonicalStruct(value: unknown, struct: StructType): boolean {
  if (!isMembers(value)) return false;
  let always = 0;
  for (const name in value) {
    const member = value[name];
    if (member === undefined) continue;
    const field = struct.byName.get(name);
    if (field === undefined || !isCanonicalField(member, field)) return false;
    if (field.omit === 'never') always++;
  }
  return always === alwaysWritten(struct);
}

const counted = new WeakMap<StructType, number>();

/** How many fields are written whether they have a value or not. */
function alwaysWritten(struct: StructType): number {
  let count = counted.get(struct);
  if (count === undefined) counted.set(struct, (count = struct.fields.filter(field => field.omit === 'never').length));
  return count;
}

function isCanonicalField(value: unknown, field: Field): boolean {
  if (field.omit !== 'never' && !field.pointer && isEmpty(value)) return false;
  return isCanonicalValue(value, field.type);
}

/** Zero, or without members. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return value === '' || value === 0 || value === false;
  for (const key in value) if ((value as Members)[key] !== undefined) return false;
  return true;
}

function isCanonicalValue(value: unknown, type: FieldType): boolean {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' && value.isWellFormed();
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value) && (type.bits === 64 || (value as number) === ((value as number) | 0));
    case 'time':
      return typeof value === 'string' && isCanonicalTime(value);
    case 'any':
      return isMembers(value);
    case 'struct':
      return isCanonicalStruct(value, type.struct);
    case 'list':
      return Array.isArray(value) && value.every(item => isCanonicalValue(item, type.items));
    case 'map':
      return isMembers(value) && hasCanonicalValues(value, type.values);
    default:
      return false;
  }
}

function hasCanonicalValues(map: Members, values: FieldType): boolean {
  for (const key in map) if (!key.isWellFormed() || !isCanonicalValue(map[key], values)) return false;
  return true;
}

function isCanonicalTime(text: string): boolean {
  try {
    return canonicalTime(text, 'seconds') === text;
  } catch (error) {
    if (error instanceof GoTimeError) return false;
    throw error;
  }
}
