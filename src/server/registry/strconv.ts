import { quote } from '../../machinery/go-text.js';

/**
 * Go's strconv, as far as query parameters and resourceVersions need it. Its error texts reach clients.
 */
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

const failure = (func: string, text: string, why: string): Error =>
  new Error(`strconv.${func}: parsing ${quote(text)}: ${why}`);

/** More digits than an int64 or a uint64 has; counting them is linear, making a number of them is not. */
function isTooLong(text: string): boolean {
  let start = text.startsWith('+') || text.startsWith('-') ? 1 : 0;
  while (text[start] === '0') start++;
  return text.length - start > 20;
}

/** @throws Error with Go's text */
export function parseInt64(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw failure('ParseInt', text, 'invalid syntax');
  if (isTooLong(text)) throw failure('ParseInt', text, 'value out of range');
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (value > MAX_INT64 || value < -MAX_INT64 - 1n) throw failure('ParseInt', text, 'value out of range');
  return Number(value);
}

/** @throws Error with Go's text */
export function parseUint64(text: string): number {
  if (!/^\d+$/.test(text)) throw failure('ParseUint', text, 'invalid syntax');
  if (isTooLong(text) || BigInt(text) > MAX_UINT64) throw failure('ParseUint', text, 'value out of range');
  return Number(text);
}

/** Query booleans: only "0" and "false" in any case are false (apimachinery Convert_Slice_string_To_bool). */
export const parseBoolean = (text: string): boolean => text !== '0' && text.toLowerCase() !== 'false';
