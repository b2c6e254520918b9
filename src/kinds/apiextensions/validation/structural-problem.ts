import type { Schema } from '../types.js';
import { additionalOf, itemListOf, itemsOf } from '../walk-schema.js';

/**
 * Why a schema cannot be made structural, whether it is valid or not; undefined: it can. Each schema is looked at once.
 * Source: NewStructural of apiextensions-apiserver pkg/apiserver/schema/convert.go.
 */
export type StructuralProblem = (schema: Schema) => string | undefined;

export function createStructuralProblem(): StructuralProblem {
  const known = new Map<Schema, string | undefined>();
  const problemOf = (schema: Schema): string | undefined => {
    if (known.has(schema)) return known.get(schema);
    const problem = find(schema);
    known.set(schema, problem);
    return problem;
  };
  const first = (schemas: Iterable<Schema>): string | undefined => {
    for (const schema of schemas) {
      const problem = problemOf(schema);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  function find(schema: Schema): string | undefined {
    const own = unsupported(schema);
    if (own !== undefined) return own;
    const { not, allOf = [], anyOf = [], oneOf = [] } = schema;
    const nested = first([...(not === undefined ? [] : [not]), ...allOf, ...anyOf, ...oneOf]);
    if (nested !== undefined) return nested;
    if (schema['x-kubernetes-preserve-unknown-fields'] === false)
      return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
    if (itemListOf(schema).length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
    const inside = [itemsOf(schema), ...Object.values(schema.properties ?? {}), additionalOf(schema)];
    return first(inside.filter(one => one !== undefined));
  }
  return problemOf;
}

const isEmpty = (map: object | undefined): boolean => map === undefined || Object.keys(map).length === 0;

function unsupported(schema: Schema): string | undefined {
  const not = (word: string): string => `OpenAPIV3Schema '${word}' is not supported`;
  if ((schema.id ?? '') !== '') return not('id');
  if ((schema.$schema ?? '') !== '') return not('schema');
  if ((schema.$ref ?? '') !== '') return not('$ref');
  if (!isEmpty(schema.patternProperties)) return not('patternProperties');
  if (!isEmpty(schema.dependencies)) return not('dependencies');
  if (schema.additionalItems !== undefined) return not('additionalItems');
  if (!isEmpty(schema.definitions)) return not('definitions');
  return undefined;
}
