import {
  BINARY_SUFFIXES,
  DECIMAL_SUFFIXES,
  parseQuantity,
  QuantityError,
  scaledValue,
  type Quantity,
} from './quantity.js';
import { compareScaled, roundUp } from './scaled-number.js';
import { trimEnd } from './trim.js';

const decimalSuffixOf = new Map([...DECIMAL_SUFFIXES].map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixOf = new Map([...BINARY_SUFFIXES].map(([suffix, exponent]) => [exponent, suffix]));

/** Quantity.String(): the text it was parsed from when that was canonical, else the canonical form. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  const { unscaled, scale, format } = quantity;
  if (unscaled === 0n) return '0';
  if (format === 'BinarySI') {
    const small = compareScaled(unscaled, scale, -1024n, 0) > 0 && compareScaled(unscaled, scale, 1024n, 0) < 0;
    const whole = roundUp(unscaled, scale, 0);
    if (!small && whole.exact) return formatBinary(scaledValue(quantity));
  }
  // In text: a division for each of many zeros would be quadratic.
  const digits = unscaled.toString();
  const significant = trimEnd(digits, '0');
  let exponent = scale + digits.length - significant.length;
  const padding = ((exponent % 3) + 3) % 3;
  exponent -= padding;
  const mantissa = significant + '0'.repeat(padding);
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  // Upstream prints no suffix at all for exponents that have none.
  return `${mantissa}${decimalSuffixOf.get(exponent) ?? ''}`;
}

function formatBinary(value: bigint): string {
  let mantissa = value;
  let exponent = 0;
  while (mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    exponent += 10;
  }
  return `${mantissa}${binarySuffixOf.get(exponent) ?? ''}`;
}

/** Plain numbers and the commonest suffixes, already canonical: the cheap answer to most questions. */
const CANONICAL = /^[1-9][0-9]{0,11}(?<!000)[mkMG]?$/;

/**
 * The text a quantity has after decoding and encoding: "1000m" is "1", "0.5" is "500m", "1024Mi" is "1Gi".
 * undefined when it is not a quantity. JSON numbers are quantities too.
 */
export function canonicalQuantity(input: string | number): string | undefined {
  const text = typeof input === 'number' ? String(input) : input;
  if (CANONICAL.test(text)) return text;
  try {
    return formatQuantity(parseQuantity(text));
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

/** Canonical text that may stand for less than a thousandth. */
const BELOW_MILLI = /[nu]$|e-/;

/** Quantity.RoundUp(resource.Milli) on canonical text: away from zero. */
export function roundUpToMilli(text: string): string {
  if (!BELOW_MILLI.test(text)) return text;
  const { unscaled, scale, format } = parseQuantity(text);
  return formatQuantity({ ...roundUp(unscaled, scale, -3), format });
}
