import { formatGoFloat } from '../../go-text.js';
import { CelError, type Value } from '../values.js';

/** Numbers as Go reads, writes and bounds them. */
export const MIN_INT = -(2n ** 63n);
export const MAX_INT = 2n ** 63n - 1n;
export const MAX_UINT = 2n ** 64n - 1n;
const TWO_TO_63 = 2 ** 63;
const TWO_TO_64 = 2 ** 64;
/** More digits than a number in range has. */
const MAX_DIGITS = 20;

export const intOverflow = (): CelError => new CelError('integer overflow');
export const uintOverflow = (): CelError => new CelError('unsigned integer overflow');

export const toInt = (value: bigint): Value => (value < MIN_INT || value > MAX_INT ? intOverflow() : value);
export const isUint = (value: bigint): boolean => value >= 0n && value <= MAX_UINT;

/** undefined: out of range */
export const intOfDouble = (value: number): bigint | undefined =>
  value > -TWO_TO_63 && value < TWO_TO_63 ? BigInt(Math.trunc(value)) : undefined;
export const uintOfDouble = (value: number): bigint | undefined =>
  value >= 0 && value < TWO_TO_64 ? BigInt(Math.trunc(value)) : undefined;

/** strconv.ParseInt of base 10, and ParseUint without a sign; undefined: not one. */
export function parseDigits(text: string, isSigned: boolean): bigint | undefined {
  const digits = isSigned && (text.startsWith('-') || text.startsWith('+')) ? text.slice(1) : text;
  let zeros = 0;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return undefined;
    if (code === 0x30 && zeros === i) zeros++;
  }
  if (digits === '' || digits.length - zeros > MAX_DIGITS) return undefined;
  const value = BigInt(digits) * (text.startsWith('-') ? -1n : 1n);
  if (isSigned) return value < MIN_INT || value > MAX_INT ? undefined : value;
  return value > MAX_UINT ? undefined : value;
}

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['infinity', Infinity],
  ['nan', NaN],
]);
const DECIMAL = /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX = /^0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?\d{1,6})$/;
/** Digits of a hexadecimal number that a double has room for, and some. */
const HEX_DIGITS = 14;

/** Go reads them between digits, and behind what says that they are hexadecimal. */
const UNDERSCORE = /(?<=[0-9a-fA-FxX])_(?=[0-9a-fA-F])/g;

/** strconv.ParseFloat; undefined: not one, or out of range. */
export function parseDouble(given: string): number | undefined {
  const text = given.includes('_') ? given.replace(UNDERSCORE, '') : given;
  const sign = text.startsWith('-') ? -1 : 1;
  const rest = text.startsWith('-') || text.startsWith('+') ? text.slice(1) : text;
  if (rest.length <= 8) {
    const special = SPECIAL.get(rest.toLowerCase());
    if (special !== undefined) return sign * special;
  }
  const value = DECIMAL.test(rest) ? Number(rest) : parseHex(rest);
  return value === undefined || !Number.isFinite(value) ? undefined : sign * value;
}

function parseHex(text: string): number | undefined {
  const [, whole = '', fraction = '', power] = HEX.exec(text) ?? [];
  if (power === undefined || whole + fraction === '') return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.slice(0, HEX_DIGITS);
  const exponent = Number(power) + 4 * (digits.length - kept.length - fraction.length);
  return kept === '' ? 0 : parseInt(kept, 16) * 2 ** exponent;
}

/** fmt's %g, and %v. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return formatGoFloat(value);
}

/** strconv.FormatFloat(value, 'f', -1, 64): never with an exponent. */
export function formatPlain(value: number): string {
  const [digits = '', power = '0'] = Math.abs(value).toExponential().split('e');
  const exponent = Number(power);
  const all = digits.replace('.', '');
  const sign = value < 0 ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${all}`;
  if (all.length <= exponent + 1) return sign + all.padEnd(exponent + 1, '0');
  return `${sign}${all.slice(0, exponent + 1)}.${all.slice(exponent + 1)}`;
}

/** Of a double and an int or uint, as cel-go does it: within their range, both are doubles. */
export function compareDoubleInt(double: number, whole: bigint, min: number, max: number): number {
  if (double < min) return -1;
  if (double > max) return 1;
  const other = Number(whole);
  return double < other ? -1 : double > other ? 1 : 0;
}
export const compareDoubleToInt = (double: number, int: bigint): number =>
  compareDoubleInt(double, int, -TWO_TO_63, TWO_TO_63);
export const compareDoubleToUint = (double: number, uint: bigint): number =>
  compareDoubleInt(double, uint, 0, TWO_TO_64);
