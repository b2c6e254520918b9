import type { Steps } from '../../steps.js';
import { compareValues } from '../compare.js';
import type { CallEstimate, Declaration, EstimatedCall, Library, Overload } from '../declarations.js';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../ranges.js';
import { fits } from '../runtime-types.js';
import { OPERATORS } from '../standard/operators.js';
import { TEXT_COST } from '../standard/sizes.js';
import { BOOL, BYTES, DOUBLE, DURATION, INT, listOf, param, STRING, TIMESTAMP, UINT, type Type } from '../types.js';
import {
  Bytes,
  CelError,
  Duration,
  isError,
  noSuchOverload,
  Timestamp,
  Uint,
  type ListValue,
  type Value,
} from '../values.js';
import { traversalCost } from './costs.js';
import { equalSteps, Pace } from './items.js';
import { isText, method, slowMethod, sizeOfArg } from './overloads.js';

/** Source: k8s.io/apiserver pkg/cel/library/lists.go. */
export const COMPARABLE: readonly (readonly [name: string, type: Type])[] = [
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['duration', DURATION],
  ['timestamp', TIMESTAMP],
  ['string', STRING],
  ['bytes', BYTES],
];

/** With what a sum begins, which says what may be added to it. */
const SUMMABLE: readonly (readonly [name: string, type: Type, zero: Value])[] = [
  ['int', INT, 0n],
  ['uint', UINT, new Uint(0n)],
  ['double', DOUBLE, 0],
  ['duration', DURATION, new Duration(0n)],
];

export const isComparable = (value: Value): boolean =>
  (typeof value !== 'object' && value !== undefined) ||
  value instanceof Uint ||
  value instanceof Bytes ||
  value instanceof Duration ||
  value instanceof Timestamp;

/** Looks at every item once. */
const COSTS: Pick<Overload, 'cost' | 'estimate'> = { cost: args => traversalCost(args[0]), estimate };

function estimate(call: EstimatedCall): CallEstimate {
  const [list] = call.args;
  const item = list === undefined ? undefined : call.itemOf(list);
  const size = sizeOfArg(call, 0);
  if (item === undefined) return { cost: scaleRange(size, TEXT_COST) };
  const one = exactly(1);
  return {
    cost: multiplyRanges(size, isText(item) ? addRanges(one, scaleRange(call.sizeOf(item), TEXT_COST)) : one),
  };
}

/** Items that have no order do not stand in its way. */
const isAbove = (a: Value, b: Value): boolean => {
  const order = compareValues(a, b);
  return typeof order === 'number' && order > 0;
};

function isSorted(list: ListValue): Value {
  for (let i = 0; i < list.size; i++) {
    if (!isComparable(list.at(i))) return noSuchOverload();
    if (i > 0 && isAbove(list.at(i - 1), list.at(i))) return false;
  }
  return true;
}

const ADDITIONS = OPERATORS.find(({ name }) => name === '_+_')?.overloads ?? [];

const addValues = (a: Value, b: Value): Value =>
  ADDITIONS.find(({ args: [left, right] }) => left && right && fits(a, left) && fits(b, right))?.bind(a, b) ??
  noSuchOverload();

const sumFrom =
  (zero: Value) =>
  (list: ListValue): Value => {
    let sum = zero;
    for (let i = 0; i < list.size; i++) {
      sum = addValues(sum, list.at(i));
      if (isError(sum)) return sum;
    }
    return sum;
  };

const choose =
  (name: string, isBetter: (next: Value, best: Value) => boolean) =>
  (list: ListValue): Value => {
    let best: Value | undefined;
    for (let i = 0; i < list.size; i++) {
      const next = list.at(i);
      if (!isComparable(next)) return noSuchOverload();
      if (best === undefined || isBetter(next, best)) best = next;
    }
    return best ?? new CelError(`${name} called on empty list`);
  };

const min = choose('min', (next, best) => isAbove(best, next));
const max = choose('max', (next, best) => isAbove(next, best));

function* indexOf(list: ListValue, item: Value): Steps<Value> {
  const pace = new Pace();
  for (let i = 0; i < list.size; i++) if (yield* equalSteps(list.at(i), item, pace)) return BigInt(i);
  return -1n;
}

function* lastIndexOf(list: ListValue, item: Value): Steps<Value> {
  const pace = new Pace();
  for (let i = list.size - 1; i >= 0; i--) if (yield* equalSteps(list.at(i), item, pace)) return BigInt(i);
  return -1n;
}

const A = param('A');

const FUNCTIONS: readonly Declaration[] = [
  {
    name: 'isSorted',
    doc: 'Whether no item of a list comes before the one in front of it.',
    examples: [
      { expr: `['a', 'b', 'b', 'c'].isSorted()`, is: 'true' },
      { expr: '[2.0, 1.0].isSorted()', is: 'false' },
      { expr: '[].isSorted()', is: 'true' },
    ],
    overloads: COMPARABLE.map(([name, type]) =>
      method(`list_${name}_is_sorted_bool`, [listOf(type)], BOOL, isSorted, COSTS),
    ),
  },
  {
    name: 'sum',
    doc: 'The sum of the items of a list.',
    examples: [
      { expr: '[1, 3].sum()', is: '4' },
      { expr: '[1.0, 3.0].sum()', is: '4.0' },
      { expr: `[duration('1m'), duration('1s')].sum()`, is: `duration('1m1s')` },
      { expr: '[].sum()', is: '0' },
      { expr: '[9223372036854775807, 1].sum()', error: 'integer overflow' },
    ],
    overloads: SUMMABLE.map(([name, type, zero]) =>
      method(`list_${name}_sum_${name}`, [listOf(type)], type, sumFrom(zero), COSTS),
    ),
  },
  {
    name: 'max',
    doc: 'The greatest item of a list.',
    examples: [
      { expr: '[1, 3].max()', is: '3' },
      { expr: '[].max()', error: 'max called on empty list' },
    ],
    overloads: COMPARABLE.map(([name, type]) => method(`list_${name}_max_${name}`, [listOf(type)], type, max, COSTS)),
  },
  {
    name: 'min',
    doc: 'The least item of a list.',
    examples: [
      { expr: '[1, 3].min()', is: '1' },
      { expr: '[].min()', error: 'min called on empty list' },
    ],
    overloads: COMPARABLE.map(([name, type]) => method(`list_${name}_min_${name}`, [listOf(type)], type, min, COSTS)),
  },
  {
    name: 'indexOf',
    doc: 'Where the first item stands that is equal to a value; -1 when there is none.',
    examples: [
      { expr: '[1, 2, 2, 3].indexOf(2)', is: '1' },
      { expr: '[1.0].indexOf(1.1)', is: '-1' },
    ],
    overloads: [slowMethod('list_a_index_of_int', [listOf(A), A], INT, indexOf, COSTS)],
  },
  {
    name: 'lastIndexOf',
    doc: 'Where the last item stands that is equal to a value; -1 when there is none.',
    examples: [
      { expr: `['a', 'b', 'b', 'c'].lastIndexOf('b')`, is: '2' },
      { expr: `[].lastIndexOf('string')`, is: '-1' },
    ],
    overloads: [slowMethod('list_a_last_index_of_int', [listOf(A), A], INT, lastIndexOf, COSTS)],
  },
];

export const LISTS: Library = { name: 'kubernetes.lists', functions: FUNCTIONS };
