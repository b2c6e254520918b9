import { invalid, notSupported, required, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { trimSpace } from '../../../machinery/go-space.js';
import { jsonString } from '../internal-json.js';
import type { JsonSchemaProps } from '../../../api/structural/json-schema-props.js';
import type { Rule, Schema } from '../types.js';
import { checkCompiledRules } from './compiled-rules.js';
import { createFieldFinder, FieldPathError, type FieldFinder } from '../../../api/structural/field-path.js';
import type { RuleContext } from './rule-context.js';
import type { SchemaChecks } from './schema-checks.js';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

const hasLineBreaks = (text: string): boolean => text.includes('\n') || text.includes('\r');

/**
 * x-kubernetes-validations. `before`: how many errors there were before this place; with one here or below, nothing is
 * compiled, as the types that rules are about are not known.
 */
export function checkRules(
  checks: SchemaChecks,
  at: FieldPath,
  schema: Schema,
  uncorrelated: FieldPath | undefined,
  context: RuleContext | undefined,
  before: number,
): void {
  const { 'x-kubernetes-validations': rules = [] } = schema;
  if (rules.length === 0) return;
  const where = at.child('x-kubernetes-validations');
  // What cannot be made structural has no fields that could be looked for.
  const find =
    checks.structuralProblem(schema) === undefined
      ? createFieldFinder(schema as JsonSchemaProps, { brackets: true })
      : undefined;
  rules.forEach((rule, i) => {
    checkTexts(checks.errors, where.index(i), rule);
    checkTarget(checks.errors, where.index(i), rule, find);
  });
  if (checks.errors.length === before && context !== undefined)
    checkCompiledRules(checks, where, rules, context, uncorrelated);
}

function checkTexts(out: FieldError[], at: FieldPath, rule: Rule): void {
  const { message = '', messageExpression = '', reason } = rule;
  const own = trimSpace(rule.rule ?? '');
  const text = trimSpace(message);
  if (own === '') out.push(required(at.child('rule'), 'rule is not specified'));
  else if (message !== '' && text === '')
    out.push(invalid(at.child('message'), message, 'must be non-empty if specified'));
  else if (hasLineBreaks(text)) out.push(invalid(at.child('message'), message, 'must not contain line breaks'));
  else if (hasLineBreaks(own) && text === '')
    out.push(required(at.child('message'), 'message must be specified if rule contains line breaks'));
  if (messageExpression !== '' && trimSpace(messageExpression) === '')
    out.push(required(at.child('messageExpression'), 'messageExpression must be non-empty if specified'));
  if (reason !== undefined && !REASONS.includes(reason))
    out.push(notSupported(at.child('reason'), jsonString(reason), REASONS));
}

function checkTarget(out: FieldError[], at: FieldPath, { fieldPath = '' }: Rule, find: FieldFinder | undefined): void {
  if (fieldPath === '') return;
  const fail = (why: string): void => void out.push(invalid(at.child('fieldPath'), fieldPath, why));
  if (trimSpace(fieldPath) === '') fail('must be non-empty if specified');
  if (hasLineBreaks(fieldPath)) fail('must not contain line breaks');
  try {
    find?.(fieldPath);
  } catch (error) {
    if (!(error instanceof FieldPathError)) throw error;
    fail('must be a valid path');
  }
}
