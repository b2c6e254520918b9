import { compileSteps, InstantiationError, type Compiled, type Program } from '../../../machinery/cel/compile.js';
import type { Environment } from '../../../machinery/cel/environment.js';
import { atOnce, type Steps } from '../../../machinery/steps.js';
import { trimSpace } from '../../../machinery/go-space.js';
import { createFieldFinder, FieldPathError, fieldText, type FieldFinder } from '../field-path.js';
import type { JsonSchemaProps, ValidationRule } from '../json-schema-props.js';
import type { RuleType } from './rule-type.js';

/** A rule of x-kubernetes-validations, ready to be asked. Costs are in CEL's units. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** undefined: the rule is empty, or wrong. */
  readonly program: Program | undefined;
  /** Why it is no rule. */
  readonly error: string | undefined;
  readonly usesOldSelf: boolean;
  /** Found out when somebody asks: who evaluates it does not. */
  readonly maxCost: () => number;
  /** How often it may be asked where nothing bounds the number of values. */
  readonly maxCardinality: number;
  readonly message: CompiledMessage | undefined;
  /** Where its failures are, within the value. */
  readonly fieldPath: string | undefined;
}

/** A messageExpression. */
export type CompiledMessage =
  | { readonly error: string }
  | { readonly program: Program; readonly maxCost: () => number };

/** Source: apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go. */
export const compileRules = (...given: Parameters<typeof compileRulesSteps>): CompiledRule[] =>
  atOnce(compileRulesSteps(...given));

/** The same with rests: there may be many, and long ones. */
export function* compileRulesSteps(
  rules: readonly ValidationRule[],
  schema: JsonSchemaProps,
  self: RuleType,
): Steps<CompiledRule[]> {
  const plain = self.environment(false);
  const optional = rules.some(rule => rule.optionalOldSelf === true) ? self.environment(true) : plain;
  const find = createFieldFinder(schema, { brackets: true });
  const compiled: CompiledRule[] = [];
  for (const rule of rules) {
    compiled.push({
      ...(yield* compileRule(rule, self, rule.optionalOldSelf === true ? optional : plain)),
      maxCardinality: self.maxCardinality,
      fieldPath: targetOf(rule, find),
    });
    yield;
  }
  return compiled;
}

const NOTHING = {
  program: undefined,
  error: undefined,
  usesOldSelf: false,
  maxCost: () => 0,
  message: undefined,
} as const;

function* compileRule(
  rule: ValidationRule,
  self: RuleType,
  environment: Environment,
): Steps<Omit<CompiledRule, 'maxCardinality' | 'fieldPath'>> {
  const source = rule.rule ?? '';
  if (trimSpace(source) === '') return { ...NOTHING, rule };
  const compiled = yield* compileSteps(source, environment);
  if ('problems' in compiled) return { ...NOTHING, rule, error: `compilation failed: ${compiled.problems}` };
  if (compiled.type.kind !== 'bool') return { ...NOTHING, rule, error: 'cel expression must evaluate to a bool' };
  const usesOldSelf = compiled.variables.has('oldSelf');
  const program = yield* instantiate(compiled);
  if (typeof program === 'string')
    return { ...NOTHING, rule, usesOldSelf, error: `program instantiation failed: ${program}` };
  const maxCost = () => costOf(compiled, self);
  return {
    rule,
    program,
    error: undefined,
    usesOldSelf,
    maxCost,
    message: yield* messageOf(rule.messageExpression ?? '', self, environment),
  };
}

function* messageOf(source: string, self: RuleType, environment: Environment): Steps<CompiledMessage | undefined> {
  if (source === '') return undefined;
  const compiled = yield* compileSteps(source, environment);
  if ('problems' in compiled) return { error: `messageExpression compilation failed: ${compiled.problems}` };
  if (compiled.type.kind !== 'string') return { error: 'messageExpression must evaluate to a string' };
  const program = yield* instantiate(compiled);
  if (typeof program === 'string') return { error: `messageExpression instantiation failed: ${program}` };
  return { program, maxCost: () => costOf(compiled, self) };
}

function* instantiate(compiled: Compiled): Steps<Program | string> {
  try {
    return yield* compiled.instantiateSteps();
  } catch (error) {
    if (error instanceof InstantiationError) return error.message;
    throw error;
  }
}

const costOf = (compiled: Compiled, self: RuleType): number => compiled.estimate(path => self.sizeOf(path)).max;

function targetOf({ fieldPath = '' }: ValidationRule, find: FieldFinder): string | undefined {
  if (fieldPath === '') return undefined;
  try {
    return fieldText(find(fieldPath));
  } catch (error) {
    if (error instanceof FieldPathError) return undefined;
    throw error;
  }
}
