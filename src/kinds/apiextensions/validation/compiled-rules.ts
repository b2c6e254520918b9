import { forbidden, internal, invalid, type FieldPath } from '../../../machinery/field-error.js';
import { internalRule, printed } from '../internal-json.js';
import type { Rule } from '../types.js';
import { compileRules, type CompiledRule } from '../../../api/structural/cel/compile-rules.js';
import type { JsonSchemaProps } from '../../../api/structural/json-schema-props.js';
import { times, type RuleContext } from './rule-context.js';
import type { SchemaChecks } from './schema-checks.js';

/** What a rule may cost at most by what its schema says, and all rules of a schema together. */
export const MAX_RULE_COST = 10_000_000;
export const MAX_SCHEMA_COST = 100_000_000;

export function checkCompiledRules(
  checks: SchemaChecks,
  at: FieldPath,
  rules: readonly Rule[],
  context: RuleContext,
  uncorrelated: FieldPath | undefined,
): void {
  const { ruleErrors: out } = checks;
  const { type } = context;
  if (type === undefined) {
    const why =
      'failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations';
    return void out.push(internal(at, `internal error: ${why}`));
  }
  compileRules(rules, context.schema as JsonSchemaProps, type).forEach((compiled, i) => {
    const rule = rules[i] ?? {};
    const where = at.index(i);
    const shown = printed(() => internalRule(rule));
    checkCost(checks, where.child('rule'), 'rule', times(compiled.maxCost(), cardinality(compiled, context)), context);
    if (compiled.error !== undefined) out.push(invalid(where.child('rule'), shown, compiled.error));
    const { message } = compiled;
    if (message !== undefined) {
      const here = where.child('messageExpression');
      if ('error' in message) out.push(invalid(here, shown, message.error));
      else checkCost(checks, here, 'messageExpression', message.maxCost(), context);
    }
    if (compiled.usesOldSelf) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated?.toString()}`;
      if (uncorrelated !== undefined) out.push(invalid(where.child('rule'), rule.rule ?? '', why));
    } else if (rule.optionalOldSelf !== undefined) {
      const why = 'may not be set if oldSelf is not used in rule';
      out.push(invalid(where.child('optionalOldSelf'), rule.optionalOldSelf, why));
    }
  });
}

const cardinality = (compiled: CompiledRule, context: RuleContext): number =>
  context.maxCardinality ?? compiled.maxCardinality;

function checkCost(checks: SchemaChecks, at: FieldPath, what: string, cost: number, context: RuleContext): void {
  if (!checks.anyRuleCost && cost > MAX_RULE_COST)
    checks.ruleErrors.push(forbidden(at, tooExpensive(`estimated ${what} cost`, cost, MAX_RULE_COST)));
  context.total.observe(at, cost);
}

/** What all rules of a schema cost. */
export function checkTotalCost(checks: SchemaChecks, at: FieldPath, { total }: RuleContext): void {
  if (total.total <= MAX_SCHEMA_COST) return;
  const why = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  for (const rule of total.mostExpensive) checks.ruleErrors.push(forbidden(rule.at, why));
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  checks.ruleErrors.push(forbidden(at, tooExpensive(what, total.total, MAX_SCHEMA_COST)));
}

function tooExpensive(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
