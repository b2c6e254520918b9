import { forbidden, invalid, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { compileGoRegex } from '../../../machinery/regex/go-regex.js';
import { RegexError } from '../../../machinery/regex/syntax.js';
import type { Schema } from '../types.js';
import { itemsOf } from '../walk-schema.js';

export type Level = 'root' | 'item' | 'field';

/** What alternatives may not say: they are no place for what values are, only for what is asked of them. */
const EMPTY = 'must be empty to be structural';
const UNDEFINED = 'must be undefined to be structural';
const FALSE = 'must be false to be structural';
const FORBIDDEN: readonly (readonly [keyof Schema, string])[] = [
  ['type', EMPTY],
  ['default', UNDEFINED],
  ['title', EMPTY],
  ['description', EMPTY],
  ['nullable', FALSE],
  ['x-kubernetes-preserve-unknown-fields', FALSE],
  ['x-kubernetes-embedded-resource', FALSE],
  ['x-kubernetes-int-or-string', FALSE],
  ['x-kubernetes-list-map-keys', EMPTY],
  ['x-kubernetes-list-type', UNDEFINED],
  ['x-kubernetes-map-type', UNDEFINED],
  ['x-kubernetes-validations', EMPTY],
];

/** `skipsAnyOf`, `skipsFirst`: int-or-string spells its types out there, in anyOf or in the anyOf of the first allOf. */
export function checkNestedRules(
  out: FieldError[],
  at: FieldPath,
  schema: Schema,
  skipsAnyOf = false,
  skipsFirst = false,
): void {
  const { anyOf = [], allOf = [], oneOf = [], not, pattern = '' } = schema;
  if (!skipsAnyOf) anyOf.forEach((one, i) => checkNested(out, at.child('anyOf').index(i), one));
  allOf.forEach((one, i) => checkNested(out, at.child('allOf').index(i), one, skipsFirst && i === 0));
  oneOf.forEach((one, i) => checkNested(out, at.child('oneOf').index(i), one));
  if (not !== undefined) checkNested(out, at.child('not'), not);
  if (pattern === '') return;
  try {
    compileGoRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const why = `must be a valid regular expression, but isn't: ${error.message}`;
    out.push(invalid(at.child('pattern'), pattern, why));
  }
}

function checkNested(out: FieldError[], at: FieldPath, schema: Schema, skipsAnyOf = false): void {
  checkNestedRules(out, at, schema, skipsAnyOf);
  const items = itemsOf(schema);
  if (items !== undefined) checkNested(out, at.child('items'), items);
  for (const [name, member] of Object.entries(schema.properties ?? {}))
    checkNested(out, at.child('properties').key(name), member);
  const { additionalProperties: additional = false } = schema;
  if (additional !== false) out.push(forbidden(at.child('additionalProperties'), UNDEFINED));
  for (const [keyword, why] of FORBIDDEN) if (isSet(schema[keyword])) out.push(forbidden(at.child(keyword), why));
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, 'metadata'))
    out.push(forbidden(at.child('properties').key('metadata'), 'must not be specified in a nested context'));
}

/** An empty text is a list type all the same, but no type. */
const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;
