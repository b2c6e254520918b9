import { compareText } from '../../../machinery/compare-text.js';
import {
  errorList,
  formatFieldError,
  forbidden,
  invalid,
  path,
  required,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.js';
import type { Schema } from '../types.js';
import { additionalOf, itemsOf } from '../walk-schema.js';
import { checkComplete } from './completeness.js';
import { checkNestedRules, type Level } from './nested.js';
import { createStructuralProblem } from './structural-problem.js';

/**
 * What makes a schema structural: it says at every place what there is, in one way, and alternatives only restrict it.
 * Source: apiextensions-apiserver pkg/apiserver/schema/validation.go, which sorts its errors.
 */
export function checkStructural(at: FieldPath, schema: Schema): FieldError[] {
  const found = errorList();
  checkPlace(found, at, schema, 'root');
  checkComplete(found, at, at, schema, schema);
  return found
    .map(error => ({ error, text: formatFieldError(error) }))
    .sort((a, b) => compareText(a.text, b.text))
    .map(({ error }) => error);
}

export const isStructural = (schema: Schema): boolean =>
  createStructuralProblem()(schema) === undefined && checkStructural(path('schema'), schema).length === 0;

const MISSING_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkPlace(out: FieldError[], at: FieldPath, schema: Schema, level: Level): void {
  const { type = '', properties = {}, additionalProperties } = schema;
  const items = itemsOf(schema);
  if (type === 'array' && items === undefined) out.push(required(at.child('items'), 'must be specified'));
  if (items !== undefined) checkPlace(out, at.child('items'), items, 'item');
  for (const [name, member] of Object.entries(properties))
    checkPlace(out, at.child('properties').key(name), member, 'field');
  const additional = additionalOf(schema);
  if (additionalProperties !== undefined && level === 'root')
    out.push(forbidden(at.child('additionalProperties'), 'must not be used at the root'));
  if (additional !== undefined) checkPlace(out, at.child('additionalProperties'), additional, 'field');
  checkExtensions(out, at, schema);
  checkNestedRules(out, at, schema, isIntOrString(schema.anyOf), isIntOrString(schema.allOf?.[0]?.anyOf));
  checkType(out, at, schema, level);
  checkMetaFields(out, at, schema, level);
}

function checkExtensions(out: FieldError[], at: FieldPath, schema: Schema): void {
  if (schema['x-kubernetes-int-or-string'] !== true) return;
  for (const extension of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const)
    if (schema[extension] === true)
      out.push(invalid(at.child(extension), true, 'must be false if x-kubernetes-int-or-string is true'));
}

function checkType(out: FieldError[], at: FieldPath, schema: Schema, level: Level): void {
  const { type = '' } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const isOpen =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const where = at.child('type');
  if (isEmbedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    out.push(type === '' ? required(where, why) : invalid(where, type, why));
  } else if (type === '' && !isOpen) out.push(required(where, MISSING_TYPE[level]));
  if (isEmbedded && schema.additionalProperties !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set';
    out.push(forbidden(at.child('additionalProperties'), why));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    out.push(invalid(where, type, 'must be object at the root'));
}

/** The members that every object of the API has. */
function checkMetaFields(out: FieldError[], at: FieldPath, schema: Schema, level: Level): void {
  const { properties = {} } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const isObject = level === 'root' || isEmbedded;
  const typeOf = (name: string, wanted: string): void => {
    const { type = '' } = properties[name] ?? {};
    const where = at.child('properties').key(name).child('type');
    if (isObject && Object.hasOwn(properties, name) && type !== wanted)
      out.push(invalid(where, type, `must be ${wanted}`));
  };
  typeOf('kind', 'string');
  typeOf('apiVersion', 'string');
  typeOf('metadata', 'object');
  if (level === 'root' && Object.hasOwn(properties, 'metadata') && !isPlainMetadata(properties['metadata'] ?? {}))
    out.push(
      forbidden(
        at.child('properties').key('metadata'),
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  if (isEmbedded && schema['x-kubernetes-preserve-unknown-fields'] !== true && Object.keys(properties).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    out.push(required(at.child('properties'), why));
  }
}

/** What a structural schema has no room for, so that nobody looks at it. */
const UNSEEN: ReadonlySet<string> = new Set(['example', 'externalDocs', '$ref']);
const NAMES: ReadonlySet<string> = new Set(['name', 'generateName']);

function isPlainMetadata(metadata: Schema): boolean {
  const names = Object.keys(metadata.properties ?? {});
  if (names.some(name => !NAMES.has(name))) return false;
  const plain = new Set(['type', 'default', 'properties']);
  return Object.keys(metadata).every(key => plain.has(key) || UNSEEN.has(key));
}

/** The alternatives that x-kubernetes-int-or-string may spell out: an integer or a string, in this order. */
function isIntOrString(alternatives: readonly Schema[] | undefined): boolean {
  if (alternatives?.length !== 2) return false;
  return ['integer', 'string'].every(
    (type, i) =>
      Object.entries(alternatives[i] ?? {}).every(
        ([key, value]) =>
          (key === 'type' && value === type) || UNSEEN.has(key) || (key === 'additionalProperties' && value === false),
      ) && alternatives[i]?.type === type,
  );
}
