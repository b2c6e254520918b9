import type { Declaration, Example, Overload, Range } from '../declarations.js';
import { compareValues, type Order } from '../compare.js';
import { addRanges, exactly, scaleRange } from '../ranges.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  INT,
  listOf,
  mapOf,
  optionalOf,
  param,
  STRING,
  TIMESTAMP,
  UINT,
  type Type,
} from '../types.js';
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
import { concatenate } from './lists.js';
import { isUint, toInt, uintOverflow } from './numbers.js';
import { sizeOf, TEXT_COST } from './sizes.js';
import { isTime } from './times.js';

const A = param('A');
const B = param('B');
const LIST_A = listOf(A);
const MAP_AB = mapOf(A, B);

/** What the evaluator does itself: arguments of these are not always evaluated, or take long. */
const BY_EVALUATOR = (): Value => noSuchOverload();

const overload = (
  id: string,
  args: readonly Type[],
  result: Type,
  bind: (...args: never[]) => Value,
  more: Partial<Overload> = {},
): Overload => ({ id, args, result, bind: bind as Overload['bind'], ...more });

const timestamp = (nanos: bigint, offset: number): Value =>
  isTime(nanos) ? new Timestamp(nanos, offset) : new CelError('timestamp overflow');

const duration = (nanos: bigint): Value => {
  const checked = toInt(nanos);
  return isError(checked) ? checked : new Duration(nanos);
};

const uint = (value: bigint): Value => (isUint(value) ? new Uint(value) : uintOverflow());

/** The same arithmetic on ints, uints and doubles. */
function arithmetic(
  name: string,
  wholes: (a: bigint, b: bigint) => bigint | CelError,
  doubles: ((a: number, b: number) => number) | undefined,
): { readonly double: readonly Overload[]; readonly int: Overload; readonly uint: Overload } {
  const numbers = doubles;
  return {
    double:
      numbers === undefined
        ? []
        : [overload(`${name}_double`, [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => numbers(a, b))],
    int: overload(`${name}_int64`, [INT, INT], INT, (a: bigint, b: bigint) => {
      const value = wholes(a, b);
      return typeof value === 'bigint' ? toInt(value) : value;
    }),
    uint: overload(`${name}_uint64`, [UINT, UINT], UINT, (a: Uint, b: Uint) => {
      const value = wholes(a.value, b.value);
      return typeof value === 'bigint' ? uint(value) : value;
    }),
  };
}

const add = arithmetic(
  'add',
  (a, b) => a + b,
  (a, b) => a + b,
);
const subtract = arithmetic(
  'subtract',
  (a, b) => a - b,
  (a, b) => a - b,
);
const multiply = arithmetic(
  'multiply',
  (a, b) => a * b,
  (a, b) => a * b,
);
const divide = arithmetic(
  'divide',
  (a, b) => (b === 0n ? new CelError('division by zero') : a / b),
  (a, b) => a / b,
);
/** Go refuses what would overflow, and so the least int by -1. */
const modulo = arithmetic(
  'modulo',
  (a, b) => {
    if (b === 0n) return new CelError('modulus by zero');
    return b === -1n && a === -(2n ** 63n) ? new CelError('integer overflow') : a % b;
  },
  undefined,
);

/** Two texts that are put together: as long as both, and copied. */
const JOINS: Partial<Overload> = {
  costIfKnown: true,
  cost: ([a, b]) => Math.ceil((sizeOf(a as Value) + sizeOf(b as Value)) * TEXT_COST),
  estimate({ args, sizeOf: size }) {
    const sum = args.reduce((total, arg) => addRanges(total, size(arg)), exactly(0));
    return { cost: scaleRange(sum, TEXT_COST), size: sum };
  },
};

function concatBytes(a: Bytes, b: Bytes): Value {
  const bytes = new Uint8Array(a.value.length + b.value.length);
  bytes.set(a.value);
  bytes.set(b.value, a.value.length);
  return new Bytes(bytes);
}

/** As long as the shorter one: whichever side ends first ends it. */
const COMPARES: Partial<Overload> = {
  costIfKnown: true,
  cost: ([a, b]) => Math.ceil(Math.min(sizeOf(a as Value), sizeOf(b as Value)) * TEXT_COST),
  estimate({ args: [a, b], sizeOf: size }) {
    const max = Math.min(a === undefined ? 0 : size(a).max, b === undefined ? 0 : size(b).max);
    const range: Range = { min: max > 0 ? 1 : 0, max };
    return { cost: scaleRange(range, TEXT_COST) };
  },
};

const COMPARED: readonly (readonly [string, Type, Type])[] = [
  ['bool', BOOL, BOOL],
  ['int64', INT, INT],
  ['int64_double', INT, DOUBLE],
  ['int64_uint64', INT, UINT],
  ['uint64', UINT, UINT],
  ['uint64_double', UINT, DOUBLE],
  ['uint64_int64', UINT, INT],
  ['double', DOUBLE, DOUBLE],
  ['double_int64', DOUBLE, INT],
  ['double_uint64', DOUBLE, UINT],
  ['string', STRING, STRING],
  ['bytes', BYTES, BYTES],
  ['timestamp', TIMESTAMP, TIMESTAMP],
  ['duration', DURATION, DURATION],
];

const HAS_LENGTH = new Set(['string', 'bytes']);

function relation(
  name: string,
  id: string,
  doc: string,
  holds: (order: number) => boolean,
  examples: readonly Example[],
): Declaration {
  const bind = (a: Value, b: Value): Value => {
    const order: Order = compareValues(a, b);
    return typeof order === 'number' ? holds(order) : order;
  };
  return {
    name,
    doc,
    examples,
    overloads: COMPARED.map(([types, left, right]) =>
      overload(`${id}_${types}`, [left, right], BOOL, bind, HAS_LENGTH.has(types) ? COMPARES : {}),
    ),
  };
}

const example = (expr: string, is: string): Example => ({ expr, is });

export const OPERATORS: readonly Declaration[] = [
  {
    name: '_?_:_',
    doc: 'One of two, by a condition.',
    examples: [example('1 < 2 ? 3 : 4', '3'), example('true ? 1 : 1 / 0', '1')],
    overloads: [overload('conditional', [BOOL, A, A], A, BY_EVALUATOR)],
  },
  {
    name: '_&&_',
    doc: 'Whether both hold. A failure of one does not matter when the other is false.',
    examples: [example('1 / 0 > 1 && false', 'false')],
    overloads: [overload('logical_and', [BOOL, BOOL], BOOL, BY_EVALUATOR)],
  },
  {
    name: '_||_',
    doc: 'Whether either holds. A failure of one does not matter when the other is true.',
    examples: [example('1 / 0 > 1 || true', 'true')],
    overloads: [overload('logical_or', [BOOL, BOOL], BOOL, BY_EVALUATOR)],
  },
  {
    name: '!_',
    doc: 'Not.',
    examples: [example('!true', 'false')],
    overloads: [overload('logical_not', [BOOL], BOOL, (a: boolean) => !a)],
  },
  {
    name: '@not_strictly_false',
    doc: 'Whether a loop goes on: true, or a failure.',
    examples: [],
    overloads: [overload('not_strictly_false', [BOOL], BOOL, BY_EVALUATOR)],
  },
  {
    name: '_==_',
    doc: 'Whether two values are equal. Numbers are equal as numbers, whatever their types.',
    examples: [example('dyn(3.0) == 3', 'true'), example('[1, 2] == [2, 1]', 'false')],
    overloads: [overload('equals', [A, A], BOOL, BY_EVALUATOR, { ...COMPARES })],
  },
  {
    name: '_!=_',
    doc: 'Whether two values are not equal.',
    examples: [example('1 != 2', 'true')],
    overloads: [overload('not_equals', [A, A], BOOL, BY_EVALUATOR, { ...COMPARES })],
  },
  {
    name: '_+_',
    doc: 'Numbers added, texts or lists one after the other, a time later by a duration.',
    examples: [
      example('1 + 2', '3'),
      example("'a' + 'b'", "'ab'"),
      example('[1] + [2]', '[1, 2]'),
      { expr: '9223372036854775807 + 1', error: 'integer overflow' },
    ],
    overloads: [
      overload('add_bytes', [BYTES, BYTES], BYTES, concatBytes, JOINS),
      ...add.double,
      overload('add_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) =>
        duration(a.nanos + b.nanos),
      ),
      overload('add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) =>
        timestamp(a.nanos + b.nanos, b.offset),
      ),
      overload('add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) =>
        timestamp(a.nanos + b.nanos, a.offset),
      ),
      add.int,
      overload('add_list', [LIST_A, LIST_A], LIST_A, (a: ListValue, b: ListValue) => concatenate(a, b), {
        estimate: ({ args, sizeOf: size }) => ({
          cost: exactly(1),
          size: args.reduce((total, arg) => addRanges(total, size(arg)), exactly(0)),
        }),
      }),
      overload('add_string', [STRING, STRING], STRING, (a: string, b: string) => a + b, JOINS),
      add.uint,
    ],
  },
  {
    name: '_/_',
    doc: 'Numbers divided; whole ones towards zero.',
    examples: [example('7 / 2', '3'), example('7.0 / 2.0', '3.5'), { expr: '1 / 0', error: 'division by zero' }],
    overloads: [...divide.double, divide.int, divide.uint],
  },
  {
    name: '_%_',
    doc: 'What is left when whole numbers are divided.',
    examples: [example('3 % 2', '1'), { expr: '1 % 0', error: 'modulus by zero' }],
    overloads: [modulo.int, modulo.uint],
  },
  {
    name: '_*_',
    doc: 'Numbers multiplied.',
    examples: [example('2 * 3', '6')],
    overloads: [...multiply.double, multiply.int, multiply.uint],
  },
  {
    name: '-_',
    doc: 'A number negated.',
    examples: [example('-(5)', '0 - 5')],
    overloads: [
      overload('negate_double', [DOUBLE], DOUBLE, (a: number) => -a),
      overload('negate_int64', [INT], INT, (a: bigint) => toInt(-a)),
    ],
  },
  {
    name: '_-_',
    doc: 'Numbers subtracted, a time earlier by a duration, or the duration between two times.',
    examples: [example('3 - 1', '2'), { expr: '1u - 2u', error: 'unsigned integer overflow' }],
    overloads: [
      ...subtract.double,
      overload('subtract_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) =>
        duration(a.nanos - b.nanos),
      ),
      subtract.int,
      overload('subtract_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) =>
        b.nanos === -(2n ** 63n) ? new CelError('integer overflow') : timestamp(a.nanos - b.nanos, a.offset),
      ),
      overload('subtract_timestamp_timestamp', [TIMESTAMP, TIMESTAMP], DURATION, (a: Timestamp, b: Timestamp) =>
        duration(a.nanos - b.nanos),
      ),
      subtract.uint,
    ],
  },
  relation('_<_', 'less', 'Whether one comes before the other.', order => order < 0, [
    example('1 < 2', 'true'),
    example("'b' < 'a'", 'false'),
    example('1 < 1.5', 'true'),
  ]),
  relation('_<=_', 'less_equals', 'Whether one does not come after the other.', order => order <= 0, [
    example('2 <= 2', 'true'),
  ]),
  relation('_>_', 'greater', 'Whether one comes after the other.', order => order > 0, [example('2u > 1', 'true')]),
  relation('_>=_', 'greater_equals', 'Whether one does not come before the other.', order => order >= 0, [
    example('1 >= 2', 'false'),
  ]),
  {
    name: '_[_]',
    doc: 'An item of a list by its index, or a value of a map by its key.',
    examples: [
      example('[1, 2][1]', '2'),
      example("{'a': 1}['a']", '1'),
      { expr: '[1][3]', error: 'index out of bounds: 3' },
      { expr: "{'a': 1}['b']", error: 'no such key: b' },
    ],
    overloads: [
      overload('index_list', [LIST_A, INT], A, BY_EVALUATOR),
      overload('index_map', [MAP_AB, A], B, BY_EVALUATOR),
    ],
  },
  {
    name: '@in',
    doc: 'Whether a list has an item, or a map a key.',
    examples: [example('2 in [1, 2]', 'true'), example("'b' in {'a': 1}", 'false')],
    overloads: [
      overload('in_list', [A, LIST_A], BOOL, BY_EVALUATOR, {
        costIfKnown: true,
        cost: ([, list]) => sizeOf(list as Value),
        estimate: ({ args: [, list], sizeOf: size }) => (list === undefined ? undefined : { cost: size(list) }),
      }),
      overload('in_map', [A, MAP_AB], BOOL, BY_EVALUATOR),
    ],
  },
];

const V = param('V');
const K = param('K');
const OPTIONAL_V = optionalOf(V);

/** Operators on optionals, which add overloads to those above. */
export const OPTIONAL_OPERATORS: readonly Declaration[] = [
  {
    name: '_?._',
    doc: 'An optional of a field, which there may not be.',
    examples: [example("{'a': 1}.?a", 'optional.of(1)'), example("{'a': 1}.?b", 'optional.none()')],
    overloads: [overload('select_optional_field', [param('T'), STRING], OPTIONAL_V, BY_EVALUATOR)],
  },
  {
    name: '_[?_]',
    doc: 'An optional of an item of a list or a value of a map, which there may not be.',
    examples: [example('[1][?0]', 'optional.of(1)'), example('[1][?1]', 'optional.none()')],
    overloads: [
      overload('list_optindex_optional_int', [listOf(V), INT], OPTIONAL_V, BY_EVALUATOR),
      overload('optional_list_optindex_optional_int', [optionalOf(listOf(V)), INT], OPTIONAL_V, BY_EVALUATOR),
      overload('map_optindex_optional_value', [mapOf(K, V), K], OPTIONAL_V, BY_EVALUATOR),
      overload('optional_map_optindex_optional_value', [optionalOf(mapOf(K, V)), K], OPTIONAL_V, BY_EVALUATOR),
    ],
  },
  {
    name: '_[_]',
    doc: 'Of an optional: an optional of an item or value.',
    examples: [example('optional.of([1])[0]', 'optional.of(1)')],
    overloads: [
      overload('optional_list_index_int', [optionalOf(listOf(V)), INT], OPTIONAL_V, BY_EVALUATOR),
      overload('optional_map_index_value', [optionalOf(mapOf(K, V)), K], OPTIONAL_V, BY_EVALUATOR),
    ],
  },
];
