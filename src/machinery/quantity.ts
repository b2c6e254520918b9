import { compareScaled, isInt64, roundUp } from './scaled-number.js';
import { trimEnd, trimStart } from './trim.js';

/**
 * resource.Quantity: exact decimal numbers with SI, binary or exponent suffixes.
 * Source: apimachinery pkg/api/resource. A number is `unscaled * 10^scale`; nothing is ever rounded except below 1n,
 * where upstream rounds away from zero.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  /** The text as parsed, when upstream prints it back unchanged. */
  readonly text?: string;
  /** Upstream keeps it as an inf.Dec, which is no int64 even where its value is one. */
  readonly isDec?: true;
}

export const QUANTITY_FORMAT_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
export const QUANTITY_NUMERIC_ERROR = 'unable to parse numeric part of quantity';
export const QUANTITY_SUFFIX_ERROR = "unable to parse quantity's suffix";

/** Thrown by parseQuantity; `message` is upstream's text. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

/** The power of ten of each suffix. */
export const DECIMAL_SUFFIXES = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
/** The power of two of each suffix. */
export const BINARY_SUFFIXES = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);

const NANO = -9;
const MAX_INT64 = 2n ** 63n - 1n;
/** Digits an int64 always holds. */
const INT64_DIGITS = 18;

function interpretSuffix(suffix: string): { exponent: number; format: QuantityFormat } | undefined {
  const decimal = DECIMAL_SUFFIXES.get(suffix);
  if (decimal !== undefined) return { exponent: decimal, format: 'DecimalSI' };
  const binary = BINARY_SUFFIXES.get(suffix);
  if (binary !== undefined) return { exponent: binary, format: 'BinarySI' };
  if (/^[eE][+-]?[0-9]+$/.test(suffix)) {
    const exponent = Number(suffix.slice(1));
    if (Math.abs(exponent) <= 0x7fffffff) return { exponent, format: 'DecimalExponent' };
  }
  return undefined;
}

/** Numbers of fewer digits are read as they are. */
const LONG = 128;
/** Digits, zeros at the ends apart, that a number may have: arithmetic on more is no longer cheap. Upstream has no such bound. */
const MAX_DIGITS = 4096;
/** What is kept behind the point of a binary quantity, where rounding comes after the shift. */
const BINARY_FRACTION = 100;

/**
 * A long number in a form that is cheap to calculate with, and by how much its scale moves: without zeros at either end,
 * rounded up to what parseQuantity keeps in any case. All in text, for a number of 100,000 digits takes a fifth of a second.
 */
function shorten(given: string, behind: number, exponent: number, format: QuantityFormat): [string, number] {
  const digits = trimEnd(trimStart(given, '0'), '0');
  if (digits === '') return ['0', 0];
  const shift = given.length - trimEnd(given, '0').length;
  const scale = (format === 'BinarySI' ? 0 : exponent) - behind + shift;
  // Beyond the greatest binary quantity, whatever its suffix.
  if (format === 'BinarySI' && digits.length + scale > LONG) return ['9'.repeat(LONG), behind];
  const drop = (format === 'BinarySI' ? -BINARY_FRACTION : NANO) - scale;
  const kept = drop > 0 ? digits.slice(0, Math.max(0, digits.length - drop)) : digits;
  if (kept.length > MAX_DIGITS) throw new QuantityError(QUANTITY_NUMERIC_ERROR);
  // The last digit that went was none of the zeros.
  return drop > 0 ? [String(BigInt(`0${kept}`) + 1n), shift + drop] : [kept, shift];
}

/** @throws QuantityError with upstream's message. Surrounding blanks are allowed, as when decoding JSON. */
export function parseQuantity(input: string): Quantity {
  const text = input.trim();
  if (text === '0') return { unscaled: 0n, scale: 0, format: 'DecimalSI', text };
  // Looser than upstream's expression in one way that upstream is too: a lone sign or point reads as zero.
  const match = /^([+-]?)([0-9]*)(?:(\.)([0-9]*))?((?:[eEinumkKMGTP]+[-+]?|[-+])[0-9]*)?$/.exec(text);
  if (text === '' || match === null) throw new QuantityError(QUANTITY_FORMAT_ERROR);
  const negative = match[1] === '-';
  const numerator = trimStart(match[2] ?? '', '0') || '0';
  const fraction = match[4] ?? '';
  const interpreted = interpretSuffix(match[5] ?? '');
  if (interpreted === undefined) throw new QuantityError(QUANTITY_SUFFIX_ERROR);
  const { exponent, format } = interpreted;
  const given = numerator + fraction;
  const [digits, shift] = given.length > LONG ? shorten(given, fraction.length, exponent, format) : [given, 0];
  let unscaled = BigInt(digits);
  let scale = (format === 'BinarySI' ? 0 : exponent) - fraction.length + shift;

  if (format !== 'BinarySI') {
    if (given.length <= INT64_DIGITS && scale >= NANO) {
      const asIs = scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
      if (negative) unscaled = -unscaled;
      return asIs ? { unscaled, scale, format, text } : { unscaled, scale, format };
    }
  } else {
    const precision = 15 - numerator.length - Math.trunc((exponent * 3) / 10) - 1;
    const small = fraction === '' && precision >= 0;
    const asIs = small && (unscaled & 7n) !== 0n;
    unscaled <<= BigInt(exponent);
    if (small) {
      if (negative) unscaled = -unscaled;
      return asIs ? { unscaled, scale, format, text } : { unscaled, scale, format };
    }
  }

  // Only this path reads the number with its leading zeros, and so notices that there is none ("Pi").
  if (!match[2] && fraction === '') throw new QuantityError(QUANTITY_NUMERIC_ERROR);
  if (scale < NANO) {
    ({ unscaled, scale } = roundUp(unscaled, scale, NANO));
  }
  let kept: QuantityFormat = format;
  if (format === 'BinarySI') {
    if (compareScaled(unscaled, scale, MAX_INT64, 0) > 0) {
      unscaled = MAX_INT64;
      scale = 0;
    }
    if (unscaled !== 0n && compareScaled(unscaled, scale, 1n, 0) < 0) kept = 'DecimalSI';
  }
  return { unscaled: negative ? -unscaled : unscaled, scale, format: kept, isDec: true };
}

export const compareQuantities = (a: Quantity, b: Quantity): -1 | 0 | 1 =>
  compareScaled(a.unscaled, a.scale, b.unscaled, b.scale);

/** Beyond this difference of exponents a sum is its larger operand: no resource is counted in 10^4096 parts. */
const MAX_SHIFT = 4096;

/** The sum, in the format of `a` unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const format = a.unscaled === 0n ? b.format : a.format;
  const isDec = a.isDec === true || b.isDec === true;
  if (a.unscaled === 0n) return amount(b.unscaled, b.scale, format, isDec);
  if (b.unscaled === 0n) return amount(a.unscaled, a.scale, format, isDec);
  if (Math.abs(a.scale - b.scale) > MAX_SHIFT) return a.scale > b.scale ? a : b;
  const scale = Math.min(a.scale, b.scale);
  const shifted = a.unscaled * 10n ** BigInt(a.scale - scale);
  const added = b.unscaled * 10n ** BigInt(b.scale - scale);
  const unscaled = shifted + added;
  return amount(unscaled, scale, format, isDec || ![shifted, added, unscaled].every(isInt64));
}

const amount = (unscaled: bigint, scale: number, format: QuantityFormat, isDec: boolean): Quantity =>
  isDec ? { unscaled, scale, format, isDec } : { unscaled, scale, format };

export const negateQuantity = (a: Quantity): Quantity => ({
  unscaled: -a.unscaled,
  scale: a.scale,
  format: a.format,
  ...(a.isDec === true ? { isDec: true } : {}),
});
export const subtractQuantities = (a: Quantity, b: Quantity): Quantity => addQuantities(a, negateQuantity(b));

/** Value as an integer, rounded away from zero: Quantity.Value(), or MilliValue() with scale -3. */
export function scaledValue(quantity: Quantity, scale = 0): bigint {
  const rounded = roundUp(quantity.unscaled, quantity.scale, scale);
  // A number with an exponent of millions is as good as one of thousands: there is no memory for its digits.
  const shift = Math.min(rounded.scale - scale, MAX_SHIFT);
  return shift > 0 ? rounded.unscaled * 10n ** BigInt(shift) : rounded.unscaled;
}

/** Quantity.AsInt64(): undefined when it is none, or upstream does not see it. */
export function int64Value({ unscaled, scale, isDec }: Quantity): bigint | undefined {
  if (isDec === true || scale < 0) return undefined;
  if (unscaled === 0n) return 0n;
  // Beyond this, no number fits.
  if (scale > INT64_DIGITS) return undefined;
  const value = unscaled * 10n ** BigInt(scale);
  return isInt64(value) ? value : undefined;
}

/** math.Pow10: of large exponents a product of two, with what that loses. */
function powerOfTen(exponent: number): number {
  if (exponent > 308) return Infinity;
  if (exponent < -323) return 0;
  const size = Math.abs(exponent);
  const [large, small] = [size - (size % 32), size % 32];
  return exponent < 0 ? Number(`1e-${large}`) / Number(`1e${small}`) : Number(`1e${large}`) * Number(`1e${small}`);
}

/** Quantity.AsApproximateFloat64() */
export function approximateFloat({ unscaled, scale, isDec }: Quantity): number {
  if (isDec === true && scale > NANO) {
    // An inf.Dec counts in parts of 10^-9; of what is larger than every float64, it does not matter in how many.
    const shift = BigInt(Math.min(scale - NANO, MAX_SHIFT));
    return Number(unscaled * 10n ** shift) * powerOfTen(NANO);
  }
  return scale === 0 ? Number(unscaled) : Number(unscaled) * powerOfTen(scale);
}
