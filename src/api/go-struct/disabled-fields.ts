import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';

type Drop = (object: JsonObject) => void;

/** undefined: nothing in the type is disabled, which is what nearly all types come to. */
const compiled = new WeakMap<StructType, { readonly drop: Drop | undefined }>();

/**
 * Removes the fields whose feature gates are off from an object of the type. Mutates. An optional struct that has
 * nothing else goes with its field. Only the ways that lead to such fields are walked.
 */
export function dropDisabledFields(object: object, type: StructType): void {
  dropperOf(type, new Set())?.(object as JsonObject);
}

/** `open`: the types being compiled: a recursive one (JSONSchemaProps) adds nothing that it does not have itself. */
function dropperOf(type: StructType, open: ReadonlySet<StructType>): Drop | undefined {
  const known = compiled.get(type);
  if (known !== undefined) return known.drop;
  if (open.has(type)) return undefined;
  const inside = new Set([...open, type]);
  const drops = type.fields.flatMap(field => fieldDrop(field, inside) ?? []);
  const drop: Drop | undefined =
    drops.length === 0
      ? undefined
      : object => {
          for (const one of drops) one(object);
        };
  compiled.set(type, { drop });
  return drop;
}

function fieldDrop(field: Field, open: ReadonlySet<StructType>): Drop | undefined {
  const { name } = field;
  if (field.disabled === true)
    return object => {
      delete object[name];
    };
  const inner = valueDrop(field.type, open);
  if (inner === undefined) return undefined;
  const optional = field.pointer && field.type.kind === 'struct';
  return object => {
    const value = object[name];
    if (typeof value !== 'object' || value === null) return;
    const before = optional ? Object.keys(value).length : 0;
    inner(value as JsonObject);
    if (before > 0 && Object.keys(value).length === 0) delete object[name];
  };
}

function valueDrop(type: FieldType, open: ReadonlySet<StructType>): Drop | undefined {
  if (type.kind === 'struct') return dropperOf(type.struct, open);
  if (type.kind !== 'list' && type.kind !== 'map') return undefined;
  const inner = valueDrop(type.kind === 'list' ? type.items : type.values, open);
  if (inner === undefined) return undefined;
  return values => {
    for (const value of Object.values(values))
      if (typeof value === 'object' && value !== null) inner(value as JsonObject);
  };
}
