import { compareValues, type Order } from '../compare.js';
import type { Declaration, Example, Overload, Range } from '../declarations.js';
import { scaleRange } from '../ranges.js';
import { BOOL, BYTES, DOUBLE, DURATION, INT, param, STRING, TIMESTAMP, UINT, type Type } from '../types.js';
import type { Value } from '../values.js';
import { BY_EVALUATOR, example, overload } from './overload.js';
import { sizeOf, TEXT_COST } from './sizes.js';

const A = param('A');

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

export const EQUALITY: readonly Declaration[] = [
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
];

/** Which of two values comes first. */
export const ORDER: readonly Declaration[] = [
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
];
