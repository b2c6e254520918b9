import type { Steps } from '../../steps.js';
import { entriesOf } from '../standard/library.js';
import { ListBuilder, MapBuilder } from '../standard/lists.js';
import { goTypeName } from '../runtime-types.js';
import { CelError, isError, keyOf, type ListValue, type MapValue, type Value } from '../values.js';
import { charge, go, rest, spend, type Frame, type Plan } from './frame.js';
import { planOf } from './select.js';

/** A comprehension, its parts planned. */
export interface Loop {
  readonly range: Plan;
  readonly condition: Plan;
  readonly step: Step;
  readonly result: Plan;
  /** Slots. */
  readonly accumulator: number;
  readonly variable: number;
  readonly variable2: number | undefined;
  /** What an iteration is counted as. */
  readonly weight: number;
}

/** Goes on accumulating; undefined: what is accumulated stays as it is, or was added to in place. */
export interface Step {
  readonly run: (frame: Frame) => Value | undefined;
  readonly steps: ((frame: Frame) => Steps<Value | undefined>) | undefined;
}

/** What is accumulated, as an expression may name it. It is worked out when it is asked for first. */
export function planAccumulator(slot: number, init: Plan, builder: 'list' | 'map' | undefined): Plan {
  const start = (): unknown => (builder === 'list' ? new ListBuilder() : new MapBuilder());
  const read = (frame: Frame): Value => {
    const value = frame.slots[slot];
    return value instanceof ListBuilder || value instanceof MapBuilder ? value.finish() : (value as Value);
  };
  return planOf({
    own: 1,
    resolve(frame) {
      if (frame.slots[slot] === undefined) frame.slots[slot] = builder === undefined ? init.run(frame) : start();
      return read(frame);
    },
    steps:
      init.steps === undefined
        ? undefined
        : function* (frame) {
            if (frame.slots[slot] === undefined) frame.slots[slot] = yield* go(frame, init);
            return read(frame);
          },
  });
}

/** Another value for what is accumulated. */
export const planStep = (plan: Plan): Step => ({ run: plan.run, steps: plan.steps });

/** `condition ? then : accumulated` */
export function planStepIf(condition: Plan, then: Step, otherwise: Step): Step {
  const pick = (holds: Value): Step | Value => (holds === true ? then : holds === false ? otherwise : failure(holds));
  const isStep = (picked: Step | Value): picked is Step => picked === then || picked === otherwise;
  return {
    run(frame) {
      const picked = pick(condition.run(frame));
      return isStep(picked) ? picked.run(frame) : picked;
    },
    steps:
      condition.steps === undefined && then.steps === undefined && otherwise.steps === undefined
        ? undefined
        : function* (frame) {
            const picked = pick(yield* go(frame, condition));
            if (!isStep(picked)) return picked;
            return picked.steps === undefined ? picked.run(frame) : yield* picked.steps(frame);
          },
  };
}

const failure = (value: Value): Value => (isError(value) ? value : new CelError('no such overload'));

/** The accumulated as it is: a branch of a condition, which costs nothing. */
export const KEEP: Step = { run: () => undefined, steps: undefined };

const builderOf = <T>(frame: Frame, slot: number, make: new () => T): T | CelError => {
  const known = frame.slots[slot];
  if (known instanceof make) return known;
  if (known instanceof CelError) return known;
  const made = new make();
  frame.slots[slot] = made;
  return made;
};

const LIST_COST = 10;

/** `accumulated + [item]` */
export function planAppend(slot: number, item: Plan): Step {
  const own = item.constant === undefined ? LIST_COST : 0;
  const add = (frame: Frame, builder: ListBuilder | CelError, value: Value): Value | undefined => {
    charge(frame, own + 1);
    if (builder instanceof CelError || isError(value)) return builder instanceof CelError ? builder : value;
    builder.add(value);
    return undefined;
  };
  const begin = (frame: Frame): ListBuilder | CelError => {
    charge(frame, 1);
    return builderOf(frame, slot, ListBuilder);
  };
  return {
    run(frame) {
      const builder = begin(frame);
      return add(frame, builder, item.run(frame));
    },
    steps:
      item.steps === undefined
        ? undefined
        : function* (frame) {
            const builder = begin(frame);
            return add(frame, builder, yield* go(frame, item));
          },
  };
}

/** `cel.@mapInsert(accumulated, key, value)`, or of the entries of one map. */
export function planInsert(slot: number, args: readonly Plan[]): Step {
  function* steps(frame: Frame): Steps<Value | undefined> {
    charge(frame, 1);
    const builder = builderOf(frame, slot, MapBuilder);
    const values: Value[] = [];
    for (const arg of args) {
      if (builder instanceof CelError && args.length > 1) return builder;
      const value = yield* go(frame, arg);
      if (isError(value) && args.length > 1 && values.length === 0) return value;
      values.push(value);
    }
    charge(frame, 1);
    if (builder instanceof CelError) return builder;
    const [first, second] = values as [Value, Value | undefined];
    if (second !== undefined) return isError(second) ? second : builder.add(first, second);
    if (isError(first)) return first;
    for (const [key, value] of entriesOf(first as MapValue)) {
      const error = builder.add(key, value);
      if (error !== undefined) return error;
    }
    return undefined;
  }
  const isLong = args.some(arg => arg.steps !== undefined);
  return {
    run(frame) {
      for (const all = steps(frame); ;) {
        const step = all.next();
        if (step.done === true) return step.value;
      }
    },
    steps: isLong ? steps : undefined,
  };
}

const noRange = (range: Value, hasTwo: boolean): CelError =>
  new CelError(
    hasTwo
      ? `unsupported comprehension range type: ${goTypeName(range)}`
      : `got '${goTypeName(range)}', expected iterable type`,
  );

/** What is gone through: an index or key, and where there are two variables an item or value. */
function* entries(range: ListValue | MapValue, hasTwo: boolean): Generator<readonly [Value, Value | undefined]> {
  if (range.kind === 'map') {
    for (const key of range.keys()) {
      const by = hasTwo ? keyOf(key) : undefined;
      yield [key, by === undefined ? undefined : range.find(by)];
    }
  } else {
    for (let i = 0; i < range.size; i++) yield hasTwo ? [BigInt(i), range.at(i)] : [range.at(i), undefined];
  }
}

const isRange = (range: Value): range is ListValue | MapValue =>
  range !== null && typeof range === 'object' && (range.kind === 'list' || range.kind === 'map');

export function planLoop(loop: Loop): Plan {
  const { range, condition, step, result, accumulator, variable, variable2, weight } = loop;
  const hasTwo = variable2 !== undefined;
  const enter = (frame: Frame, first: Value, second: Value | undefined): void => {
    frame.slots[variable] = first;
    if (variable2 !== undefined) frame.slots[variable2] = second;
  };
  const keep = (frame: Frame, value: Value | undefined): void => {
    if (value !== undefined) frame.slots[accumulator] = value;
  };
  const iterate = (frame: Frame, first: Value, second: Value | undefined): boolean => {
    enter(frame, first, second);
    const goesOn = condition.run(frame);
    if (goesOn === false) return false;
    keep(frame, step.run(frame));
    spend(frame, weight);
    return true;
  };
  return {
    run(frame) {
      frame.slots[accumulator] = undefined;
      const over = range.run(frame);
      if (isError(over)) return over;
      if (!isRange(over)) return noRange(over, hasTwo);
      if (over.kind === 'list' && !hasTwo) {
        for (let i = 0; i < over.size; i++) if (!iterate(frame, over.at(i), undefined)) break;
      } else for (const [first, second] of entries(over, hasTwo)) if (!iterate(frame, first, second)) break;
      return result.run(frame);
    },
    *steps(frame) {
      frame.slots[accumulator] = undefined;
      const over = yield* go(frame, range);
      if (isError(over)) return over;
      if (!isRange(over)) return noRange(over, hasTwo);
      for (const [first, second] of entries(over, hasTwo)) {
        enter(frame, first, second);
        const goesOn = yield* go(frame, condition);
        if (goesOn === false) break;
        keep(frame, step.steps === undefined ? step.run(frame) : yield* step.steps(frame));
        if ((frame.work -= weight) < 0) yield* rest(frame);
      }
      return yield* go(frame, result);
    },
  };
}
