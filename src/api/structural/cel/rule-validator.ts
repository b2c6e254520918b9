import type { Reader } from '../../../machinery/cel/adapt/typed-objects.js';
import { createReader } from '../../../machinery/cel/adapt/values.js';
import { withMetadata, type JsonSchema } from '../../../machinery/cel/adapt/declared.js';
import { isError, NO_OPTIONAL, OptionalValue, type Value } from '../../../machinery/cel/values.js';
import type { Activation } from '../../../machinery/cel/compile.js';
import { formatFieldError, invalid, type FieldError } from '../../../machinery/field-error.js';
import { isDue, newPace, type Pace } from '../../../machinery/pace.js';
import type { Steps } from '../../../machinery/steps.js';
import type { JsonObject } from '../../../machinery/types.js';
import type { Correlation } from '../correlation.js';
import type { JsonSchemaProps, ValidationRule } from '../json-schema-props.js';
import { NO_PATH } from '../result.js';
import { fieldPath, isMap, type Place } from '../walk.js';
import { compileRulesSteps, type CompiledRule } from './compile-rules.js';
import { oldItems } from './old-items.js';
import { RuleType } from './rule-type.js';
import { defaultMessage, ruleError, ruleText } from './rule-failure.js';
import { CALL_BUDGET, messageOf } from './rule-message.js';

/** What all rules together may cost for one object. */
export const OBJECT_BUDGET = 10_000_000;
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run';

/**
 * Asks the rules of a schema about a value. Source: apiextensions-apiserver pkg/apiserver/schema/cel/validation.go.
 */
export interface RuleValidator {
  /** @returns what is left of the budget; less than nothing: the rest was not checked */
  check(value: unknown, old: unknown, place: Place | undefined, asked: Asked, budget: number): Steps<number>;
}

export interface Asked {
  readonly errors: FieldError[];
  /** What is wrong with what has not changed. */
  readonly warn: (text: string) => void;
  readonly pace: Pace;
  /** undefined: nothing is known to be unchanged. */
  readonly correlation: Correlation | undefined;
}

export const asked = (errors: FieldError[], warn: Asked['warn'], correlation?: Correlation): Asked => ({
  errors,
  warn,
  pace: newPace(),
  correlation,
});

/** undefined: there are no rules. */
export function createRuleValidator(schema: JsonSchemaProps, isObject: boolean): RuleValidator | undefined {
  if (!hasRules(schema)) return undefined;
  let root: RuleNode | undefined;
  return {
    *check(value, old, place, { correlation, ...run }, budget) {
      root ??= new RuleNode(schema, isObject, RuleType.of(schema, isObject));
      return yield* root.check(value, old, place, { current: correlation, nearest: undefined }, run, budget);
    },
  };
}

function hasRules(schema: JsonSchemaProps): boolean {
  const { items, additionalProperties, properties = {} } = schema;
  if ((schema['x-kubernetes-validations'] ?? []).length > 0) return true;
  if (items && hasRules(items)) return true;
  if (typeof additionalProperties === 'object' && hasRules(additionalProperties)) return true;
  return Object.values(properties).some(hasRules);
}

type Run = Omit<Asked, 'correlation'>;

/** The place, as far as it is known again, and the nearest around it that was. */
interface Known {
  readonly current: Correlation | undefined;
  readonly nearest: Correlation | undefined;
}

const isUnchanged = ({ current, nearest }: Known): boolean => (current ?? nearest)?.isEqual() === true;

function knownKey(known: Known, key: string): Known {
  if (known.current === undefined) return known;
  // The version of an object changes without anybody seeing it.
  if (known.nearest === undefined && (key === 'apiVersion' || key === 'kind'))
    return { current: undefined, nearest: undefined };
  return { current: known.current.key(key), nearest: known.current };
}

const knownIndex = (known: Known, i: number): Known =>
  known.current === undefined ? known : { current: known.current.index(i), nearest: known.current };

/** A place of a schema. What is made of it is made when a value is first there. */
class RuleNode {
  private compiled: readonly CompiledRule[] | undefined;
  private reader: Reader | undefined;
  private parts: Map<string, RuleNode | undefined> = new Map();
  private inner: RuleNode | undefined | null = null;

  constructor(
    private readonly schema: JsonSchemaProps,
    private readonly isObject: boolean,
    private readonly type: RuleType | undefined,
  ) {}

  *check(
    value: unknown,
    old: unknown,
    place: Place | undefined,
    known: Known,
    run: Run,
    budget: number,
  ): Steps<number> {
    if (value === null || value === undefined) return budget;
    if (isDue(run.pace)) yield;
    let left = yield* this.checkRules(value, old ?? undefined, place, known, run, budget);
    if (left < 0) return left;
    if (Array.isArray(value)) {
      const items = this.items();
      if (items === undefined) return left;
      const before = oldItems(this.schema, old);
      for (const [i, item] of value.entries()) {
        const at = { step: i, within: place };
        left = yield* items.check(item, before(item), at, knownIndex(known, i), run, left);
        if (left < 0) return left;
      }
    } else if (isMap(value)) left = yield* this.checkMembers(value, isMap(old) ? old : {}, place, known, run, left);
    return left;
  }

  private *checkMembers(
    value: JsonObject,
    old: JsonObject,
    place: Place | undefined,
    known: Known,
    run: Run,
    budget: number,
  ): Steps<number> {
    let left = budget;
    const isKeyed = typeof this.schema.additionalProperties === 'object';
    for (const key in value) {
      const node = isKeyed ? this.items() : this.property(key);
      if (node === undefined) continue;
      const before = Object.hasOwn(old, key) ? old[key] : undefined;
      const at = { step: key, keyed: isKeyed, within: place };
      left = yield* node.check(value[key], before, at, knownKey(known, key), run, left);
      if (left < 0) return left;
    }
    return left;
  }

  private *checkRules(
    value: unknown,
    old: unknown,
    place: Place | undefined,
    known: Known,
    run: Run,
    budget: number,
  ): Steps<number> {
    const rules = this.compiled ?? (yield* this.compile());
    if (rules.length === 0) return budget;
    const at = fieldPath(place);
    const fail = (text: string): void => void run.errors.push(invalid(at || NO_PATH, this.schema.type ?? '', text));
    if (budget <= 0) return (fail(OUT_OF_BUDGET), -1);
    const reader = (this.reader ??= this.createReader());
    const self = reader(value);
    const oldSelf = old === undefined ? undefined : reader(old);
    let left = budget;
    for (const rule of rules) {
      if (rule.error !== undefined) fail(`rule compile error: ${rule.error}`);
      if (rule.program === undefined) continue;
      const isOptional = rule.rule.optionalOldSelf === true;
      if (rule.usesOldSelf && oldSelf === undefined && !isOptional) continue;
      const activation = activationOf(self, oldSelf, isOptional);
      const { value: result, cost, isOverBudget } = yield* rule.program.steps(activation, CALL_BUDGET);
      if (cost > left) return (fail(OUT_OF_BUDGET), -1);
      left -= cost;
      if (result === true) continue;
      if (result !== null && isError(result)) {
        fail(runtimeError(result.message, isOverBudget, rule.rule));
        if (isOverBudget) return -1;
        continue;
      }
      left = yield* this.report(rule, activation, value, at, known, run, left);
      if (left < 0) return left;
    }
    return left;
  }

  /** Says that a rule does not hold. */
  private *report(
    rule: CompiledRule,
    activation: Activation,
    value: unknown,
    at: string,
    known: Known,
    run: Run,
    budget: number,
  ): Steps<number> {
    const { message, fieldPath: target = '' } = rule;
    const where = (target === '' ? at : at === '' ? target : `${at}.${target}`) || NO_PATH;
    const add = (error: FieldError): void => {
      if (!rule.usesOldSelf && isUnchanged(known)) run.warn(formatFieldError(error));
      else run.errors.push(error);
    };
    let text = defaultMessage(rule.rule);
    let left = budget;
    if (message !== undefined && 'program' in message) {
      const said = yield* messageOf(message.program, rule.rule.messageExpression ?? '', activation, budget);
      if (said.end !== undefined) {
        add(invalid(where, this.schema.type ?? '', said.end));
        return -1;
      }
      left = said.budget;
      text = said.text ?? text;
    }
    add(ruleError(where, value, this.schema, rule.rule, text));
    return left;
  }

  private *compile(): Steps<readonly CompiledRule[]> {
    const given = this.schema['x-kubernetes-validations'] ?? [];
    this.compiled =
      given.length === 0 || this.type === undefined ? [] : yield* compileRulesSteps(given, this.schema, this.type);
    return this.compiled;
  }

  private createReader(): Reader {
    const schema = this.schema as JsonSchema;
    return createReader(this.isObject ? withMetadata(schema) : schema);
  }

  private items(): RuleNode | undefined {
    if (this.inner !== null) return this.inner;
    const { items, additionalProperties } = this.schema;
    const schema = typeof additionalProperties === 'object' ? additionalProperties : (items ?? undefined);
    return (this.inner = schema === undefined ? undefined : nodeOf(schema, this.type?.items()));
  }

  private property(name: string): RuleNode | undefined {
    if (this.parts.has(name)) return this.parts.get(name);
    const { properties = {} } = this.schema;
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    // What no expression can name has rules of its own all the same.
    const node = schema === undefined ? undefined : nodeOf(schema, this.type?.property(name));
    if (schema !== undefined) this.parts.set(name, node);
    return node;
  }
}

function nodeOf(schema: JsonSchemaProps, known: RuleType | undefined): RuleNode | undefined {
  if (!hasRules(schema)) return undefined;
  const isObject = schema['x-kubernetes-embedded-resource'] === true;
  return new RuleNode(schema, isObject, known ?? RuleType.of(schema, isObject));
}

const activationOf = (self: Value, old: Value | undefined, isOptional: boolean): Activation => ({
  self,
  oldSelf: !isOptional ? old : old === undefined ? NO_OPTIONAL : new OptionalValue(old),
});

function runtimeError(message: string, isOverBudget: boolean, rule: ValidationRule): string {
  const text = ruleText(rule);
  if (message.startsWith('no such overload'))
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`;
  return isOverBudget
    ? `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`
    : `${message} evaluating rule: ${text}`;
}
