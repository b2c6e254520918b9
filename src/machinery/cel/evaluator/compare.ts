import type { Environment } from '../environment.js';
import { Comparison, isEqual, isForeign } from '../equality.js';
import type { Steps } from '../../steps.js';
import { sizeOf, TEXT_COST } from '../standard/sizes.js';
import type { Type } from '../types.js';
import { Bytes, isError, itemsOf, keyOf, noSuchOverload, Uint, type ListValue, type Value } from '../values.js';
import { callSteps } from './calls.js';
import { atOnce, charge, constant, go, rest, type Frame, type Plan } from './frame.js';

function* equalSteps(frame: Frame, a: Value, b: Value): Steps<boolean> {
  const comparison = new Comparison(a, b);
  for (;;) {
    const before = comparison.count;
    const answer = comparison.run(Math.max(frame.work, 1));
    frame.work -= comparison.count - before;
    if (answer !== undefined) return answer;
    yield* rest(frame);
  }
}

const SCALARS: ReadonlySet<Type['kind']> = new Set(
  'bool bytes double duration int null string timestamp type uint'.split(' ') as Type['kind'][],
);

const equalityCost = (env: Environment, name: string, a: Value, b: Value): number => {
  if (typeof a === 'bigint' || typeof a === 'boolean') return 1;
  if (name === '_==_' && a !== null && typeof a === 'object' && (a.kind === 'opaque' || a.kind === 'struct')) {
    const cost = env.type(a.type.name)?.equalityCost;
    if (cost !== undefined) return cost;
  }
  return Math.ceil(Math.min(sizeOf(a), sizeOf(b)) * TEXT_COST);
};

/** `==` and `!=` */
export function planEquality(
  env: Environment,
  name: string,
  args: readonly [Plan, Plan],
  types: readonly Type[],
): Plan {
  const isNegated = name === '_!=_';
  const [left, right] = args;
  const mayTakeLong = !types.every(type => SCALARS.has(type.kind));
  return {
    run(frame) {
      const a = left.run(frame);
      const b = right.run(frame);
      const error = isError(a) ? a : isError(b) ? b : undefined;
      charge(frame, equalityCost(env, name, a, b));
      if (error !== undefined) return error;
      if (typeof a === typeof b && typeof a !== 'object') return (a === b) !== isNegated;
      if (isForeign(a, b)) return isNegated || noSuchOverload();
      const answer = mayTakeLong ? atOnce(equalSteps(frame, a, b)) : isEqual(a, b);
      return answer !== isNegated;
    },
    steps:
      mayTakeLong || left.steps !== undefined || right.steps !== undefined
        ? frame =>
            callSteps(frame, args, undefined, function* (values) {
              const [a, b] = values as [Value, Value];
              charge(frame, equalityCost(env, name, a, b));
              if (isForeign(a, b)) return isNegated || noSuchOverload();
              return (yield* equalSteps(frame, a, b)) !== isNegated;
            })
        : undefined,
  };
}

const isPrimitive = (value: Value): boolean =>
  typeof value !== 'object' ? true : value instanceof Uint || (value instanceof Bytes && false);

/** `in`, where the list is a literal of nothing but literals: cel-go makes a set of it, which costs nothing to look into. */
function planMember(item: Plan, list: ListValue): Plan | undefined {
  const items = itemsOf(list);
  if (items.length === 0) return constant(false);
  if (!items.every(isPrimitive)) return undefined;
  const keys = new Set(items.map(keyOf));
  const has = (value: Value): Value => {
    if (isError(value)) return value;
    const key = keyOf(value);
    return key !== undefined && keys.has(key);
  };
  return {
    run: frame => has(item.run(frame)),
    steps:
      item.steps === undefined
        ? undefined
        : function* (frame) {
            return has(yield* go(frame, item));
          },
  };
}

function* findIn(frame: Frame, list: ListValue, item: Value): Steps<boolean> {
  for (let i = 0; i < list.size; i++) {
    if (yield* equalSteps(frame, item, list.at(i))) return true;
    if (--frame.work < 0) yield* rest(frame);
  }
  return false;
}

function* contains(frame: Frame, [item, all]: readonly Value[], isKnownList: boolean): Steps<Value> {
  if (item === undefined || all === undefined || all === null || typeof all !== 'object') {
    charge(frame, 1);
    return noSuchOverload();
  }
  charge(frame, isKnownList ? sizeOf(all) : 1);
  if (all.kind === 'list') return yield* findIn(frame, all, item);
  if (all.kind !== 'map') return noSuchOverload();
  const key = keyOf(item);
  return key !== undefined && all.find(key) !== undefined;
}

export function planIn(args: readonly [Plan, Plan], overloads: readonly string[]): Plan {
  const isKnownList = overloads.length === 1 && overloads[0] === 'in_list';
  const literal = args[1].constant;
  if (
    isKnownList &&
    literal !== undefined &&
    literal !== null &&
    typeof literal === 'object' &&
    literal.kind === 'list'
  ) {
    const member = planMember(args[0], literal);
    if (member !== undefined) return member;
  }
  return {
    run(frame) {
      const values = [args[0].run(frame), args[1].run(frame)];
      const error = values.find(isError);
      if (error === undefined) return atOnce(contains(frame, values, isKnownList));
      charge(frame, isKnownList ? sizeOf(values[1] as Value) : 1);
      return error;
    },
    steps: frame => callSteps(frame, args, undefined, values => contains(frame, values, isKnownList)),
  };
}
