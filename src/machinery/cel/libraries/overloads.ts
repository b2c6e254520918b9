import type { EstimatedCall, EstimatedNode, CallEstimate, Overload, Range } from '../declarations.js';
import { ANY_SIZE, exactly, scaleRange } from '../ranges.js';
import type { Type } from '../types.js';
import type { Value } from '../values.js';
import { TEXT_COST, textCost } from './costs.js';

type Bound<A extends readonly Value[]> = (...args: A) => Value;
type More = Omit<Partial<Overload>, 'id' | 'args' | 'result' | 'bind' | 'member'>;

/** A function. What it is given has the kinds of `args`: the evaluator has looked before it calls. */
export const overload = <A extends readonly Value[]>(
  id: string,
  args: readonly Type[],
  result: Type,
  bind: Bound<A>,
  more: More = {},
): Overload => ({ id, args, result, bind: bind as unknown as Overload['bind'], ...more });

/** The same, called on its first argument. */
export const method = <A extends readonly Value[]>(
  id: string,
  args: readonly Type[],
  result: Type,
  bind: Bound<A>,
  more: More = {},
): Overload => ({ ...overload(id, args, result, bind, more), member: true });

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
