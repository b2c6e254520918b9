import type { Environment } from '../environment.js';
import type { Steps } from '../../steps.js';
import { runtimeType } from '../runtime-types.js';
import { ArrayList, CelError, EntryMap, isError, keyOf, OptionalValue, type Value } from '../values.js';
import { charge, constant, go, type Frame, type Plan, type Run } from './frame.js';

/** Base costs of what is made. Source: cel-go common/cost.go. */
const LIST_COST = 10;
const MAP_COST = 30;
const STRUCT_COST = 40;

/** Evaluates parts until one fails, puts them together, and counts what the whole costs. */
function construct(parts: readonly Plan[], cost: number, make: (values: readonly Value[]) => Value): Plan {
  const isLong = parts.some(({ steps }) => steps !== undefined);
  const finish = (frame: Frame, result: Value): Value => {
    charge(frame, cost);
    return result;
  };
  const run: Run = frame => {
    const values: Value[] = [];
    for (const part of parts) {
      const value = part.run(frame);
      if (isError(value)) return finish(frame, value);
      values.push(value);
    }
    return finish(frame, make(values));
  };
  function* steps(frame: Frame): Steps<Value> {
    const values: Value[] = [];
    for (const part of parts) {
      const value = yield* go(frame, part);
      if (isError(value)) return finish(frame, value);
      values.push(value);
    }
    return finish(frame, make(values));
  }
  return { run, steps: isLong ? steps : undefined };
}

/** Literals of nothing but literals are made once, and cost nothing. */
function folded(parts: readonly Plan[], plan: Plan, make: (values: readonly Value[]) => Value): Plan {
  const values = parts.map(part => part.constant);
  if (values.includes(undefined)) return plan;
  const value = make(values as Value[]);
  return isError(value) ? plan : constant(value);
}

export function planList(items: readonly Plan[], optional: ReadonlySet<number>): Plan {
  const make = (values: readonly Value[]): Value => {
    if (optional.size === 0) return new ArrayList(values);
    const kept: Value[] = [];
    for (const [i, value] of values.entries()) {
      if (!optional.has(i)) kept.push(value);
      else if (!(value instanceof OptionalValue))
        return new CelError(
          `cannot initialize optional list element from non-optional value ${runtimeType(value).name}`,
        );
      else if (value.value !== undefined) kept.push(value.value);
    }
    return new ArrayList(kept);
  };
  return folded(items, construct(items, LIST_COST, make), make);
}

const notOptional = (key: string, value: Value): CelError =>
  new CelError(`cannot initialize optional entry '${key}' from non-optional value ${runtimeType(value).name}`);

/** Keys and values in turns. */
export function planMap(parts: readonly Plan[], optional: readonly boolean[]): Plan {
  const make = (values: readonly Value[]): Value => {
    const map = new EntryMap();
    for (const [i, isOptional] of optional.entries()) {
      const key = values[2 * i] as Value;
      let value = values[2 * i + 1] as Value;
      if (isOptional) {
        if (!(value instanceof OptionalValue)) return notOptional(String(keyOf(key)), value);
        if (value.value === undefined) {
          map.remove(key);
          continue;
        }
        value = value.value;
      }
      if (!map.put(key, value)) return new CelError(`unsupported key type: ${runtimeType(key).name}`);
    }
    return map;
  };
  return folded(parts, construct(parts, MAP_COST, make), make);
}

export interface FieldPlan {
  readonly name: string;
  readonly optional: boolean;
  readonly value: Plan;
}

export function planStruct(env: Environment, name: string, fields: readonly FieldPlan[]): Plan {
  const make = (values: readonly Value[]): Value => {
    const given = new Map<string, Value>();
    for (const [i, field] of fields.entries()) {
      const value = values[i] as Value;
      if (!field.optional) given.set(field.name, value);
      else if (!(value instanceof OptionalValue)) return notOptional(field.name, value);
      else if (value.value === undefined) given.delete(field.name);
      else given.set(field.name, value.value);
    }
    return env.provider.create?.(name, given) ?? new CelError(`unknown type: ${name}`);
  };
  return construct(
    fields.map(field => field.value),
    STRUCT_COST,
    make,
  );
}
