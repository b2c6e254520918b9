import { formatDouble } from '../standard/numbers.js';
import { runtimeType } from '../runtime-types.js';
import { CelError, isError, keyOf, NO_OPTIONAL, OptionalValue, Uint, type ListValue, type Value } from '../values.js';
import { printType } from '../types.js';
import { charge, go, type Attribute, type Frame, type Plan } from './frame.js';

/** What is selected: by a field, a key or an index. */
export interface Selector {
  /** An expression that says what is selected; else `key`. */
  readonly by: Attribute | undefined;
  readonly key: Value;
  readonly how: 'value' | 'optional' | 'test';
}

function show(value: Value): string {
  if (typeof value === 'number') return formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  return value !== null && typeof value === 'object' ? printType(runtimeType(value)) : String(value);
}

/** undefined: there is none */
export function lookUp(of: Value, key: Value): Value | undefined {
  if (of === null || typeof of !== 'object') return undefined;
  switch (of.kind) {
    case 'map': {
      const by = keyOf(key);
      return by === undefined ? undefined : of.find(by);
    }
    case 'struct':
      return typeof key === 'string' ? of.field(key) : undefined;
    case 'list':
      return itemAt(of, key);
    default:
      return undefined;
  }
}

function itemAt(list: ListValue, key: Value): Value | undefined {
  if (!(typeof key === 'bigint' || typeof key === 'number' || key instanceof Uint))
    return new CelError(`unsupported index type '${runtimeType(key).name}' in list`);
  const index = keyOf(key);
  if (typeof index !== 'bigint') return new CelError(`unsupported index value ${show(key)} in list`);
  return index >= 0n && index < BigInt(Math.min(list.size, Number.MAX_SAFE_INTEGER))
    ? list.at(Number(index))
    : undefined;
}

const isList = (value: Value): boolean => value !== null && typeof value === 'object' && value.kind === 'list';

const missing = (of: Value, key: Value): CelError =>
  new CelError(`${isList(of) ? 'index out of bounds' : 'no such key'}: ${show(key)}`);

/** Of what an optional has, too: then the result is an optional. */
function apply(frame: Frame, of: Value, key: Value, how: Selector['how']): Value {
  const isOptional = of instanceof OptionalValue;
  if (isOptional && of.value === undefined) return how === 'test' ? false : of;
  const target = isOptional ? (of.value as Value) : of;
  const found = lookUp(target, key);
  if (how === 'value' && !isOptional) {
    charge(frame, 1);
    return found ?? (found === undefined ? missing(target, key) : found);
  }
  if (how === 'test') {
    if (!isOptional || found !== undefined) charge(frame, 1);
    return found !== undefined && isError(found) && isList(target) ? found : found !== undefined;
  }
  if (found === undefined) return NO_OPTIONAL;
  if (isError(found)) return found;
  charge(frame, 1);
  return new OptionalValue(found);
}

function finish(frame: Frame, of: Value, key: Value, { by, how }: Selector): Value {
  if (by !== undefined && isError(key)) {
    charge(frame, 1);
    return key;
  }
  return apply(frame, of, key, how);
}

export const attributeOf = (plan: Plan): Attribute =>
  plan.attribute ?? { resolve: plan.run, steps: plan.steps, own: 1 };

/** An attribute, the cost of the whole counted. */
export function planOf(attribute: Attribute): Plan {
  const { resolve, steps, own } = attribute;
  return {
    attribute,
    run(frame) {
      const value = resolve(frame);
      charge(frame, own);
      return value;
    },
    steps:
      steps === undefined
        ? undefined
        : function* (frame) {
            const value = yield* steps(frame);
            charge(frame, own);
            return value;
          },
  };
}

export function select(of: Plan, selector: Selector): Plan {
  const base = attributeOf(of);
  const { by, key } = selector;
  const own = selector.how === 'test' ? base.own - 1 : base.own;
  const resolve = by === undefined ? selectConstant(base, key, selector) : selectBy(base, by, selector);
  if (base.steps === undefined && by?.steps === undefined) return planOf({ resolve, steps: undefined, own });
  return planOf({
    resolve,
    own,
    *steps(frame) {
      const value = yield* go(frame, { run: base.resolve, steps: base.steps });
      if (isError(value)) return value;
      const chosen = by === undefined ? key : yield* go(frame, { run: by.resolve, steps: by.steps });
      return finish(frame, value, chosen, selector);
    },
  });
}

function selectConstant(base: Attribute, key: Value, { how }: Selector): Plan['run'] {
  const { resolve } = base;
  if (how === 'value' && typeof key === 'string')
    return frame => {
      const of = resolve(frame);
      // What is selected most often, without a detour.
      if (of !== null && typeof of === 'object' && of.kind === 'struct') {
        charge(frame, 1);
        const found = of.field(key);
        return found === undefined ? missing(of, key) : found;
      }
      return isError(of) ? of : apply(frame, of, key, how);
    };
  return frame => {
    const of = resolve(frame);
    return isError(of) ? of : apply(frame, of, key, how);
  };
}

const selectBy =
  ({ resolve }: Attribute, by: Attribute, selector: Selector): Plan['run'] =>
  frame => {
    const of = resolve(frame);
    return isError(of) ? of : finish(frame, of, by.resolve(frame), selector);
  };
