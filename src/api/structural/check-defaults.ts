import { cloneJson, jsonEqual } from '../../machinery/json-equal.js';
import { errorList, formatFieldError, invalid, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import { newPace } from '../../machinery/pace.js';
import type { StructType } from '../../machinery/schema.js';
import { atOnce } from '../../machinery/steps.js';
import { checkEmbedded, coerceEmbedded, NoObjectError } from './embedded.js';
import { asked, createRuleValidator, OBJECT_BUDGET } from './cel/rule-validator.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { pruneValue } from './prune.js';
import { structuralOf, type Structural } from './structural-schema.js';
import { createValueValidator } from './validator.js';
import { sortedCopy } from './sorted-copy.js';
import { objectAround, type DefaultPlace } from './default-place.js';

/** As Go writes maps, which errors show. */
const inOrder = (value: unknown): unknown => atOnce(sortedCopy(value, newPace()));

const META_FIELDS: ReadonlySet<string> = new Set(['metadata', 'apiVersion', 'kind']);

export interface DefaultChecks {
  readonly objectMeta: StructType;
  readonly mayHaveUnknown: boolean;
  /** What rules may still cost. Below 0 nothing more is checked. */
  readonly budget: { left: number };
}

/** One schema, as it is written and as values meet it, in the object of the API that it is in. */
interface Place {
  readonly schema: JsonSchemaProps;
  readonly structural: Structural;
  /** The schema of that object. */
  readonly root: Structural;
  readonly around: DefaultPlace;
  readonly insideMeta: boolean;
}

/**
 * Defaults must be what the schema asks for, and nothing more. Those of additional properties are not looked at.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go.
 */
export function checkDefaults(
  at: FieldPath,
  schema: JsonSchemaProps,
  options: Omit<DefaultChecks, 'budget'>,
): FieldError[] {
  const checks = { ...options, budget: { left: OBJECT_BUDGET } };
  const out = errorList();
  const structural = { ...structuralOf(schema), embedded: true, hasEmbedded: true };
  if (structural.hasDefaults)
    checkPlace(out, at, { schema, structural, root: structural, around: undefined, insideMeta: false }, checks);
  return out;
}

function checkPlace(out: FieldError[], at: FieldPath, given: Place, checks: DefaultChecks): void {
  const { schema, structural } = given;
  if (!structural.hasDefaults || checks.budget.left < 0) return;
  const isObject = structural.embedded;
  const place = isObject ? { ...given, root: structural, around: undefined, insideMeta: false } : given;
  if (structural.default !== undefined) checkDefault(out, at.child('default'), place, checks);
  const { items } = schema;
  if (items && structural.items !== undefined) {
    const around = { step: null, within: place.around };
    checkPlace(out, at.child('items'), { ...place, schema: items, structural: structural.items, around }, checks);
  }
  for (const name of [...structural.properties.keys()].sort()) {
    const member = structural.properties.get(name);
    if (member === undefined) continue;
    const inner: Place = {
      schema: schema.properties?.[name] ?? {},
      structural: member,
      root: place.root,
      around: { step: name, within: place.around },
      insideMeta: place.insideMeta || (isObject && META_FIELDS.has(name)),
    };
    checkPlace(out, at.child('properties').key(name), inner, checks);
  }
}

function checkDefault(out: FieldError[], at: FieldPath, place: Place, checks: DefaultChecks): void {
  const value = inOrder(place.structural.default);
  const errors = place.insideMeta ? metaErrors(at, place, checks) : objectErrors(out, at, place, value, checks);
  if (errors.length === 0) for (const one of valueErrors(at, place.schema, value)) errors.push(one);
  for (const one of errors.length > 0 ? errors : ruleErrors(at, place, value, checks)) out.push(one);
}

/** What rules say of a default that has always been there, and if they say nothing, of one that was not. */
function ruleErrors(at: FieldPath, place: Place, value: unknown, checks: DefaultChecks): FieldError[] {
  const rules = createRuleValidator(place.schema, place.structural === place.root);
  if (rules === undefined || checks.budget.left < 0) return [];
  const errors = errorList();
  const ask = (old: unknown): number => {
    const where = { step: at.toString(), within: undefined };
    return atOnce(
      rules.check(
        value,
        old,
        where,
        asked(errors, () => undefined),
        checks.budget.left,
      ),
    );
  };
  const left = ask(value);
  checks.budget.left = errors.length > 0 ? left : Math.min(left, ask(undefined));
  return errors;
}

function valueErrors(at: FieldPath, schema: JsonSchemaProps, value: unknown): FieldError[] {
  const validator = createValueValidator(schema, 'defaults');
  const { problems } = atOnce(validator.check(value, '', undefined, newPace()));
  return [...problems].map(problem => problem.error(at.toString()));
}

/** What is wrong with the metadata that a default becomes part of. */
function metaErrors(at: FieldPath, { structural, root, around }: Place, checks: DefaultChecks): FieldError[] {
  const object = objectAround(around, inOrder(structural.default));
  const fail = (errors: readonly FieldError[]): FieldError[] => {
    const texts = [...new Set(errors.map(formatFieldError))];
    const text = texts.length === 1 ? texts.join() : `[${texts.join(', ')}]`;
    return [invalid(at, inOrder(structural.default), `must result in valid metadata: ${text}`)];
  };
  const wrong = coerce(object, root, undefined, checks);
  if (wrong !== undefined) return fail([wrong]);
  const errors = errorList();
  atOnce(checkEmbedded(object, root, undefined, errors, newPace()));
  return errors.length === 0 ? [] : fail(errors);
}

/** What is wrong with the objects of the API in a default. Brings their metadata to its form: mutates `value`. */
function objectErrors(
  out: FieldError[],
  at: FieldPath,
  { structural }: Place,
  value: unknown,
  checks: DefaultChecks,
): FieldError[] {
  if (!checks.mayHaveUnknown && !isPruned(value, structural))
    out.push(invalid(at, inOrder(structural.default), 'must not have unknown fields'));
  const place = { step: at.toString(), within: undefined };
  const wrong = coerce(value, structural, place, checks);
  if (wrong !== undefined) return [wrong];
  const errors = errorList();
  atOnce(checkEmbedded(value, structural, place, errors, newPace()));
  return errors;
}

function coerce(
  value: unknown,
  schema: Structural,
  place: { readonly step: string; readonly within: undefined } | undefined,
  { objectMeta }: DefaultChecks,
): FieldError | undefined {
  try {
    atOnce(coerceEmbedded(value, schema, place, { objectMeta, pace: newPace(), lenient: false, unknown: [] }));
    return undefined;
  } catch (error) {
    if (error instanceof NoObjectError) return error.error;
    throw error;
  }
}

function isPruned(value: unknown, schema: Structural): boolean {
  const pruned = cloneJson(value);
  atOnce(pruneValue(pruned, schema, newPace()));
  return jsonEqual(pruned, value);
}

/** Whether a stored schema has defaults with members that nobody knows. */
export function hasUnprunedDefaults(schema: JsonSchemaProps): boolean {
  const left = [{ ...structuralOf(schema), embedded: true }];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (one.default !== undefined && !isPruned(one.default, one)) return true;
    for (const member of one.properties.values()) left.push(member);
    if (one.items !== undefined) left.push(one.items);
    if (typeof one.additional === 'object') left.push(one.additional);
  }
  return false;
}
