import {
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.js';
import type { Schema } from '../types.js';
import { additionalOf, itemListOf, itemsOf } from '../walk-schema.js';
import { checkListKeywords, checkMapKeys } from './list-keywords.js';
import type { RuleContext } from './rule-context.js';
import { checkRules } from './rules.js';
import type { SchemaChecks } from './schema-checks.js';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const META_FIELDS: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion']);

export const isUnknownType = ({ type = '' }: Schema): boolean => type !== '' && !TYPES.includes(type);

/** What a place inherits from those around it. */
export interface Surroundings {
  /** Why there may be no default; undefined: there may. */
  readonly noDefault: string | undefined;
  readonly insideMeta: boolean;
  /** From where on old values are not known to belong to new ones. */
  readonly uncorrelated: FieldPath | undefined;
  readonly isRoot: boolean;
}

/**
 * Keywords that definitions may not use, or not so. Errors of rules stand behind those of schemas.
 * Source: ValidateCustomResourceDefinitionOpenAPISchema of apiextensions-apiserver pkg/apis/apiextensions/validation.
 */
export function checkKeywords(
  checks: SchemaChecks,
  at: FieldPath,
  schema: Schema,
  around: Surroundings,
  rules: RuleContext | undefined,
): void {
  const { errors, lenient } = checks;
  const before = errors.length;
  const inside = { ...around, isRoot: false };
  checkUnsupported(errors, at, schema, around, lenient.unknownTypes);
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbidden(at.child('uniqueItems'), why));
  }
  checkAdditional(checks, at, schema, inside, rules);
  for (const name of Object.keys(schema.properties ?? {}).sort()) {
    const member = schema.properties?.[name] ?? {};
    const here = propertySurroundings(schema, name, around, at);
    checkKeywords(checks, at.child('properties').key(name), member, here, rules?.property(name, member));
  }
  if (schema.not !== undefined) checkKeywords(checks, at.child('not'), schema.not, inside, undefined);
  for (const list of ['allOf', 'oneOf', 'anyOf'] as const)
    schema[list]?.forEach((one, i) => checkKeywords(checks, at.child(list).index(i), one, inside, undefined));
  for (const [name, one] of Object.entries(schema.definitions ?? {}))
    checkKeywords(checks, at.child('definitions').key(name), one, inside, undefined);
  checkItems(checks, at, schema, inside, rules);
  for (const [name, one] of Object.entries(schema.dependencies ?? {}))
    if (one !== null && !Array.isArray(one))
      checkKeywords(checks, at.child('dependencies').key(name), one as Schema, inside, undefined);
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(at.child('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'));
  checkMapType(errors, at, schema);
  checkListKeywords(errors, at, schema, lenient.setsOfMaps);
  if (!lenient.looseMapKeys) checkMapKeys(errors, at, schema);
  checkRules(checks, at, schema, around.uncorrelated, rules, before);
}

function checkUnsupported(
  out: FieldError[],
  at: FieldPath,
  schema: Schema,
  { noDefault, insideMeta }: Surroundings,
  unknownTypes: boolean,
): void {
  if (!unknownTypes && isUnknownType(schema)) out.push(notSupported(at.child('type'), schema.type, TYPES));
  if (schema.default !== undefined && noDefault !== undefined)
    out.push(forbidden(at.child('default'), `must not be set ${noDefault}`));
  const not = (keyword: string): void => void out.push(forbidden(at.child(keyword), `${keyword} is not supported`));
  if ((schema.id ?? '') !== '') not('id');
  for (const keyword of ['additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const)
    if (schema[keyword] !== undefined) not(keyword);
  if (schema.type === 'null')
    out.push(forbidden(at.child('type'), 'type cannot be set to null, use nullable as an alternative'));
  if (itemListOf(schema).length > 0)
    out.push(forbidden(at.child('items'), 'items must be a schema object and not an array'));
  if (insideMeta && schema['x-kubernetes-embedded-resource'] === true)
    out.push(forbidden(at.child('x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'));
}

function checkAdditional(
  checks: SchemaChecks,
  at: FieldPath,
  schema: Schema,
  around: Surroundings,
  rules: RuleContext | undefined,
): void {
  const { additionalProperties } = schema;
  const where = at.child('additionalProperties');
  if (additionalProperties === undefined) return;
  if (Object.keys(schema.properties ?? {}).length > 0 && additionalProperties !== true)
    checks.errors.push(forbidden(where, 'additionalProperties and properties are mutual exclusive'));
  const additional = additionalOf(schema);
  if (additional === undefined) return;
  const here = around.insideMeta
    ? { ...around, noDefault: 'inside additionalProperties applying to object metadata' }
    : around;
  checkKeywords(checks, where, additional, here, rules?.additional(additional));
}

function propertySurroundings(schema: Schema, name: string, around: Surroundings, at: FieldPath): Surroundings {
  const mapType = schema['x-kubernetes-map-type'] ?? 'granular';
  const isKnownAgain = mapType === 'granular' || mapType === 'atomic';
  const inside = { ...around, isRoot: false, uncorrelated: around.uncorrelated ?? (isKnownAgain ? undefined : at) };
  if (!META_FIELDS.has(name)) return inside;
  if (!around.isRoot && schema['x-kubernetes-embedded-resource'] !== true) return inside;
  return { ...inside, insideMeta: true, ...(around.isRoot ? { noDefault: `in top-level ${name}` } : {}) };
}

/** Only items of lists with keys are known again after a change. */
function checkItems(
  checks: SchemaChecks,
  at: FieldPath,
  schema: Schema,
  around: Surroundings,
  rules: RuleContext | undefined,
): void {
  const isKnownAgain = schema['x-kubernetes-list-type'] === 'map';
  const here = { ...around, uncorrelated: around.uncorrelated ?? (isKnownAgain ? undefined : at) };
  const items = itemsOf(schema);
  if (items !== undefined) checkKeywords(checks, at.child('items'), items, here, rules?.items(items));
  itemListOf(schema).forEach((one, i) =>
    checkKeywords(checks, at.child('items').index(i), one, here, rules?.items(one)),
  );
}

function checkMapType(out: FieldError[], at: FieldPath, schema: Schema): void {
  const { type = '', 'x-kubernetes-map-type': mapType } = schema;
  if (mapType === undefined) return;
  const why = 'must be object if x-kubernetes-map-type is specified';
  if (type === '') out.push(required(at.child('type'), why));
  else if (type !== 'object') out.push(invalid(at.child('type'), type, why));
  if (mapType !== 'atomic' && mapType !== 'granular')
    out.push(notSupported(at.child('x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
}
