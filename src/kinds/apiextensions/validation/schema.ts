import { errorList, forbidden, invalid, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { internalSchema, printed } from '../internal-json.js';
import type { Schema, SchemaHolder } from '../types.js';
import { checkTotalCost, MAX_SCHEMA_COST } from './compiled-rules.js';
import { checkDefaults, type DefaultChecks } from '../../../api/structural/check-defaults.js';
import type { JsonSchemaProps } from '../../../api/structural/json-schema-props.js';
import type { Leniency } from './lenient.js';
import { RuleContext, TotalCost } from './rule-context.js';
import { checkKeywords } from './schema-keywords.js';
import { checkStructural } from './structural.js';
import { createStructuralProblem } from './structural-problem.js';

export interface SchemaOptions {
  readonly lenient: Leniency;
  readonly hasStatus: boolean;
  /** Whether it must be structural: nearly always. */
  readonly mustBeStructural: boolean;
  readonly anyRuleCost: boolean;
  readonly objectMeta: DefaultChecks['objectMeta'];
}

/** Source: validateCustomResourceDefinitionValidation of apiextensions-apiserver pkg/apis/apiextensions/validation. */
export function checkSchema(
  out: FieldError[],
  parent: FieldPath,
  holder: SchemaHolder | undefined,
  options: SchemaOptions,
): void {
  const schema = holder?.openAPIV3Schema;
  if (schema === undefined) return;
  const at = parent.child('openAPIV3Schema');
  const found = errorList();
  if (options.hasStatus) checkRootOfStatus(found, at, schema);
  if (schema.nullable === true) found.push(forbidden(at.child('nullable'), 'nullable cannot be true at the root'));
  const structuralProblem = createStructuralProblem();
  const problem = options.mustBeStructural ? structuralProblem(schema) : undefined;
  let rules: RuleContext | undefined;
  if (options.mustBeStructural && problem === undefined) {
    const errors = structureErrors(at, schema, options);
    if (errors.length === 0) rules = RuleContext.root(schema, new TotalCost(MAX_SCHEMA_COST));
    for (const one of errors) found.push(one);
  }
  const checks = {
    lenient: options.lenient,
    errors: errorList(),
    ruleErrors: errorList(),
    structuralProblem,
    anyRuleCost: options.anyRuleCost,
  };
  const around = { noDefault: undefined, insideMeta: false, uncorrelated: undefined, isRoot: true };
  checkKeywords(checks, at, schema, around, rules);
  // The keywords' own errors say it better.
  if (problem !== undefined && found.length + checks.errors.length + checks.ruleErrors.length === 0)
    found.push(invalid(at, '', problem));
  if (rules !== undefined) checkTotalCost(checks, at, rules);
  for (const list of [found, checks.errors, checks.ruleErrors]) for (const one of list) out.push(one);
}

function structureErrors(at: FieldPath, schema: Schema, { lenient, objectMeta }: SchemaOptions): FieldError[] {
  const errors = checkStructural(at, schema);
  return errors.length > 0
    ? errors
    : checkDefaults(at, schema as JsonSchemaProps, { objectMeta, mayHaveUnknown: lenient.unprunedDefaults });
}

/** By the names of the internal type's fields, in their order; undefined: one that may not be there. */
const ROOT_KEYWORDS: readonly (readonly [keyof Schema, string | undefined])[] = [
  ['id', undefined],
  ['$schema', undefined],
  ['$ref', undefined],
  ['description', 'Description'],
  ['type', 'Type'],
  ['nullable', undefined],
  ['format', 'Format'],
  ['title', 'Title'],
  ['default', undefined],
  ['maximum', 'Maximum'],
  ['exclusiveMaximum', 'ExclusiveMaximum'],
  ['minimum', 'Minimum'],
  ['exclusiveMinimum', 'ExclusiveMinimum'],
  ['maxLength', 'MaxLength'],
  ['minLength', 'MinLength'],
  ['pattern', 'Pattern'],
  ['maxItems', 'MaxItems'],
  ['minItems', 'MinItems'],
  ['uniqueItems', 'UniqueItems'],
  ['multipleOf', 'MultipleOf'],
  ['enum', undefined],
  ['maxProperties', undefined],
  ['minProperties', undefined],
  ['required', 'Required'],
  ['items', 'Items'],
  ['allOf', undefined],
  ['oneOf', undefined],
  ['anyOf', undefined],
  ['not', undefined],
  ['properties', 'Properties'],
  ['additionalProperties', undefined],
  ['patternProperties', undefined],
  ['dependencies', undefined],
  ['additionalItems', undefined],
  ['definitions', undefined],
  ['externalDocs', 'ExternalDocs'],
  ['example', 'Example'],
  ['x-kubernetes-preserve-unknown-fields', 'XPreserveUnknownFields'],
  ['x-kubernetes-embedded-resource', undefined],
  ['x-kubernetes-int-or-string', undefined],
  ['x-kubernetes-list-map-keys', undefined],
  ['x-kubernetes-list-type', undefined],
  ['x-kubernetes-map-type', undefined],
  ['x-kubernetes-validations', 'XValidations'],
];
const ALLOWED = ROOT_KEYWORDS.flatMap(([, name]) => name ?? []).join(' ');

/** A status is validated by its own schema alone: what the root says besides would be lost. */
function checkRootOfStatus(out: FieldError[], at: FieldPath, schema: Schema): void {
  for (const [keyword, name] of ROOT_KEYWORDS) {
    if (schema[keyword] === undefined) continue;
    if (keyword === 'type') {
      if (schema.type === 'object') continue;
      const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return void out.push(invalid(at.child('type'), schema.type, why));
    }
    if (name !== undefined) continue;
    const shown = printed(() => internalSchema(schema));
    const why = `only [${ALLOWED}] fields are allowed at the root of the schema if the status subresource is enabled`;
    return void out.push(invalid(at, shown, why));
  }
}
