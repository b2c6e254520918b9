import { trimEnd } from './trim.js';

/** The digits of a number that is not negative: 0.DIGITS times ten to the power of `exponent`, without zeros at either end. */
export interface Decimal {
  readonly digits: string;
  readonly exponent: number;
}

const BITS = new DataView(new ArrayBuffer(8));
const FRACTION_BITS = 52n;
/** No float64 has more digits behind its point. */
const MAX_FRACTION = 1074;

/** value = mantissa * 2^power */
function parts(value: number): { mantissa: bigint; power: bigint } {
  BITS.setFloat64(0, value);
  const bits = BITS.getBigUint64(0);
  const exponent = (bits >> FRACTION_BITS) & 0x7ffn;
  const fraction = bits & ((1n << FRACTION_BITS) - 1n);
  return exponent === 0n
    ? { mantissa: fraction, power: -1074n }
    : { mantissa: fraction | (1n << FRACTION_BITS), power: exponent - 1075n };
}

function normal(text: string, point: number): Decimal {
  const start = text.search(/[1-9]/);
  if (start < 0) return { digits: '', exponent: 0 };
  return { digits: trimEnd(text.slice(start), '0'), exponent: point - start };
}

/** Exactly, rounded to `places` behind the point, halves to even: strconv.FormatFloat(value, 'f', places). */
export function fixedDecimal(value: number, places: number): Decimal {
  const shown = BigInt(Math.min(places, MAX_FRACTION));
  const { mantissa, power } = parts(value);
  const scaled = mantissa * 10n ** shown;
  const whole = power >= 0n ? scaled << power : roundedShift(scaled, -power);
  const text = whole.toString();
  return normal(text, text.length - Number(shown));
}

/** All of its digits. */
export const exactDecimal = (value: number): Decimal => fixedDecimal(value, MAX_FRACTION);

function roundedShift(value: bigint, bits: bigint): bigint {
  const whole = value >> bits;
  const rest = value - (whole << bits);
  const half = 1n << (bits - 1n);
  return rest > half || (rest === half && (whole & 1n) === 1n) ? whole + 1n : whole;
}

/** As few digits as tell it from every other number: strconv.FormatFloat(value, 'g', -1). */
export function shortestDecimal(value: number): Decimal {
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  return normal(mantissa.replace('.', ''), Number(power) + 1);
}

/** To this many digits, halves to even. */
export function roundDecimal(decimal: Decimal, count: number): Decimal {
  const { digits, exponent } = decimal;
  if (count >= digits.length) return decimal;
  const next = digits.charAt(count);
  const isUp =
    next > '5' ||
    (next === '5' && (digits.length > count + 1 || count === 0 || Number(digits.charAt(count - 1)) % 2 === 1));
  const kept = digits.slice(0, count);
  if (!isUp) return normal(kept, exponent);
  const raised = (BigInt(`0${kept}`) + 1n).toString().padStart(count, '0');
  return normal(raised, exponent + raised.length - count);
}
