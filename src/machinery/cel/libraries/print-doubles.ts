import { exactDecimal, fixedDecimal, roundDecimal, shortestDecimal, type Decimal } from '../../go-decimal.js';

/**
 * Doubles as golang.org/x/text prints them for en-US: digits in groups of three, exponents raised. Its numbers of digits
 * have few bits, and what does not fit is cut off; cel-go gives `%e` its precision as a width.
 */
const isTooLarge = (count: number): boolean => Math.floor(count / 10) > 1e6;
/** What is printed for a format whose number is not read to its end. */
const NO_VERB = '%!(NOVERB)';

const low = (count: number, bits: 8 | 16): number => count % 2 ** bits;
const signed16 = (count: number): number => (low(count, 16) < 2 ** 15 ? low(count, 16) : low(count, 16) - 2 ** 16);

const special = (value: number): string | undefined => {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value < 0 ? '-∞' : '∞';
};

const sign = (value: number): string => (value < 0 ? '-' : '');

/** From the right, in threes. */
function grouped(digits: string): string {
  const parts: string[] = [];
  for (let end = digits.length; end > 0; end -= 3) parts.unshift(digits.slice(Math.max(0, end - 3), end));
  return parts.join(',');
}

/** `%.Nf` */
export function printFixed(value: number, precision: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  if (isTooLarge(precision)) return NO_VERB;
  const most = signed16(precision);
  const size = Math.abs(value);
  const decimal = most < 0 ? shortestDecimal(size) : fixedDecimal(size, most);
  const { digits, exponent } = decimal;
  const whole = exponent > 0 ? digits.slice(0, exponent).padEnd(exponent, '0') : '0';
  const fraction = exponent > 0 ? digits.slice(exponent) : '0'.repeat(-exponent) + digits;
  const shown = (digits === '' ? '' : fraction).padEnd(low(precision, 8), '0');
  return `${sign(value)}${grouped(whole)}${shown === '' ? '' : `.${shown}`}`;
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const FRACTION = 6;

const raised = (exponent: number): string =>
  (exponent < 0 ? '⁻' : '') +
  String(Math.abs(exponent))
    .padStart(2, '0')
    .replace(/\d/g, digit => RAISED.charAt(Number(digit)));

/** `%.Ne` */
export function printScientific(value: number, width: number): string {
  const name = special(value);
  if (isTooLarge(width)) return NO_VERB;
  return (name ?? scientific(value)).padStart(low(width, 16));
}

function scientific(value: number): string {
  const rounded: Decimal = roundDecimal(exactDecimal(Math.abs(value)), 1 + FRACTION);
  const digits = rounded.digits === '' ? '0' : rounded.digits;
  const exponent = rounded.digits === '' ? 0 : rounded.exponent - 1;
  return `${sign(value)}${digits.charAt(0)}.${digits.slice(1).padEnd(FRACTION, '0')}×10${raised(exponent)}`;
}

/** fmt's own `%.6f`, which lists and maps have. */
export function printPlain(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Inf' : '+Inf';
  const { digits, exponent } = fixedDecimal(Math.abs(value), FRACTION);
  const whole = exponent > 0 ? digits.slice(0, exponent).padEnd(exponent, '0') : '0';
  const fraction = exponent > 0 ? digits.slice(exponent) : '0'.repeat(-exponent) + digits;
  const minus = value < 0 || Object.is(value, -0) ? '-' : '';
  return `${minus}${whole}.${fraction.padEnd(FRACTION, '0').slice(0, FRACTION)}`;
}
