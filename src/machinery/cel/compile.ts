/**
 * The Common Expression Language (github.com/google/cel-spec), as cel-go checks, runs and counts it for Kubernetes.
 *
 *   const environment = createEnvironment({ libraries: [STANDARD, OPTIONALS], variables: new Map([['self', DYN]]) });
 *   const compiled = compile('self.replicas <= 3', environment);   // or `yield* compileSteps(…)`, which rests
 *   if ('problems' in compiled) …             // what cel-go says, with line, column and a mark
 *   compiled.type                             // of the result
 *   compiled.estimate(sizes).max              // what it may cost, at most
 *   const program = compiled.instantiate();   // or an InstantiationError: a literal that a function can do nothing with
 *   const { value, cost } = yield* program.steps({ self }, 1_000_000);  // rests every millisecond or so
 *   program.run({ self }, 1_000_000);         // the same without a rest: for what is known to be small
 *
 * A failure is a value (`isError`). What would cost more than the budget ends with `isOverBudget`.
 * Everything here is pure; a program may be run any number of times.
 */
import type { Expr } from './ast.js';
import type { Checked } from './checker/checked.js';
import { Checker } from './checker/checker.js';
import { validateLiterals } from './checker/literals.js';
import type { Range } from './declarations.js';
import type { Environment } from './environment.js';
import { estimateCost } from './estimate/estimator.js';
import type { SizeOf } from './estimate/sizes.js';
import { InstantiationError } from './evaluator/calls.js';
import { OverBudget, PAUSED, WORK, type Activation, type Frame, type Plan } from './evaluator/frame.js';
import { Planner } from './evaluator/planner.js';
import { atOnce, type Steps } from '../steps.js';
import { parse } from './syntax/parser.js';
import { describeProblems } from './syntax/problems.js';
import type { Type } from './types.js';
import { CelError, type Value } from './values.js';

export { InstantiationError, type Activation };

/** An expression of fewer characters, and copies of its parts, is checked in less than a few milliseconds. */
const LONG = 1000;

export interface Outcome {
  readonly value: Value;
  readonly cost: number;
  readonly isOverBudget: boolean;
}

export interface Program {
  run(activation: Activation, budget: number): Outcome;
  steps(activation: Activation, budget: number): Steps<Outcome>;
}

export interface Compiled {
  readonly type: Type;
  /** Variables of the environment that it names. */
  readonly variables: ReadonlySet<string>;
  /** @throws InstantiationError when a literal is no argument of a function that it is given to */
  instantiate(): Program;
  /** The same with rests. */
  instantiateSteps(): Steps<Program>;
  /** What it may cost. `sizeOf` tells sizes of what comes from variables: of "self", "spec", "@items". */
  estimate(sizeOf?: SizeOf): Range;
}

export function compile(source: string, environment: Environment): Compiled | { readonly problems: string } {
  return atOnce(compileSteps(source, environment));
}

/** The same with rests: an expression may have 100,000 characters. */
export function* compileSteps(
  source: string,
  environment: Environment,
): Steps<Compiled | { readonly problems: string }> {
  const parsed = yield* parse(source, environment.syntax);
  if (!('expr' in parsed)) return { problems: describeProblems(source, parsed) };
  const { expr, copies } = parsed;
  const checker = new Checker(environment);
  const isLong = source.length + copies > LONG;
  if (isLong) yield;
  const checked = yield* checker.run(expr, isLong);
  if (isLong) yield;
  const problems =
    checker.problems.length > 0 ? checker.problems : yield* validateLiterals(expr, checked, environment.homogeneous);
  if (problems.length > 0) return { problems: describeProblems(source, problems) };
  if (isLong) yield;
  return {
    type: checked.type,
    variables: namesIn(checked),
    instantiate: () => atOnce(instantiate(expr, checked, environment, isLong)),
    instantiateSteps: () => instantiate(expr, checked, environment, isLong),
    estimate: (sizeOf = () => undefined) => estimateCost(expr, checked, environment, sizeOf),
  };
}

function namesIn({ references }: Checked): ReadonlySet<string> {
  const names = new Set<string>();
  for (const reference of references.values()) if (reference.kind === 'variable') names.add(reference.name);
  return names;
}

function* instantiate(expr: Expr, checked: Checked, environment: Environment, isLong: boolean): Steps<Program> {
  const planner = new Planner(environment, checked);
  const plan = yield* planner.steps(expr, isLong);
  const { slots } = planner;
  const newFrame = (activation: Activation, limit: number, isStepping: boolean): Frame => ({
    activation,
    limit,
    isStepping,
    slots: new Array<unknown>(slots),
    cost: 0,
    work: WORK,
    rests: 0,
  });
  function* steps(activation: Activation, budget: number): Steps<Outcome> {
    const quick = runQuickly(plan, newFrame(activation, budget, false));
    return quick ?? (yield* runSlowly(plan, newFrame(activation, budget, true)));
  }
  return { steps, run: (activation, budget) => atOnce(steps(activation, budget)) };
}

function overBudget(error: unknown): Outcome {
  if (!(error instanceof OverBudget)) throw error;
  return { value: new CelError(error.message), cost: error.cost, isOverBudget: true };
}

/** Most are done before they would rest. undefined: it would have to. */
function runQuickly({ run }: Plan, frame: Frame): Outcome | undefined {
  try {
    return { value: run(frame), cost: frame.cost, isOverBudget: false };
  } catch (error) {
    return error === PAUSED ? undefined : overBudget(error);
  }
}

function* runSlowly({ run, steps }: Plan, frame: Frame): Steps<Outcome> {
  try {
    const value = steps === undefined ? run(frame) : yield* steps(frame);
    return { value, cost: frame.cost, isOverBudget: false };
  } catch (error) {
    return overBudget(error);
  }
}
