import type { Declaration, Overload } from '../declarations.js';
import { addRanges, exactly, scaleRange } from '../ranges.js';
import { BYTES, DOUBLE, DURATION, INT, listOf, param, STRING, TIMESTAMP, UINT } from '../types.js';
import { Bytes, CelError, Duration, isError, Timestamp, Uint, type ListValue, type Value } from '../values.js';
import { concatenate } from './lists.js';
import { isUint, toInt, uintOverflow } from './numbers.js';
import { example, overload } from './overload.js';
import { sizeOf, TEXT_COST } from './sizes.js';
import { isTime } from './times.js';

const LIST_A = listOf(param('A'));

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

/** + / % * -, of numbers, times, texts and lists. */
export const ARITHMETIC: readonly Declaration[] = [
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
];
