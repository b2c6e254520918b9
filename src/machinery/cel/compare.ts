import { compareDoubleToInt, compareDoubleToUint } from './standard/numbers.js';
import { Bytes, CelError, Duration, noSuchOverload, Timestamp, Uint, type Value } from './values.js';

/** Below, equal, above; or why they have no order. */
export type Order = number | CelError;

const order = <T extends bigint | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const isSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xe000;

/** As Go orders strings, which is by code points. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return order(a.length, b.length);
  const left = a.charCodeAt(at);
  const right = b.charCodeAt(at);
  // Half of a pair is more than any character that is not one.
  if (isSurrogate(left) !== isSurrogate(right)) return isSurrogate(left) ? 1 : -1;
  return order(left, right);
}

function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): Order {
  if (typeof a === 'number' || typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return new CelError('NaN values cannot be ordered');
    if (typeof a === 'number' && typeof b === 'number') return order(a, b);
    if (typeof a === 'number') return compareDoubleToWhole(a, b as bigint | Uint);
    return -compareDoubleToWhole(b as number, a);
  }
  return order(typeof a === 'bigint' ? a : a.value, typeof b === 'bigint' ? b : b.value);
}

const compareDoubleToWhole = (double: number, whole: bigint | Uint): number =>
  typeof whole === 'bigint' ? compareDoubleToInt(double, whole) : compareDoubleToUint(double, whole.value);

export const isNumber = (value: Value): value is bigint | number | Uint =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;

/** Numbers are compared as numbers, whatever their types. */
export function compareValues(a: Value, b: Value): Order {
  if (typeof a === 'bigint' && typeof b === 'bigint') return order(a, b);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return order(Number(a), Number(b));
  if (a instanceof Timestamp && b instanceof Timestamp) return order(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return order(a.nanos, b.nanos);
  if (a instanceof Bytes && b instanceof Bytes) return Buffer.compare(a.value, b.value);
  return noSuchOverload();
}
