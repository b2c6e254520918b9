import { compareValues, isNumber } from './compare.js';
import { runtimeType } from './runtime-types.js';
import {
  Bytes,
  Duration,
  keyOf,
  type OpaqueValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  type ListValue,
  type MapValue,
  type StructValue,
  type Value,
} from './values.js';

/** A list, map or struct that is being compared: what goes on giving pairs. */
interface Open {
  readonly pairs: Iterator<readonly [Value, Value]>;
  /** A part that cannot be compared ends it; others take that for no difference, as cel-go's own lists and maps do. */
  readonly isStrict: boolean;
}

/**
 * Whether two values are equal: numbers as numbers, values of different types never. It is asked to work for a while, and
 * asked again: lists and maps may be large.
 */
export class Comparison {
  /** What holds pairs still to be looked at, the innermost last. */
  private readonly open: Open[] = [];
  private answer: boolean | undefined;
  /** The answer is that there is no such overload. */
  isForeign = false;
  /** Pairs looked at. */
  count = 0;

  constructor(a: Value, b: Value) {
    this.compare(a, b);
  }

  /** undefined: not known yet, after `work` pairs. */
  run(work: number): boolean | undefined {
    for (const end = this.count + work; this.answer === undefined; this.count++) {
      const last = this.open[this.open.length - 1];
      if (last === undefined) return (this.answer = true);
      if (this.count >= end) return undefined;
      const next = last.pairs.next();
      if (next.done === true) this.open.pop();
      else this.compare(next.value[0], next.value[1]);
    }
    return this.answer;
  }

  private compare(a: Value, b: Value): void {
    if (a === b && typeof a !== 'object') return;
    if (isForeign(a, b, this.open[this.open.length - 1]?.isStrict === true)) {
      this.fail();
      return;
    }
    const pairs = pairsOf(a, b);
    if (pairs === undefined) {
      if (!isEqualScalar(a, b)) this.answer = false;
    } else if (pairs === false) this.answer = false;
    else this.open.push({ pairs, isStrict: isStrict(a) });
  }

  /** As far out as somebody does not mind. */
  private fail(): void {
    while (this.open[this.open.length - 1]?.isStrict === true) this.open.pop();
    if (this.open.length > 0) return;
    this.isForeign = true;
    this.answer = false;
  }
}

const isStrict = (value: Value): boolean =>
  value !== null &&
  typeof value === 'object' &&
  (value.kind === 'list' || value.kind === 'map') &&
  value.isStrict === true;

/**
 * A value of a library's type, and a list or map of a schema, cannot even be asked whether it is equal to one of another
 * type. Null is different from all, but a schema's own list or map does not know that of its parts.
 */
function isForeign(a: Value, b: Value, isStrictPart: boolean): boolean {
  if (a === null || typeof a !== 'object' || (b === null && !isStrictPart)) return false;
  if (a.kind === 'opaque')
    return a.equals === undefined || runtimeType(b).name !== a.type.name || (b as OpaqueValue).isIncomparable === true;
  return isStrict(a) && !(b !== null && typeof b === 'object' && b.kind === a.kind);
}

/** Of two that have parts: the pairs that must be equal; false: they are not. undefined: they have none. */
function pairsOf(a: Value, b: Value): Iterator<readonly [Value, Value]> | false | undefined {
  if (a === null || typeof a !== 'object' || b === null || typeof b !== 'object') return undefined;
  if (a.kind === 'list' && b.kind === 'list') {
    if (a.size !== b.size) return false;
    return a.equals === undefined ? listPairs(a, b) : a.equals(b);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    if (a.size !== b.size) return false;
    return a.equals === undefined ? mapPairs(a, b) : a.equals(b);
  }
  if (a.kind === 'struct' && b.kind === 'struct') return structPairs(a, b);
  if (a instanceof OptionalValue && b instanceof OptionalValue && a.value !== undefined && b.value !== undefined)
    return [[a.value, b.value] as const].values();
  return undefined;
}

function* listPairs(a: ListValue, b: ListValue): Generator<readonly [Value, Value]> {
  for (let i = 0; i < a.size; i++) yield [a.at(i), b.at(i)];
}

const DIFFERENT: readonly [Value, Value] = [true, false];

function* mapPairs(a: MapValue, b: MapValue): Generator<readonly [Value, Value]> {
  for (const key of a.keys()) {
    const by = keyOf(key);
    const [left, right] = by === undefined ? [undefined, undefined] : [a.find(by), b.find(by)];
    yield left === undefined || right === undefined ? DIFFERENT : [left, right];
  }
}

function structPairs(a: StructValue, b: StructValue): Iterator<readonly [Value, Value]> | false {
  if (a === b) return [].values();
  if (a.fields === undefined || b.fields === undefined || a.type.name !== b.type.name) return false;
  return fieldPairs(a, b, a.fields(), b.fields());
}

function* fieldPairs(
  a: StructValue,
  b: StructValue,
  fields: Iterable<string>,
  others: Iterable<string>,
): Generator<readonly [Value, Value]> {
  for (const [one, other, names] of [
    [a, b, fields],
    [b, a, others],
  ] as const) {
    for (const name of names) {
      const left = one.field(name);
      const right = other.field(name);
      yield left === undefined || right === undefined ? DIFFERENT : [left, right];
    }
  }
}

function isEqualScalar(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return compareValues(a, b) === 0;
  if (a === null || typeof a !== 'object' || b === null || typeof b !== 'object') return a === b;
  if (a instanceof Bytes && b instanceof Bytes) return Buffer.compare(a.value, b.value) === 0;
  if (a instanceof Timestamp && b instanceof Timestamp) return a.nanos === b.nanos;
  if (a instanceof Duration && b instanceof Duration) return a.nanos === b.nanos;
  if (a instanceof TypeValue && b instanceof TypeValue) return a.type.name === b.type.name;
  if (a instanceof OptionalValue && b instanceof OptionalValue) return a.value === b.value;
  if (a.kind === 'opaque' && b.kind === 'opaque') return a.type.name === b.type.name && a.equals?.(b) === true;
  return false;
}

/** Of values that are known to be small. */
export const isEqual = (a: Value, b: Value): boolean => new Comparison(a, b).run(Infinity) === true;
