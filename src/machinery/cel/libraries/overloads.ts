import { atOnce, type Steps } from '../../steps.js';
import type { CallEstimate, EstimatedCall, EstimatedNode, Overload, Range, Specialized } from '../declarations.js';
import { ANY_SIZE, exactly, scaleRange } from '../ranges.js';
import type { Type } from '../types.js';
import type { Value } from '../values.js';
import { overload } from '../standard/overload.js';
import { TEXT_COST } from '../standard/sizes.js';
import { textCost } from './costs.js';

type Bound = (...args: never[]) => Value;
type BoundSteps = (...args: never[]) => Steps<Value>;
type More = Omit<Partial<Overload>, 'id' | 'args' | 'result' | 'bind' | 'member'>;

/** A function called on its first argument. */
export const method = (id: string, args: readonly Type[], result: Type, bind: Bound, more: More = {}): Overload => ({
  ...overload(id, args, result, bind, more),
  member: true,
});

/** A method that rests on its way. */
export function slowMethod(
  id: string,
  args: readonly Type[],
  result: Type,
  steps: BoundSteps,
  more: More = {},
): Overload {
  return { ...slowFunction(id, args, result, steps, more), member: true };
}

export function slowFunction(
  id: string,
  args: readonly Type[],
  result: Type,
  steps: BoundSteps,
  more: More = {},
): Overload {
  const run = steps as NonNullable<Specialized['steps']>;
  const bind = (...given: Value[]): Value => atOnce(run(...given));
  return overload(id, args, result, bind, { specialize: () => ({ bind, steps: run }), ...more });
}

export const sizeOfArg = (call: EstimatedCall, index: number): Range => {
  const arg = call.args[index];
  return arg === undefined ? ANY_SIZE : call.sizeOf(arg);
};

/** Costs as one reading of the first argument, or as `times` of them. */
export const readsFirst = (times = 1): Pick<Overload, 'cost' | 'estimate'> => ({
  cost: args => textCost(args[0], times),
  estimate: call => ({ cost: scaleRange(sizeOfArg(call, 0), times * TEXT_COST) }),
});

/** The same, and what comes out of it may be as long. */
export const copiesFirst = (): Pick<Overload, 'cost' | 'estimate'> => ({
  ...readsFirst(),
  estimate(call): CallEstimate {
    const size = sizeOfArg(call, 0);
    return { cost: scaleRange(size, TEXT_COST), size };
  },
});

/** A nominal cost of 1, told by name: some functions would else have another one. */
export const NOMINAL: Pick<Overload, 'cost' | 'estimate'> = {
  cost: () => 1,
  estimate: () => ({ cost: exactly(1) }),
};

export const isText = ({ type }: EstimatedNode): boolean => type.kind === 'string' || type.kind === 'bytes';
