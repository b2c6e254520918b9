import type { Steps } from '../../steps.js';
import type { Value } from '../values.js';

/** Values of variables by name. */
export type Activation = Readonly<Record<string, Value | undefined>>;

/** One evaluation. */
export interface Frame {
  readonly activation: Activation;
  /** Of the variables of loops. */
  readonly slots: unknown[];
  readonly limit: number;
  cost: number;
  /** How much may still be done before it rests. It has no unit: about one per part of an expression. */
  work: number;
  rests: number;
  /** Whether it can rest. One that cannot ends with PAUSED, and is done again by one that can. */
  readonly isStepping: boolean;
}

/** Thrown, since everything is over. */
export class OverBudget extends Error {
  constructor(readonly cost: number) {
    super('operation cancelled: actual cost limit exceeded');
  }
}
/** Thrown where one that cannot rest has worked too long. */
export const PAUSED = new Error('an evaluation takes long');

/** Between two rests: about a millisecond. */
export const WORK = 10_000;
/** What is not cheap does not last for ever: cel-go's costs do not see how large the parts of what is compared are. */
const MAX_RESTS = 50_000;
/** Of a call that may take long, as far as its arguments do not tell. */
export const WORK_OF_CALL = 250;

export type Run = (frame: Frame) => Value;
export type RunSteps = (frame: Frame) => Steps<Value>;

/** A part of an expression, ready to run. */
export interface Plan {
  readonly run: Run;
  /** What may take long does it this way, too. */
  readonly steps: RunSteps | undefined;
  /** Of what is the same every time. */
  readonly constant?: Value;
  readonly attribute?: Attribute;
}

/**
 * A variable with what is selected of it, or one of two such. cel-go counts costs of the whole and of each selection, and
 * none of the whole where it is a part of another: `own` is that of the whole.
 */
export interface Attribute {
  readonly resolve: Run;
  readonly steps: RunSteps | undefined;
  readonly own: number;
}

export function charge(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new OverBudget(frame.cost);
}

/** What would rest is given up where that is not possible. */
export function atOnce<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (step.done === true) return step.value;
  throw PAUSED;
}

/** Others have their turn. */
export function* rest(frame: Frame): Steps<void> {
  if (!frame.isStepping) throw PAUSED;
  if (++frame.rests > MAX_RESTS) throw new OverBudget(frame.cost);
  frame.work = WORK;
  yield;
}

/** What functions do with their arguments takes as long as these are large. */
export function workOf(values: readonly Value[]): number {
  let work = 0;
  for (const value of values) {
    if (typeof value === 'string') work += value.length >>> 10;
    else if (value !== null && typeof value === 'object' && (value.kind === 'list' || value.kind === 'map'))
      work += value.size >>> 3;
  }
  return work;
}

/** One that can rest does so at the next iteration. */
export function spend(frame: Frame, work: number): void {
  frame.work -= work;
  if (frame.work < 0 && !frame.isStepping) throw PAUSED;
}

export const constant = (value: Value): Plan => ({ run: () => value, steps: undefined, constant: value });

/** In steps where there are any. */
export function* go(frame: Frame, { run, steps }: Pick<Plan, 'run' | 'steps'>): Steps<Value> {
  return steps === undefined ? run(frame) : yield* steps(frame);
}
