import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import { roundUpToMilli } from '../../machinery/quantity-format.js';
import type { JsonObject } from '../../machinery/types.js';

type Defaulter = (object: JsonObject) => void;

/** undefined: nothing inside the type has a default. */
const compiled = new WeakMap<StructType, Defaulter | undefined>();

/**
 * Fills in the defaults that the schema says (e.g. a port's protocol), as Go's generated defaulting does: where a
 * pointer is absent, or a plain field zero. What depends on other fields is the strategies' part. Mutates.
 */
export function applyDefaults(object: JsonObject, struct: StructType): void {
  defaulterOf(struct)?.(object);
}

function defaulterOf(struct: StructType): Defaulter | undefined {
  if (!compiled.has(struct)) compiled.set(struct, hasDefaults(struct, new Set()) ? compile(struct) : undefined);
  return compiled.get(struct);
}

const isOwnDefault = (field: Field): boolean =>
  field.default !== undefined && (field.pointer || !isZero(field.default));

const isZero = (value: unknown): boolean => value === undefined || value === '' || value === 0 || value === false;

/** A v1.ResourceList. */
const isResourceList = (type: FieldType): boolean => type.kind === 'map' && type.values.kind === 'quantity';

/** Resources are counted in thousandths at most. Mutates. */
function roundResources(resources: unknown): void {
  if (typeof resources !== 'object' || resources === null) return;
  const list = resources as JsonObject;
  for (const name in list) {
    const amount = list[name];
    if (typeof amount !== 'string') continue;
    const rounded = roundUpToMilli(amount);
    if (rounded !== amount) list[name] = rounded;
  }
}

function structOf(type: FieldType): StructType | undefined {
  if (type.kind === 'list') return structOf(type.items);
  if (type.kind === 'map') return structOf(type.values);
  return type.kind === 'struct' ? type.struct : undefined;
}

function hasDefaults(struct: StructType, seen: Set<StructType>): boolean {
  if (seen.has(struct)) return false;
  seen.add(struct);
  return struct.fields.some(field => {
    const inner = structOf(field.type);
    return isOwnDefault(field) || isResourceList(field.type) || (inner !== undefined && hasDefaults(inner, seen));
  });
}

function compile(struct: StructType): Defaulter {
  const own = struct.fields.filter(isOwnDefault);
  const nested = struct.fields.flatMap(field => {
    const inner = structOf(field.type);
    return inner !== undefined && hasDefaults(inner, new Set()) ? [{ field, inner }] : [];
  });
  const lists = struct.fields.filter(field => isResourceList(field.type)).map(field => field.name);
  return object => {
    for (const name of lists) roundResources(object[name]);
    for (const field of own) {
      const value = object[field.name];
      if (field.pointer ? value === undefined || value === null : isZero(value))
        object[field.name] = fresh(field.default);
    }
    for (const { field, inner } of nested) visit(object[field.name], field.type, inner);
  };
}

const fresh = (value: unknown): unknown =>
  typeof value === 'object' ? (JSON.parse(JSON.stringify(value)) as unknown) : value;

function visit(value: unknown, type: FieldType, inner: StructType): void {
  if (typeof value !== 'object' || value === null) return;
  if (type.kind === 'list') for (const item of value as unknown[]) visit(item, type.items, inner);
  else if (type.kind === 'map') for (const item of Object.values(value)) visit(item, type.values, inner);
  else applyDefaults(value as JsonObject, inner);
}
