import type { Declaration, Overload } from '../declarations.js';
import { BOOL, listOf, optionalOf, param } from '../types.js';
import {
  ArrayList,
  Bytes,
  CelError,
  Duration,
  itemsOf,
  NO_OPTIONAL,
  noSuchOverload,
  OptionalValue,
  Timestamp,
  Uint,
  type ListValue,
  type Value,
} from '../values.js';

const V = param('V');
const OPTIONAL = optionalOf(V);
const LIST = listOf(V);

/** Zero, empty, false or null. A time is zero in the year 1, as Go's is. */
const ZERO_TIME = -62_135_596_800_000_000_000n;
function isZero(value: Value): boolean {
  if (value === null || typeof value !== 'object') return !value;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Bytes) return value.value.length === 0;
  if (value instanceof Timestamp) return value.nanos === ZERO_TIME;
  if (value instanceof Duration) return value.nanos === 0n;
  return (value.kind === 'list' || value.kind === 'map') && value.size === 0;
}

function unwrap(value: Value): Value {
  const items: Value[] = [];
  for (const item of itemsOf(value as ListValue)) {
    if (!(item instanceof OptionalValue)) return new CelError('value is not optional');
    if (item.value !== undefined) items.push(item.value);
  }
  return new ArrayList(items);
}

const at = (list: ListValue, index: number): Value =>
  list.size === 0 ? NO_OPTIONAL : new OptionalValue(list.at(index));

const method = (overload: Omit<Overload, 'member'>): Overload => ({ ...overload, member: true });

export const OPTIONAL_FUNCTIONS: readonly Declaration[] = [
  {
    name: 'optional.of',
    doc: 'An optional that has this value.',
    examples: [{ expr: 'optional.of(1).value()', is: '1' }],
    overloads: [{ id: 'optional_of', args: [V], result: OPTIONAL, bind: value => new OptionalValue(value) }],
  },
  {
    name: 'optional.ofNonZeroValue',
    doc: 'An optional that has this value, unless it is zero or empty.',
    examples: [
      { expr: "optional.ofNonZeroValue('')", is: 'optional.none()' },
      { expr: "optional.ofNonZeroValue('a')", is: "optional.of('a')" },
    ],
    overloads: [
      {
        id: 'optional_ofNonZeroValue',
        args: [V],
        result: OPTIONAL,
        bind: value => (isZero(value) ? NO_OPTIONAL : new OptionalValue(value)),
      },
    ],
  },
  {
    name: 'optional.none',
    doc: 'An optional that has no value.',
    examples: [{ expr: 'optional.none().hasValue()', is: 'false' }],
    overloads: [{ id: 'optional_none', args: [], result: OPTIONAL, bind: () => NO_OPTIONAL }],
  },
  {
    name: 'value',
    doc: 'The value of an optional, which must have one.',
    examples: [{ expr: 'optional.none().value()', error: 'optional.none() dereference' }],
    overloads: [
      method({
        id: 'optional_value',
        args: [OPTIONAL],
        result: V,
        bind: value => (value as OptionalValue).value ?? noValue(value as OptionalValue),
      }),
    ],
  },
  {
    name: 'hasValue',
    doc: 'Whether an optional has a value.',
    examples: [{ expr: 'optional.of(1).hasValue()', is: 'true' }],
    overloads: [
      method({
        id: 'optional_hasValue',
        args: [OPTIONAL],
        result: BOOL,
        bind: value => (value as OptionalValue).value !== undefined,
      }),
    ],
  },
  {
    name: 'or',
    doc: 'The first of two optionals that has a value.',
    examples: [{ expr: 'optional.none().or(optional.of(1))', is: 'optional.of(1)' }],
    overloads: [
      method({ id: 'optional_or_optional', args: [OPTIONAL, OPTIONAL], result: OPTIONAL, bind: noSuchOverload }),
    ],
  },
  {
    name: 'orValue',
    doc: 'The value of an optional, or another one.',
    examples: [{ expr: 'optional.none().orValue(1)', is: '1' }],
    overloads: [method({ id: 'optional_orValue_value', args: [OPTIONAL, V], result: V, bind: noSuchOverload })],
  },
  {
    name: 'last',
    doc: 'An optional of the last item of a list.',
    examples: [{ expr: '[1, 2].last()', is: 'optional.of(2)' }],
    overloads: [
      method({
        id: 'list_last',
        args: [LIST],
        result: OPTIONAL,
        bind: list => at(list as ListValue, (list as ListValue).size - 1),
      }),
    ],
  },
  {
    name: 'first',
    doc: 'An optional of the first item of a list.',
    examples: [{ expr: '[].first()', is: 'optional.none()' }],
    overloads: [method({ id: 'list_first', args: [LIST], result: OPTIONAL, bind: list => at(list as ListValue, 0) })],
  },
  {
    name: 'optional.unwrap',
    doc: 'The values of those optionals of a list that have one.',
    examples: [{ expr: 'optional.unwrap([optional.of(1), optional.none()])', is: '[1]' }],
    overloads: [{ id: 'optional_unwrap', args: [listOf(OPTIONAL)], result: LIST, bind: unwrap }],
  },
  {
    name: 'unwrapOpt',
    doc: 'The values of those optionals of a list that have one.',
    examples: [{ expr: '[optional.of(1), optional.none()].unwrapOpt()', is: '[1]' }],
    overloads: [method({ id: 'optional_unwrapOpt', args: [listOf(OPTIONAL)], result: LIST, bind: unwrap })],
  },
];

/** null is a value, too. */
const noValue = ({ value }: OptionalValue): Value =>
  value === undefined ? new CelError('optional.none() dereference') : value;
