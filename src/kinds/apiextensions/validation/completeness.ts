import { required, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import type { Schema } from '../types.js';
import { itemsOf } from '../walk-schema.js';

/**
 * What alternatives speak of must be there. `at` is where the schema is, `from` where the alternative is.
 * Source: apiextensions-apiserver pkg/apiserver/schema/complete.go.
 */
export function checkComplete(out: FieldError[], at: FieldPath, from: FieldPath, schema: Schema, rules: Schema): void {
  const { not, allOf = [], anyOf = [], oneOf = [] } = rules;
  if (not !== undefined) checkAlternative(out, at, from.child('not'), schema, not);
  for (const [name, list] of Object.entries({ allOf, anyOf, oneOf }))
    list.forEach((one, i) => checkAlternative(out, at, from.child(name).index(i), schema, one));
}

function checkAlternative(
  out: FieldError[],
  at: FieldPath,
  from: FieldPath,
  schema: Schema | undefined,
  alternative: Schema,
): void {
  if (schema === undefined) return void out.push(required(at, `because it is defined in ${from.toString()}`));
  checkComplete(out, at, from, schema, alternative);
  const items = itemsOf(alternative);
  if (items !== undefined) checkAlternative(out, at.child('items'), from.child('items'), itemsOf(schema), items);
  for (const [name, member] of Object.entries(alternative.properties ?? {})) {
    const known = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
    checkAlternative(out, at.child('properties').key(name), from.child('properties').key(name), known, member);
  }
}
