import {
  addQuantities,
  approximateFloat,
  compareQuantities,
  int64Value,
  parseQuantity,
  QUANTITY_FORMAT_ERROR,
  QuantityError,
  subtractQuantities,
  type Quantity,
} from '../../quantity.js';
import type { Declaration, Library } from '../declarations.js';
import { exactly } from '../ranges.js';
import { BOOL, DOUBLE, INT, STRING, struct } from '../types.js';
import { CelError, type OpaqueValue, type Value } from '../values.js';
import { method, NOMINAL, readsFirst } from './overloads.js';
import { overload } from '../standard/overload.js';

/** Source: k8s.io/apiserver pkg/cel/library/quantity.go, pkg/cel/quantity.go. */
const QUANTITY_TYPE = struct('kubernetes.Quantity');

export class QuantityValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = QUANTITY_TYPE;
  constructor(
    readonly quantity: Quantity,
    /** Of sums, upstream hands out pointers. */
    readonly isIncomparable = false,
  ) {}
  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }
}

/** Blanks around it, which JSON may have, are not taken here. @returns the error's text when it is none */
function read(text: string): Quantity | string {
  if (text.trim() !== text) return QUANTITY_FORMAT_ERROR;
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}

function toQuantity(text: string): Value {
  const quantity = read(text);
  return typeof quantity === 'string' ? new CelError(quantity) : new QuantityValue(quantity);
}

const whole = (value: bigint): Quantity => ({ unscaled: value, scale: 0, format: 'DecimalExponent' });

const asInteger = ({ quantity }: QuantityValue): Value =>
  int64Value(quantity) ?? new CelError('cannot convert value to integer');

const signOf = ({ quantity: { unscaled } }: QuantityValue): Value => (unscaled > 0n ? 1n : unscaled < 0n ? -1n : 0n);

const PAIR = [QUANTITY_TYPE, QUANTITY_TYPE];
const compare = (a: QuantityValue, b: QuantityValue): -1 | 0 | 1 => compareQuantities(a.quantity, b.quantity);

const CONVERSIONS: readonly Declaration[] = [
  {
    name: 'quantity',
    doc: 'Reads a quantity.',
    examples: [
      { expr: `quantity('1.5G') == quantity('1500M')`, is: 'true' },
      {
        expr: `quantity('Three')`,
        error: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      },
    ],
    overloads: [overload('string_to_quantity', [STRING], QUANTITY_TYPE, toQuantity, readsFirst())],
  },
  {
    name: 'isQuantity',
    doc: 'Whether quantity() can read it.',
    examples: [
      { expr: `isQuantity('1.3Gi')`, is: 'true' },
      { expr: `isQuantity('1,3G')`, is: 'false' },
      { expr: `isQuantity('200K')`, is: 'false' },
      // Upstream reads no number as none.
      { expr: `isQuantity('Mi')`, is: 'true' },
      { expr: `isQuantity('Three')`, is: 'false' },
    ],
    overloads: [
      overload('is_quantity_string', [STRING], BOOL, (text: string) => typeof read(text) !== 'string', readsFirst()),
    ],
  },
  {
    name: 'isInteger',
    doc: 'Whether asInteger() gives a number. Some texts stand for whole numbers and give none, as "1000m".',
    examples: [
      { expr: `quantity('50k').isInteger()`, is: 'true' },
      { expr: `quantity('1000m').isInteger()`, is: 'false' },
      { expr: `quantity('9999999999999999999999999999999999999G').isInteger()`, is: 'false' },
    ],
    overloads: [
      method(
        'quantity_is_integer',
        [QUANTITY_TYPE],
        BOOL,
        ({ quantity }: QuantityValue) => int64Value(quantity) !== undefined,
        NOMINAL,
      ),
    ],
  },
  {
    name: 'asInteger',
    doc: 'The number.',
    examples: [
      { expr: `quantity('50k').asInteger()`, is: '50000' },
      { expr: `quantity('1000m').asInteger()`, error: 'cannot convert value to integer' },
    ],
    overloads: [method('quantity_get_int', [QUANTITY_TYPE], INT, asInteger, NOMINAL)],
  },
  {
    name: 'asApproximateFloat',
    doc: 'The number, as near as a double comes.',
    examples: [
      { expr: `quantity('50.703k').asApproximateFloat()`, is: '50703.0' },
      { expr: `quantity('1500m').asApproximateFloat()`, is: '1.5' },
    ],
    overloads: [
      method(
        'quantity_get_float',
        [QUANTITY_TYPE],
        DOUBLE,
        ({ quantity }: QuantityValue) => approximateFloat(quantity),
        NOMINAL,
      ),
    ],
  },
];

const ARITHMETIC: readonly Declaration[] = [
  {
    name: 'sign',
    doc: '1, -1 or 0. A function, not a method.',
    examples: [
      { expr: `sign(quantity('-50k'))`, is: '-1' },
      { expr: `sign(quantity('0'))`, is: '0' },
    ],
    overloads: [overload('quantity_sign', [QUANTITY_TYPE], INT, signOf, NOMINAL)],
  },
  {
    name: 'add',
    doc: 'The sum with another quantity or a number.',
    examples: [
      { expr: `quantity('50k').add(quantity('20k')) == quantity('70k')`, is: 'true' },
      { expr: `quantity('50k').add(20) == quantity('50020')`, is: 'true' },
    ],
    overloads: [
      method(
        'quantity_add',
        PAIR,
        QUANTITY_TYPE,
        (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantities(a.quantity, b.quantity), true),
        NOMINAL,
      ),
      method(
        'quantity_add_int',
        [QUANTITY_TYPE, INT],
        QUANTITY_TYPE,
        (a: QuantityValue, b: bigint) => new QuantityValue(addQuantities(a.quantity, whole(b)), true),
        NOMINAL,
      ),
    ],
  },
  {
    name: 'sub',
    doc: 'The difference to another quantity or a number.',
    examples: [
      { expr: `quantity('50k').sub(quantity('20k')) == quantity('30k')`, is: 'true' },
      { expr: `quantity('50k').sub(20000) == quantity('30k')`, is: 'true' },
    ],
    overloads: [
      method(
        'quantity_sub',
        PAIR,
        QUANTITY_TYPE,
        (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantities(a.quantity, b.quantity), true),
        NOMINAL,
      ),
      method(
        'quantity_sub_int',
        [QUANTITY_TYPE, INT],
        QUANTITY_TYPE,
        (a: QuantityValue, b: bigint) => new QuantityValue(subtractQuantities(a.quantity, whole(b)), true),
        NOMINAL,
      ),
    ],
  },
];

const COMPARISONS: readonly Declaration[] = [
  {
    name: 'isGreaterThan',
    doc: 'Whether it is more than another quantity.',
    examples: [{ expr: `quantity('150Mi').isGreaterThan(quantity('100Mi'))`, is: 'true' }],
    overloads: [
      method(
        'quantity_is_greater_than',
        PAIR,
        BOOL,
        (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0,
        NOMINAL,
      ),
    ],
  },
  {
    name: 'isLessThan',
    doc: 'Whether it is less than another quantity.',
    examples: [{ expr: `quantity('50M').isLessThan(quantity('100M'))`, is: 'true' }],
    overloads: [
      method('quantity_is_less_than', PAIR, BOOL, (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0, NOMINAL),
    ],
  },
  {
    name: 'compareTo',
    doc: '1 when it is more than another quantity, -1 when it is less, 0 when neither.',
    examples: [
      { expr: `quantity('200M').compareTo(quantity('0.2G'))`, is: '0' },
      { expr: `quantity('50M').compareTo(quantity('50Mi'))`, is: '-1' },
    ],
    overloads: [
      method('quantity_compare_to', PAIR, INT, (a: QuantityValue, b: QuantityValue) => BigInt(compare(a, b)), NOMINAL),
    ],
  },
];

export const QUANTITY: Library = {
  name: 'kubernetes.quantity',
  types: [
    {
      type: QUANTITY_TYPE,
      doc: 'An amount of a resource.',
      isIdentifier: false,
      equalityCost: 1,
      estimateEquality: () => exactly(1),
    },
  ],
  functions: [...CONVERSIONS, ...ARITHMETIC, ...COMPARISONS],
};
