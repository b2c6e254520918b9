import type { Activation } from '../../../machinery/cel/compile.js';
import { isError, type Value } from '../../../machinery/cel/values.js';
import type { Steps } from '../../../machinery/steps.js';
import { isCompileError, type CompiledExpression } from '../../../machinery/cel/admission/compile.js';
import { Variables } from './variables.js';

/** What all expressions of one policy may cost about one request. Source: k8s.io/apiserver pkg/apis/cel/config.go. */
export const BUDGET = 10_000_000;
export const CONDITIONS_BUDGET = 2_500_000;

export type Evaluated = { readonly value: Value } | { readonly error: string };

/** Nothing more is evaluated. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

export type OwnVariables = ReadonlyMap<string, CompiledExpression>;

export interface Evaluations {
  /** For each expression; undefined where there is none. */
  readonly results: readonly (Evaluated | undefined)[];
  /** How long each of them took. */
  readonly elapsedMs: readonly number[];
  readonly budget: number;
}

/**
 * Expressions one after another, about the same. Variables are evaluated anew, each once at most, and count.
 * @param now milliseconds of a clock; absent: nobody asks how long it takes
 * @throws OutOfBudget
 */
export function* evaluateAll(
  expressions: readonly (CompiledExpression | undefined)[],
  activation: Activation,
  own: OwnVariables,
  budget: number,
  now: () => number = () => 0,
): Steps<Evaluations> {
  const variables = new Variables(own, activation);
  const results: (Evaluated | undefined)[] = [];
  const elapsedMs: number[] = [];
  let left = budget;
  for (const compiled of expressions) {
    if (compiled === undefined || isCompileError(compiled)) {
      results.push(compiled && { error: `compilation error: ${compiled.error}` });
      elapsedMs.push(0);
      continue;
    }
    yield;
    const started = now();
    const { value, cost } = yield* variables.run(compiled.program);
    elapsedMs.push(now() - started);
    left -= variables.takeCost() + cost;
    if (left < 0) throw new OutOfBudget();
    results.push(
      isError(value) ? { error: `expression '${compiled.source}' resulted in error: ${value.message}` } : { value },
    );
  }
  return { results, elapsedMs, budget: left };
}
