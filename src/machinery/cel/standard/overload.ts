import type { Example, Overload } from '../declarations.js';
import type { Type } from '../types.js';
import { noSuchOverload, type Value } from '../values.js';

/** Its parameters are what the kinds of `args` promise: the evaluator has looked before it calls. */
export const overload = (
  id: string,
  args: readonly Type[],
  result: Type,
  bind: (...args: never[]) => Value,
  more: Partial<Overload> = {},
): Overload => ({ id, args, result, bind: bind as Overload['bind'], ...more });

/** What the evaluator does itself: arguments of these are not always evaluated, or take long. */
export const BY_EVALUATOR = (): Value => noSuchOverload();

export const example = (expr: string, is: string): Example => ({ expr, is });
