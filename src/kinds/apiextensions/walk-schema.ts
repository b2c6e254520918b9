import type { Schema } from './types.js';

const isSchema = (value: Schema | readonly unknown[] | boolean | null | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sortedValues = <T>(map: Readonly<Record<string, T>> | undefined): T[] =>
  map === undefined
    ? []
    : Object.keys(map)
        .sort()
        .map(key => map[key] as T);

/** The schema of a list's items, when it is one. */
export const itemsOf = ({ items }: Schema): Schema | undefined => (isSchema(items) ? items : undefined);

/** The schemas of a list's items, when each has its own. */
export const itemListOf = ({ items }: Schema): readonly Schema[] =>
  Array.isArray(items) ? (items as readonly Schema[]) : [];

/** The schema of members without a property, when there is one. */
export const additionalOf = ({ additionalProperties: given }: Schema): Schema | undefined =>
  isSchema(given) ? given : undefined;

/** A schema and all within it. Source: SchemaHas of apiextensions-apiserver pkg/apis/apiextensions/validation. */
export function* everySchema(schema: Schema | undefined): Generator<Schema, void, void> {
  const left = schema === undefined ? [] : [schema];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    yield one;
    for (const inner of partsOf(one).reverse()) left.push(inner);
  }
}

function partsOf(schema: Schema): Schema[] {
  const parts: (Schema | readonly unknown[] | boolean | null | undefined)[] = [schema.items];
  for (const list of [itemListOf(schema), schema.allOf, schema.anyOf, schema.oneOf])
    for (const part of list ?? []) parts.push(part);
  parts.push(schema.not);
  for (const part of sortedValues(schema.properties)) parts.push(part);
  parts.push(schema.additionalProperties);
  for (const part of sortedValues(schema.patternProperties)) parts.push(part);
  parts.push(schema.additionalItems);
  for (const part of sortedValues(schema.definitions)) parts.push(part);
  for (const part of sortedValues(schema.dependencies)) parts.push(part);
  return parts.filter(isSchema);
}

export function anySchema(schema: Schema | undefined, test: (schema: Schema) => boolean): boolean {
  for (const one of everySchema(schema)) if (test(one)) return true;
  return false;
}
