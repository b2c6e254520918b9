import type { Range } from '../declarations.js';
import type { TypeProvider } from '../provider.js';
import { RESERVED } from '../syntax/reserved-words.js';
import type { Type } from '../types.js';
import type { Value } from '../values.js';
import { declare, maxCardinality, sizeAt, withMetadata, type Declared, type JsonSchema } from './declared.js';
import { createReader } from './values.js';

/** What expressions about data of a schema need of it. */
export interface SchemaType {
  readonly type: Type;
  /** Its structs and theirs. */
  readonly provider: TypeProvider;
  /** How often data of it may be in one request. */
  readonly maxCardinality: number;
  value(json: unknown): Value;
  /** Of a path that begins with any variable of this type. */
  sizeOf(path: readonly string[]): Range | undefined;
}

/**
 * undefined: expressions do not see data of this schema.
 * `isRoot`: it is a resource's, which has apiVersion, kind and metadata.
 */
export function declareSchema(
  schema: JsonSchema,
  { isRoot, name }: { readonly isRoot: boolean; readonly name: string },
): SchemaType | undefined {
  const declared = declare(schema, name, isRoot);
  if (declared === undefined) return undefined;
  return {
    type: declared.type,
    provider: providerOf(declared),
    maxCardinality: maxCardinality(declared),
    value: createReader(isRoot ? withMetadata(schema) : schema),
    sizeOf: path => sizeAt(declared, path),
  };
}

export function providerOf(root: Declared): TypeProvider {
  const structs = new Map<string, ReadonlyMap<string, Declared>>();
  const collect = ({ type, fields, items }: Declared): void => {
    if (items !== undefined) collect(items);
    if (fields === undefined) return;
    structs.set(type.name, fields);
    for (const field of fields.values()) collect(field);
  };
  collect(root);
  return {
    has: name => structs.has(name),
    field(name, field) {
      const fields = structs.get(name);
      return (fields?.get(field) ?? (RESERVED.has(field) ? fields?.get(`__${field}__`) : undefined))?.type;
    },
  };
}
