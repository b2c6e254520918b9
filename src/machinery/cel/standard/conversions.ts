import {
  MAX_COST,
  type Declaration,
  type Example,
  type Overload,
  type StaticNode,
  type StaticProblem,
} from '../declarations.js';
import { scaleRange } from '../ranges.js';
import { runtimeType } from '../runtime-types.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  param,
  printType,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
  type Type,
} from '../types.js';
import { Bytes, CelError, Duration, isError, Timestamp, TypeValue, Uint, type Value } from '../values.js';
import {
  formatDouble,
  formatPlain,
  intOfDouble,
  intOverflow,
  isUint,
  parseDigits,
  parseDouble,
  toInt,
  uintOfDouble,
  uintOverflow,
} from './numbers.js';
import { sizeOf, TEXT_COST } from './sizes.js';
import { durationSeconds, formatTime, isTime, nanosOfSeconds, parseNanos, parseTime, secondsOf } from './times.js';

type Convert = (value: never) => Value;

const failed = (from: Type, to: Type): CelError =>
  new CelError(`type conversion error from '${printType(from)}' to '${printType(to)}'`);

/** What is converted is known when it is compiled, where it is a literal: a failure is told then. */
const convert = (id: string, from: Type, to: Type, bind: Convert, more: Partial<Overload> = {}): Overload => ({
  id,
  args: [from],
  result: to,
  bind: bind as Overload['bind'],
  ...more,
});

const same = (id: string, type: Type): Overload => convert(id, type, type, value => value);

/** A conversion of strings, undefined where it is not possible. */
const fromString = (
  id: string,
  to: Type,
  read: (text: string) => Value | undefined,
  more?: Partial<Overload>,
): Overload => convert(id, STRING, to, (text: string) => read(text) ?? failed(STRING, to), more);

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);
const readBool = (text: string): boolean | undefined => (TRUE.has(text) ? true : FALSE.has(text) ? false : undefined);

function readTimestamp(text: string): Value | undefined {
  const time = parseTime(text);
  if (time === undefined) return undefined;
  return isTime(time.nanos) ? new Timestamp(time.nanos, time.offset) : new CelError('timestamp overflow');
}

function readDuration(text: string): Value | undefined {
  const nanos = parseNanos(text);
  return nanos === undefined ? undefined : new Duration(nanos);
}

function readUint(text: string): Value | undefined {
  const value = parseDigits(text, false);
  return value === undefined ? undefined : new Uint(value);
}

function decode({ value }: Bytes): Value {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const UNPAIRED = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** Text that a JSON escape has left half a pair in becomes what Go makes of it. */
const encode = (text: string): Value =>
  new Bytes(new TextEncoder().encode(UNPAIRED.test(text) ? text.toWellFormed() : text));

const reads: Pick<Overload, 'cost' | 'costIfKnown'> = {
  costIfKnown: true,
  cost: ([text]) => Math.ceil(sizeOf(text as Value) * TEXT_COST),
};

/** A literal that is no such thing, as cel-go's validators tell it (cel/validator.go). */
const checked = (name: string, overload: Overload): Overload => ({
  ...overload,
  validate([arg]: readonly StaticNode[]): readonly StaticProblem[] {
    if (arg?.literal === undefined || (arg.literal !== null && !isError(overload.bind(arg.literal)))) return [];
    return [{ arg: 0, text: `invalid ${name} argument` }];
  },
});

const example = (expr: string, is: string): Example => ({ expr, is });

export const CONVERSIONS: readonly Declaration[] = [
  {
    name: 'type',
    doc: 'The type of a value.',
    examples: [example('type(1)', 'int'), example("type('a') == string", 'true')],
    overloads: [convert('type', param('A'), typeOf(param('A')), (value: Value) => new TypeValue(runtimeType(value)))],
  },
  {
    name: 'bool',
    doc: 'A bool of a string.',
    examples: [example("bool('true')", 'true')],
    overloads: [same('bool_to_bool', BOOL), fromString('string_to_bool', BOOL, readBool)],
  },
  {
    name: 'bytes',
    doc: 'The bytes of a string in UTF-8.',
    examples: [example("bytes('é')", "b'\\xc3\\xa9'")],
    overloads: [
      same('bytes_to_bytes', BYTES),
      convert('string_to_bytes', STRING, BYTES, encode, {
        ...reads,
        estimate({ args: [arg], sizeOf: sizeOfNode }) {
          if (arg === undefined) return undefined;
          const { min, max } = sizeOfNode(arg);
          return { cost: scaleRange({ min, max }, TEXT_COST), size: { min, max: Math.min(max * 4, MAX_COST) } };
        },
      }),
    ],
  },
  {
    name: 'double',
    doc: 'A double of another number, or of a string.',
    examples: [example('double(1)', '1.0'), example("double('1.5')", '1.5')],
    overloads: [
      same('double_to_double', DOUBLE),
      convert('int64_to_double', INT, DOUBLE, (value: bigint) => Number(value)),
      fromString('string_to_double', DOUBLE, parseDouble),
      convert('uint64_to_double', UINT, DOUBLE, ({ value }: Uint) => Number(value)),
    ],
  },
  {
    name: 'duration',
    doc: 'A duration of a string as Go reads it.',
    examples: [
      example("duration('1h30m') == duration('90m')", 'true'),
      { expr: "duration(dyn('x'))", error: "type conversion error from 'string' to 'google.protobuf.Duration'" },
    ],
    overloads: [
      checked('duration', same('duration_to_duration', DURATION)),
      checked(
        'duration',
        convert('int64_to_duration', INT, DURATION, () => failed(INT, DURATION)),
      ),
      checked('duration', fromString('string_to_duration', DURATION, readDuration)),
    ],
  },
  {
    name: 'dyn',
    doc: 'The same value, whose type the checker does not look at any more.',
    examples: [example("dyn(1) == 'a'", 'false')],
    overloads: [convert('to_dyn', param('A'), DYN, value => value)],
  },
  {
    name: 'int',
    doc: 'An int of another number towards zero, of a string, or the seconds since 1970 of a time.',
    examples: [
      example('int(1.9)', '1'),
      example("int('-4')", '-4'),
      example("int(timestamp('1970-01-01T00:00:01Z'))", '1'),
      { expr: "int(dyn('a'))", error: "type conversion error from 'string' to 'int'" },
    ],
    overloads: [
      same('int64_to_int64', INT),
      convert('double_to_int64', DOUBLE, INT, (value: number) => intOfDouble(value) ?? intOverflow()),
      convert('duration_to_int64', DURATION, INT, ({ nanos }: Duration) => nanos),
      fromString('string_to_int64', INT, text => parseDigits(text, true)),
      convert('timestamp_to_int64', TIMESTAMP, INT, ({ nanos }: Timestamp) => secondsOf(nanos)),
      convert('uint64_to_int64', UINT, INT, ({ value }: Uint) => toInt(value)),
    ],
  },
  {
    name: 'string',
    doc: 'The text of a value.',
    examples: [
      example('string(1.5)', "'1.5'"),
      example("string(duration('1h'))", "'3600s'"),
      example("string(timestamp('2020-01-01T00:00:00+02:00'))", "'2020-01-01T00:00:00+02:00'"),
    ],
    overloads: [
      same('string_to_string', STRING),
      convert('bool_to_string', BOOL, STRING, (value: boolean) => String(value)),
      convert('bytes_to_string', BYTES, STRING, decode, {
        ...reads,
        estimate({ args: [arg], sizeOf: sizeOfNode }) {
          if (arg === undefined) return undefined;
          const { min, max } = sizeOfNode(arg);
          return { cost: scaleRange({ min, max }, TEXT_COST), size: { min: Math.floor(min / 4), max } };
        },
      }),
      convert('double_to_string', DOUBLE, STRING, formatDouble),
      convert(
        'duration_to_string',
        DURATION,
        STRING,
        ({ nanos }: Duration) => `${formatPlain(durationSeconds(nanos))}s`,
      ),
      convert('int64_to_string', INT, STRING, (value: bigint) => String(value)),
      convert('timestamp_to_string', TIMESTAMP, STRING, ({ nanos, offset }: Timestamp) => formatTime(nanos, offset)),
      convert('uint64_to_string', UINT, STRING, ({ value }: Uint) => String(value)),
    ],
  },
  {
    name: 'timestamp',
    doc: 'A time of a string as in RFC 3339, or of seconds since 1970.',
    examples: [
      example("timestamp(0) == timestamp('1970-01-01T00:00:00Z')", 'true'),
      { expr: "timestamp(dyn('x'))", error: "type conversion error from 'string' to 'google.protobuf.Timestamp'" },
    ],
    overloads: [
      checked('timestamp', same('timestamp_to_timestamp', TIMESTAMP)),
      checked(
        'timestamp',
        convert('int64_to_timestamp', INT, TIMESTAMP, (seconds: bigint) =>
          isTime(nanosOfSeconds(seconds)) ? new Timestamp(nanosOfSeconds(seconds)) : new CelError('timestamp overflow'),
        ),
      ),
      checked('timestamp', fromString('string_to_timestamp', TIMESTAMP, readTimestamp)),
    ],
  },
  {
    name: 'uint',
    doc: 'A uint of another number towards zero, or of a string.',
    examples: [example("uint('1')", '1u'), { expr: 'uint(dyn(-1))', error: 'unsigned integer overflow' }],
    overloads: [
      same('uint64_to_uint64', UINT),
      convert('double_to_uint64', DOUBLE, UINT, (value: number) => {
        const whole = uintOfDouble(value);
        return whole === undefined ? uintOverflow() : new Uint(whole);
      }),
      convert('int64_to_uint64', INT, UINT, (value: bigint) => (isUint(value) ? new Uint(value) : uintOverflow())),
      fromString('string_to_uint64', UINT, readUint),
    ],
  },
];

/** What cel-go works out when it is compiled, if its argument is a literal. */
export const CONVERSION_NAMES: ReadonlySet<string> = new Set(CONVERSIONS.map(({ name }) => name));
