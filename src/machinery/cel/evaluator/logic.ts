import { isError, noSuchOverload, OptionalValue, type Value } from '../values.js';
import { charge, go, type Attribute, type Plan } from './frame.js';
import { planOf } from './select.js';

/** What is neither true nor false. */
const failure = (value: Value): Value => (isError(value) ? value : noSuchOverload());

/** `&&` (`ends` is false) and `||` (true): a failure of one does not matter when the other decides. */
export function planLogic(ends: boolean, [left, right]: readonly [Plan, Plan]): Plan {
  const join = (a: Value, b: Value): Value => {
    if (b === ends) return ends;
    if (a !== !ends) return failure(a);
    return b === !ends ? b : failure(b);
  };
  const { run: first } = left;
  const { run: second } = right;
  return {
    run(frame) {
      const a = first(frame);
      return a === ends ? ends : join(a, second(frame));
    },
    steps:
      left.steps === undefined && right.steps === undefined
        ? undefined
        : function* (frame) {
            const a = yield* go(frame, left);
            return a === ends ? ends : join(a, yield* go(frame, right));
          },
  };
}

/** Where it is a part of another, an attribute does not cost what the whole of it does. */
const branch = (plan: Plan): Pick<Attribute, 'resolve' | 'steps'> =>
  plan.attribute ?? { resolve: plan.run, steps: plan.steps };

export function planConditional([condition, yes, no]: readonly [Plan, Plan, Plan]): Plan {
  const [then, otherwise] = [branch(yes), branch(no)];
  const isLong = [condition, then, otherwise].some(({ steps }) => steps !== undefined);
  return planOf({
    own: 0,
    resolve(frame) {
      const holds = condition.run(frame);
      if (holds === true) return then.resolve(frame);
      return holds === false ? otherwise.resolve(frame) : failure(holds);
    },
    steps: isLong
      ? function* (frame) {
          const holds = yield* go(frame, condition);
          if (typeof holds !== 'boolean') return failure(holds);
          const { resolve, steps } = holds ? then : otherwise;
          return yield* go(frame, { run: resolve, steps });
        }
      : undefined,
  });
}

/** Whether a loop goes on. */
export function planNotStrictlyFalse(of: Plan): Plan {
  const result = (value: Value): Value => (typeof value === 'boolean' ? value : true);
  return {
    run(frame) {
      const value = of.run(frame);
      charge(frame, 1);
      return result(value);
    },
    steps:
      of.steps === undefined
        ? undefined
        : function* (frame) {
            const value = yield* go(frame, of);
            charge(frame, 1);
            return result(value);
          },
  };
}

/** `a.or(b)` and `a.orValue(b)`: the other one is evaluated if it is needed. */
export function planOr(isValue: boolean, [optional, other]: readonly [Plan, Plan]): Plan {
  /** undefined: it is needed */
  const first = (value: Value): Value | undefined => {
    if (!(value instanceof OptionalValue)) return value;
    if (value.value === undefined) return undefined;
    return isValue ? value.value : value;
  };
  return {
    run(frame) {
      const value = first(optional.run(frame));
      return value === undefined ? other.run(frame) : value;
    },
    steps:
      optional.steps === undefined && other.steps === undefined
        ? undefined
        : function* (frame) {
            const value = first(yield* go(frame, optional));
            return value === undefined ? yield* go(frame, other) : value;
          },
  };
}
