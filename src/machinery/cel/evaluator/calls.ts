import type { Overload, Specialized } from '../declarations.js';
import type { Steps } from '../../steps.js';
import { fits, runtimeType } from '../runtime-types.js';
import type { Type } from '../types.js';
import { CelError, isError, noSuchOverload, type Value } from '../values.js';
import { atOnce, charge, go, spend, WORK_OF_CALL, workOf, type Frame, type Plan, type Run } from './frame.js';

/** A literal that a function can do nothing with: no program can be made. */
export class InstantiationError extends Error {}

/** An overload, made for one place. */
export interface Target {
  readonly checks: readonly (readonly [number, Type])[];
  /** Whether its arguments may be large. */
  readonly isBulky: boolean;
  /** Whether what is in lists and maps must fit, too. */
  readonly isDeep: boolean;
  readonly bind: Specialized['bind'];
  readonly steps: Specialized['steps'];
  readonly cost: Overload['cost'];
  readonly costOfResult: Overload['costOfResult'];
}

const SMALL: ReadonlySet<Type['kind']> = new Set(
  'bool double duration int null timestamp type uint'.split(' ') as Type['kind'][],
);

/** Operators look at their first operand first: cel-go's traits. */
const OPERANDS: ReadonlyMap<string, ReadonlySet<Type['kind']>> = new Map(
  (
    [
      ['_+_', 'bytes double duration int list string timestamp uint'],
      ['_-_', 'double duration int timestamp uint'],
      ['_*_', 'double int uint'],
      ['_/_', 'double int uint'],
      ['_%_', 'int uint'],
      ['-_', 'bool double duration int'],
      ['_<_', 'bool bytes double duration int string timestamp uint'],
      ['size', 'bytes list map string'],
    ] as const
  ).map(([name, kinds]) => [name, new Set(kinds.split(' ')) as ReadonlySet<Type['kind']>]),
);
/** Values that look for functions of their own. */
const RECEIVERS: ReadonlySet<Type['kind']> = new Set(['string', 'timestamp', 'duration']);
const PLAIN = new Set(['!_', 'contains', 'startsWith', 'endsWith', 'matches']);
const RELATIONS = new Set(['_<=_', '_>_', '_>=_']);

/** How cel-go says that there is no overload for these values. */
function noMatch(name: string, values: readonly Value[]): CelError {
  const kinds = OPERANDS.get(RELATIONS.has(name) ? '_<_' : name);
  const types = values.map(value => runtimeType(value));
  const first = types[0]?.kind ?? 'dyn';
  if (PLAIN.has(name)) return noSuchOverload();
  if (kinds !== undefined)
    return kinds.has(first) || RECEIVERS.has(first) ? noSuchOverload() : new CelError(`no such overload: ${name}`);
  return new CelError(`no such overload: ${name}(${types.map(type => type.name).join(', ')})`);
}

/** Targets that serve at any place of a program, by whether they are the only ones there. */
export type Targets = readonly [Map<Overload, Target>, Map<Overload, Target>];

function targetAt(
  targets: Targets,
  overload: Overload,
  isOnly: boolean,
  constants: readonly (Value | undefined)[],
): Target {
  if (overload.specialize !== undefined) return targetOf(overload, isOnly, constants);
  const known = targets[isOnly ? 1 : 0];
  const before = known.get(overload);
  if (before !== undefined) return before;
  const target = targetOf(overload, isOnly, constants);
  known.set(overload, target);
  return target;
}

function targetOf(overload: Overload, isOnly: boolean, constants: readonly (Value | undefined)[]): Target {
  const special = overload.specialize?.(constants);
  if (special instanceof CelError) throw new InstantiationError(special.message);
  const isCounted = isOnly || overload.costIfKnown !== true;
  return {
    checks: overload.args.flatMap((type, i) =>
      type.kind === 'dyn' || type.kind === 'param' ? [] : [[i, type] as const],
    ),
    isBulky: overload.args.some(type => !SMALL.has(type.kind)),
    isDeep: overload.anyItems !== true,
    bind: special?.bind ?? overload.bind,
    steps: special?.steps,
    cost: isCounted ? overload.cost?.bind(overload) : undefined,
    costOfResult: isCounted ? overload.costOfResult?.bind(overload) : undefined,
  };
}

const matches = (target: Target, values: readonly Value[]): boolean => {
  for (const [i, type] of target.checks) if (!fits(values[i] as Value, type, target.isDeep)) return false;
  return true;
};

/** Counts what it costs before it is done. */
function begin(frame: Frame, target: Target, values: readonly Value[]): void {
  spend(frame, workOf(values) + (target.steps === undefined ? 0 : WORK_OF_CALL));
  if (target.costOfResult === undefined) charge(frame, target.cost === undefined ? 1 : target.cost(values));
}

function end(frame: Frame, target: Target, values: readonly Value[], result: Value): Value {
  if (target.costOfResult !== undefined) charge(frame, target.costOfResult(values, result));
  return result;
}

/** A call of a function whose arguments are evaluated first, and of which none may have failed. */
export function planFunction(
  known: Targets,
  name: string,
  overloads: readonly Overload[],
  args: readonly Plan[],
): Plan {
  const constants = args.map(arg => arg.constant);
  const targets = overloads.map(overload => targetAt(known, overload, overloads.length === 1, constants));
  const find = (values: readonly Value[]): Target | undefined => targets.find(target => matches(target, values));
  const call = (frame: Frame, values: readonly Value[]): Value => {
    const target = find(values);
    if (target === undefined) return failed(frame, noMatch(name, values), targets[0], values);
    begin(frame, target, values);
    const { steps, bind } = target;
    return end(frame, target, values, steps === undefined ? bind(...values) : atOnce(steps(...values)));
  };
  const [only] = targets;
  const isSimple =
    targets.length === 1 && only !== undefined && only.steps === undefined && only.costOfResult === undefined;
  const run = isSimple ? simple(name, only, args) : undefined;
  return {
    run:
      run ??
      generic(args, args.length > 2 || (only?.steps !== undefined && args[1]?.constant !== undefined), call, only),
    steps:
      targets.some(target => target.steps !== undefined) || args.some(arg => arg.steps !== undefined)
        ? frame => callSteps(frame, args, only, values => inSteps(frame, find(values), name, values))
        : undefined,
  };
}

const failed = (frame: Frame, error: CelError, only?: Target, values: readonly Value[] = []): CelError => {
  charge(frame, only?.costOfResult?.(values, error) ?? only?.cost?.(values) ?? 1);
  return error;
};

function* inSteps(frame: Frame, target: Target | undefined, name: string, values: readonly Value[]): Steps<Value> {
  if (target === undefined) return failed(frame, noMatch(name, values));
  begin(frame, target, values);
  const result = target.steps === undefined ? target.bind(...values) : yield* target.steps(...values);
  return end(frame, target, values, result);
}

/** One overload of one or two arguments, as most calls are. */
function simple(name: string, target: Target, args: readonly Plan[]): Run | undefined {
  const { bind, cost } = target;
  const [first, second] = args;
  const { isBulky } = target;
  if (args.length === 1 && first !== undefined) {
    const { run } = first;
    return frame => {
      const a = run(frame);
      if (isError(a)) return failed(frame, a, target, [a]);
      if (!matches(target, [a])) return failed(frame, noMatch(name, [a]), target, [a]);
      charge(frame, cost === undefined ? 1 : cost([a]));
      if (isBulky) spend(frame, workOf([a]));
      return bind(a);
    };
  }
  if (args.length !== 2 || first === undefined || second === undefined) return undefined;
  return frame => {
    const a = first.run(frame);
    const b = second.run(frame);
    if (isError(a)) return failed(frame, a, target, [a, b]);
    if (isError(b)) return failed(frame, b, target, [a, b]);
    if (!matches(target, [a, b])) return failed(frame, noMatch(name, [a, b]), target, [a, b]);
    charge(frame, cost === undefined ? 1 : cost([a, b]));
    if (isBulky) spend(frame, workOf([a, b]));
    return bind(a, b);
  };
}

/** Two are both evaluated; of more, the first that fails ends it. */
const generic =
  (
    args: readonly Plan[],
    isMany: boolean,
    call: (frame: Frame, values: readonly Value[]) => Value,
    first: Target | undefined,
  ): Run =>
  frame => {
    const values: Value[] = [];
    for (const { run } of args) {
      const value = run(frame);
      // What is left out is not counted.
      if (isError(value) && isMany && values.length + 1 < args.length) return value;
      values.push(value);
    }
    const error = values.find(isError);
    return error === undefined ? call(frame, values) : failed(frame, error, first, values);
  };

/** The same in steps. */
export function* callSteps(
  frame: Frame,
  args: readonly Plan[],
  first: Target | undefined,
  call: (values: readonly Value[]) => Steps<Value>,
): Steps<Value> {
  const values: Value[] = [];
  for (const arg of args) {
    const value = yield* go(frame, arg);
    if (isError(value) && args.length > 2) return value;
    values.push(value);
  }
  const error = values.find(isError);
  return error === undefined ? yield* call(values) : failed(frame, error, first, values);
}
