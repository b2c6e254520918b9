import type { FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';

type Visitor = (object: JsonObject) => void;

/**
 * Makes empty lists that Go always writes null, as they come back from upstream's store: protobuf does not tell an
 * empty list from an absent one. managedFields, made before, do: who sends `rules: []` owns the rules. Mutates.
 */
export function createEmptyListVisitor(struct: StructType): Visitor | undefined {
  return compile(struct, new Map());
}

/** undefined: nothing inside the type is such a list. Recursive types (JSON schemas) find themselves in `known`. */
function compile(struct: StructType, known: Map<StructType, Visitor | undefined>): Visitor | undefined {
  if (known.has(struct)) return known.get(struct);
  known.set(struct, undefined);
  const lists = struct.fields.filter(f => f.type.kind === 'list' && f.omit === 'never' && !f.pointer).map(f => f.name);
  const nested = struct.fields.flatMap(field => {
    const inner = structOf(field.type);
    const visit = inner === undefined ? undefined : compile(inner, known);
    return visit === undefined ? [] : [{ name: field.name, visit }];
  });
  if (lists.length === 0 && nested.length === 0) return undefined;
  const visitor: Visitor = object => {
    for (const name of lists) {
      const value = object[name];
      if (Array.isArray(value) && value.length === 0) object[name] = null;
    }
    for (const { name, visit } of nested) visitAll(object[name], visit);
  };
  known.set(struct, visitor);
  return visitor;
}

/** Maps of structs are left alone: no built-in type has such a list inside one. */
function structOf(type: FieldType): StructType | undefined {
  if (type.kind === 'list') return structOf(type.items);
  return type.kind === 'struct' ? type.struct : undefined;
}

function visitAll(value: unknown, visit: Visitor): void {
  if (Array.isArray(value)) for (const item of value) visitAll(item, visit);
  else if (typeof value === 'object' && value !== null) visit(value as JsonObject);
}
