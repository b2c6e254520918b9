/** 2^63: from here on Go's decoder makes floats of whole numbers. */
const INT64 = 2 ** 63;
/** Beyond it a float has no places for units. */
const MAX_JSON_INTEGER = 2 ** 53 - 1;
const EPSILON = 1e-9;

/** What Go decodes into an int64. */
export const isWhole = (value: number): boolean => Number.isInteger(value) && value >= -INT64 && value < INT64;

/** int64(value) of a float: what does not fit is the smallest one, on the processors that servers run on. */
export const toInt64 = (value: number): number => (value >= -INT64 && value < INT64 ? Math.trunc(value) : -INT64);

/** Whether a float is near enough to a whole number to be one (go-openapi swag.IsFloat64AJSONInteger). */
export function isJsonInteger(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > MAX_JSON_INTEGER) return false;
  const whole = Math.trunc(value);
  if (value === whole) return true;
  if (value === 0 || whole === 0) return false;
  return Math.abs(value - whole) / Math.min(Math.abs(value) + Math.abs(whole), Number.MAX_VALUE) < EPSILON;
}

/** utf8.RuneCountInString. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++)
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--;
  return count;
}
