import { quote } from './go-text.js';
import type { Field, FieldType } from './schema.js';
import { reasonlessError } from './status.js';

/** Where in the schema a map is merged: a struct, or something below which there is none. */
export type Schema = FieldType | undefined;

export interface ListRules {
  readonly items: Schema;
  readonly merges: boolean;
  /** "" for lists of primitives. */
  readonly mergeKey: string;
}

export const KINDS: Record<FieldType['kind'], string> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int32',
  number: 'float64',
  bytes: 'slice',
  quantity: 'struct',
  intOrString: 'struct',
  time: 'struct',
  microTime: 'struct',
  any: 'struct',
  struct: 'struct',
  list: 'slice',
  map: 'map',
};

export function lookup(schema: Schema, name: string): Field {
  if (schema?.kind !== 'struct') {
    const kind = schema === undefined ? 'invalid' : KINDS[schema.kind];
    throw reasonlessError(`merging an object in json but data type is not struct, instead is: ${kind}`);
  }
  const { struct } = schema;
  const field = struct.byName.get(name) ?? struct.fields.find(f => f.name.toLowerCase() === name.toLowerCase());
  if (field === undefined) {
    throw reasonlessError(`unable to find api field in struct ${struct.goName} for the json field ${quote(name)}`);
  }
  return field;
}

/** The strategy beside retainKeys, which patches state by a directive. */
export const strategyOf = (field: Field): string =>
  (field.patchStrategy ?? '').split(',').find(strategy => strategy !== 'retainKeys') ?? '';

export function lookupList(schema: Schema, name: string): ListRules {
  const field = lookup(schema, name);
  if (field.type.kind !== 'list' && field.type.kind !== 'bytes') {
    throw reasonlessError('expected slice or array type, but got: struct');
  }
  return {
    items: field.type.kind === 'list' ? field.type.items : undefined,
    merges: strategyOf(field) === 'merge',
    mergeKey: field.patchMergeKey ?? '',
  };
}
