import { quote } from '../../go-text.js';
import type { Steps } from '../../steps.js';
import { compareStrings } from '../compare.js';
import type { Declaration, StaticNode, StaticProblem } from '../declarations.js';
import { fits, runtimeType } from '../runtime-types.js';
import { CONVERSIONS } from '../standard/conversions.js';
import { DYN, listOf, STRING, type Type, type TypeKind } from '../types.js';
import {
  Bytes,
  CelError,
  Duration,
  keyOf,
  Timestamp,
  TypeValue,
  Uint,
  type ListValue,
  type MapValue,
  type Value,
} from '../values.js';
import { isProblem, partsOf, type Clause } from './format-clauses.js';
import { Pace } from './items.js';
import { readsFirst, slowMethod } from './overloads.js';
import { printFixed, printPlain, printScientific } from './print-doubles.js';
import { MAX_LENGTH, tooLong } from './text.js';

/** `'%d of %s'.format([1, 'x'])`. Source: cel-go ext/formatting.go, the form before version 4 of the library. */
const TO_TEXT = CONVERSIONS.find(({ name }) => name === 'string')?.overloads ?? [];

/** string(value), of what has a text. */
function textOf(value: Value): string | CelError {
  if (value instanceof TypeValue) return value.type.name;
  const text = TO_TEXT.find(({ args: [type] }) => type !== undefined && fits(value, type))?.bind(value);
  if (typeof text === 'string') return text;
  const why = text instanceof CelError ? text.message : 'no such overload';
  return new CelError(`could not convert argument ${quote(why)} to string`);
}

const DIGITS = 6;
const nameOf = (value: Value): string => runtimeType(value).name;

const NEEDS = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
} as const;

type Verb = keyof typeof NEEDS;

const verbOf = ({ verb }: Clause): Verb => (verb === 'X' ? 'x' : (verb as Verb));
const unfit = (verb: Verb, type: string): string => `${NEEDS[verb]}, was given ${type}`;

const isList = (value: Value): value is ListValue =>
  value !== null && typeof value === 'object' && value.kind === 'list';
const isMap = (value: Value): value is MapValue => value !== null && typeof value === 'object' && value.kind === 'map';

const isPlainKey = (key: Value): boolean =>
  typeof key === 'string' || typeof key === 'boolean' || wholeOf(key) !== undefined;

const HAS_TEXT: ReadonlySet<TypeKind> = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'timestamp',
  'bytes',
  'duration',
  'type',
]);

class FormatError extends Error {}

/** Prints one value, and counts how long everything has become: what is in itself often has no end. */
class Printer {
  private length = 0;
  private readonly pace = new Pace();

  *print(clause: Clause, value: Value): Steps<string> {
    const verb = verbOf(clause);
    const text = verb === 's' ? yield* this.text(value) : printed(verb, clause, value);
    if (text === undefined) throw new FormatError(unfit(verb, nameOf(value)));
    return text;
  }

  private *text(value: Value): Steps<string | undefined> {
    if (value === null) return 'null';
    if (isList(value)) return yield* this.list(value);
    if (isMap(value)) return yield* this.map(value);
    return HAS_TEXT.has(runtimeType(value).kind) ? unwrap(textOf(value)) : undefined;
  }

  private *list(list: ListValue): Steps<string> {
    const parts: string[] = [];
    for (let i = 0; i < list.size; i++) parts.push(yield* this.within(list.at(i)));
    return `[${parts.join(', ')}]`;
  }

  private *map(map: MapValue): Steps<string> {
    const parts: (readonly [key: string, value: string])[] = [];
    for (const key of map.keys()) {
      const by = keyOf(key);
      if (by === undefined || !isPlainKey(key))
        throw new FormatError(`no formatting function for map key of type ${nameOf(key)}`);
      parts.push([yield* this.within(key), yield* this.within(map.find(by) ?? null)]);
    }
    return `{${parts
      .sort(([a], [b]) => compareStrings(a, b))
      .map(([key, value]) => `${key}:${value}`)
      .join(', ')}}`;
  }

  /** As a literal. */
  private *within(value: Value): Steps<string> {
    if (this.pace.isOver()) yield;
    const text = yield* this.literal(value);
    this.length += text.length + 2;
    if (this.length > MAX_LENGTH) throw new FormatError(tooLong().message);
    return text;
  }

  private *literal(value: Value): Steps<string> {
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'number') {
      const text = printPlain(value);
      return Number.isFinite(value) ? text : quote(text);
    }
    if (value instanceof Bytes) return `b${quote(unwrap(textOf(value)))}`;
    if (value instanceof Timestamp) return `timestamp(${quote(unwrap(textOf(value)))})`;
    if (value instanceof Duration) return `duration(${quote(unwrap(textOf(value)))})`;
    const text = yield* this.text(value);
    if (text === undefined) throw new FormatError(`no formatting function for ${nameOf(value)}`);
    return text;
  }
}

function printed(
  verb: Exclude<Verb, 's'>,
  { verb: written, precision = DIGITS }: Clause,
  value: Value,
): string | undefined {
  switch (verb) {
    case 'd':
      return wholeOf(value)?.toString();
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : wholeOf(value)?.toString(2);
    case 'o':
      return wholeOf(value)?.toString(8);
    case 'x':
      return hexOf(value, written === 'X');
    default: {
      const double = doubleOf(value);
      if (double === undefined) return undefined;
      return verb === 'f' ? printFixed(double, precision) : printScientific(double, precision);
    }
  }
}

function unwrap(text: string | CelError): string {
  if (typeof text === 'string') return text;
  throw new FormatError(text.message);
}

const wholeOf = (value: Value): bigint | undefined =>
  typeof value === 'bigint' ? value : value instanceof Uint ? value.value : undefined;

const NAMED_DOUBLES: ReadonlyMap<Value, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);
const doubleOf = (value: Value): number | undefined => (typeof value === 'number' ? value : NAMED_DOUBLES.get(value));

function hexOf(value: Value, isUpper: boolean): string | undefined {
  const text =
    typeof value === 'string'
      ? Buffer.from(value).toString('hex')
      : value instanceof Bytes
        ? Buffer.from(value.value).toString('hex')
        : wholeOf(value)?.toString(16);
  return isUpper ? text?.toUpperCase() : text;
}

function* formatText(format: string, args: ListValue): Steps<Value> {
  const printer = new Printer();
  let text = '';
  for (const part of partsOf(format, args.size, true)) {
    if (typeof part === 'string') text += part;
    else if (isProblem(part)) return new CelError(part.problem);
    else {
      try {
        text += yield* printer.print(part, args.at(part.index));
      } catch (error) {
        if (error instanceof FormatError) return new CelError(`error during formatting: ${error.message}`);
        throw error;
      }
    }
    if (text.length > MAX_LENGTH) return tooLong();
  }
  return text;
}

/** What a clause takes, as far as a check on write knows. */
const TAKES: Readonly<Record<Verb, ReadonlySet<TypeKind>>> = {
  s: new Set([...HAS_TEXT, 'list', 'map', 'null']),
  d: new Set(['int', 'uint']),
  f: new Set(['double', 'string']),
  e: new Set(['double', 'string']),
  b: new Set(['int', 'uint', 'bool']),
  x: new Set(['int', 'uint', 'string', 'bytes']),
  o: new Set(['int', 'uint']),
};

const takes = (verb: Verb, { kind }: Type): boolean => kind === 'dyn' || TAKES[verb].has(kind);

/** The type in it that has no text; of a list that is written out, of its items, too. */
function textless({ type, items = [] }: StaticNode): Type | undefined {
  if (!takes('s', type)) return type;
  for (const item of items) {
    const found = textless(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A format and a list of arguments that are written out are checked with the expression. */
function validate([format, args]: readonly StaticNode[]): readonly StaticProblem[] {
  const items = args?.items;
  if (typeof format?.literal !== 'string' || items === undefined) return [];
  let seen = 0;
  for (const part of partsOf(format.literal, items.length, false)) {
    if (typeof part === 'string') continue;
    if (isProblem(part)) return [{ text: part.problem }];
    seen++;
    const verb = verbOf(part);
    const item = items[part.index];
    const bad =
      item === undefined ? undefined : verb === 's' ? textless(item) : takes(verb, item.type) ? undefined : item.type;
    if (bad !== undefined)
      return [{ arg: 1, item: part.index, text: `error during formatting: ${unfit(verb, bad.name)}` }];
  }
  const { length } = items;
  if (length <= seen) return [];
  return [{ text: `too many arguments supplied to string.format (expected ${seen}, got ${length})` }];
}

export const FORMAT: Declaration = {
  name: 'format',
  doc: 'The text with its clauses replaced by arguments: %s, %d, %f, %e, %b, %x, %X, %o, and %% for a percent sign.',
  examples: [
    { expr: `'%s and %d'.format(['str', 42])`, is: `'str and 42'` },
    { expr: `'%.2f%%'.format([1234.567])`, is: `'1,234.57%'` },
    { expr: `'%e'.format([1234.5])`, is: `'1.234500×10⁰³'` },
    { expr: `'%x %X %o %b'.format([26, 'hi', 8, true])`, is: `'1a 6869 10 1'` },
    { expr: `'%s'.format([{'b': 1, 'a': [2.5, duration('1h')]}])`, is: `'{"a":[2.500000, duration("3600s")], "b":1}'` },
    { expr: `dyn('%s').format([])`, error: 'index 0 out of range' },
    {
      expr: `dyn('%d').format(['a'])`,
      error: 'error during formatting: decimal clause can only be used on integers, was given string',
    },
  ],
  overloads: [
    slowMethod('string_format', [STRING, listOf(DYN)], STRING, formatText, {
      ...readsFirst(),
      validate,
      mixesTypes: true,
    }),
  ],
};
