import { inTurns, type Steps } from '../../../machinery/steps.js';
import type { Turns } from '../../../machinery/turns.js';
import { createCompilerInSteps, type CompiledExpression } from '../../../machinery/cel/admission/compile.js';
import type { Authorizer } from '../../auth/authorizer.js';
import type { CompileConditions } from '../webhooks/conditions.js';
import { activationOf } from './activation.js';
import { CONDITIONS_BUDGET, evaluateAll, OutOfBudget, type Evaluated } from './evaluate.js';

export const conditionOf = (evaluated: Evaluated | undefined): boolean | Error => {
  if (evaluated === undefined) return true;
  return 'error' in evaluated ? new Error(evaluated.error) : evaluated.value !== false;
};

const NONE = new Map<string, CompiledExpression>();

/** Match conditions of webhooks, which know neither of namespaces nor of parameters. */
export function createCompileConditions(authorizer: Authorizer, turns: Turns): CompileConditions {
  const compile = createCompilerInSteps({ hasParams: false, hasAuthorizer: true });
  return conditions => {
    const compileAll = function* (): Steps<CompiledExpression[]> {
      const expressions: CompiledExpression[] = [];
      for (const { expression } of conditions) {
        expressions.push(yield* compile(expression, ['bool']));
        yield;
      }
      return expressions;
    };
    // By the first that asks; those who ask meanwhile wait for the same.
    let compiled: Promise<readonly CompiledExpression[]> | undefined;
    return async ({ asked, match, object, old }) => {
      const expressions = await (compiled ??= inTurns(compileAll(), turns));
      const own = { ...match, resource: asked.resource };
      const activation = activationOf({ asked, match: own, object, old }, authorizer);
      try {
        const { results } = await inTurns(evaluateAll(expressions, activation, NONE, CONDITIONS_BUDGET), turns);
        return results.map(conditionOf);
      } catch (error) {
        if (error instanceof OutOfBudget) return [error];
        throw error;
      }
    };
  };
}
