import { NAMED_ESCAPES } from '../../go-text.js';
import { findText, findTextBackwards, occurrences } from '../../find-text.js';
import { ArrayList, CelError, type Value } from '../values.js';
import { characters } from '../standard/sizes.js';

/**
 * Functions on texts, which count characters where JavaScript counts UTF-16 units. Most texts have as many of one as of the
 * other, and are never taken apart.
 */
const HAS_SURROGATE = /[\ud800-\udbff]/;

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`);

/** Where the character stands that is the `index`th; of one that is there, or the end. */
function unitAt(text: string, index: number): number {
  if (!HAS_SURROGATE.test(text)) return index;
  let unit = 0;
  for (let i = 0; i < index; i++) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  return unit;
}

const isWithin = (index: bigint, length: number): boolean => index >= 0n && index <= BigInt(length);

export function charAt(text: string, index: bigint): Value {
  if (!isWithin(index, characters(text))) return outOfRange(index);
  const code = text.codePointAt(unitAt(text, Number(index)));
  return code === undefined ? '' : String.fromCodePoint(code);
}

export function substring(text: string, start: bigint, end?: bigint): Value {
  const length = characters(text);
  if (end !== undefined && start > end) return new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  if (!isWithin(start, length)) return outOfRange(start);
  if (end !== undefined && !isWithin(end, length)) return outOfRange(end);
  const from = unitAt(text, Number(start));
  return end === undefined ? text.slice(from) : text.slice(from, unitAt(text, Number(end)));
}

const indexOfUnit = (text: string, unit: number): bigint =>
  BigInt(unit < 0 ? -1 : HAS_SURROGATE.test(text) ? characters(text.slice(0, unit)) : unit);

export function indexOf(text: string, part: string, offset = 0n): Value {
  if (part === '') return offset;
  if (offset < 0n) return outOfRange(offset);
  if (offset >= BigInt(characters(text))) return -1n;
  return indexOfUnit(text, findText(text, part, unitAt(text, Number(offset))));
}

export function lastIndexOf(text: string, part: string, offset?: bigint): Value {
  const length = characters(text);
  if (part === '') return offset ?? BigInt(length);
  if (offset === undefined && part.length > text.length) return -1n;
  const from = offset ?? BigInt(length - 1);
  if (from < 0n) return outOfRange(from);
  if (from >= BigInt(length)) return -1n;
  return indexOfUnit(text, findTextBackwards(text, part, unitAt(text, Number(from))));
}

/** A text that is made of others may not become longer: upstream would ask for as much memory as it takes. */
export const MAX_LENGTH = 2 ** 25;
export const tooLong = (): CelError => new CelError(`result is longer than ${MAX_LENGTH} characters`);

/** As many as there are, where `limit` is negative. */
const bounded = (limit: bigint, count: number): number => (limit < 0n || limit > BigInt(count) ? count : Number(limit));

export function replaceText(text: string, part: string, by: string, limit = -1n): Value {
  if (part === by || limit === 0n) return text;
  if (part === '') return insertBetween(text, by, bounded(limit, characters(text) + 1));
  const pieces: string[] = [];
  const most = bounded(limit, text.length);
  let end = 0;
  let length = text.length;
  for (const at of occurrences(text, part)) {
    if (pieces.length === most) break;
    pieces.push(text.slice(end, at));
    length += by.length - part.length;
    if (length > MAX_LENGTH) return tooLong();
    end = at + part.length;
  }
  pieces.push(text.slice(end));
  return pieces.join(by);
}

/** Before the first character and behind each, `count` times. */
function insertBetween(text: string, by: string, count: number): Value {
  if (text.length + count * by.length > MAX_LENGTH) return tooLong();
  const head = unitAt(text, count - 1);
  return by + Array.from(text.slice(0, head), char => char + by).join('') + text.slice(head);
}

export function splitText(text: string, separator: string, limit = -1n): Value {
  if (limit === 0n) return new ArrayList([]);
  if (separator === '') return explode(text, bounded(limit, characters(text)));
  const pieces: string[] = [];
  const most = bounded(limit, text.length + 1) - 1;
  let end = 0;
  for (const at of occurrences(text, separator)) {
    if (pieces.length === most) break;
    pieces.push(text.slice(end, at));
    end = at + separator.length;
  }
  pieces.push(text.slice(end));
  return new ArrayList(pieces);
}

/** Characters, and what is left with the last one of `count`. */
function explode(text: string, count: number): Value {
  if (count === 0) return new ArrayList([]);
  const head = unitAt(text, count - 1);
  return new ArrayList([...Array.from(text.slice(0, head)), text.slice(head)]);
}

export function joinTexts(items: readonly Value[], separator: string, show: (item: Value) => string): Value {
  let length = Math.max(0, items.length - 1) * separator.length;
  const texts: string[] = [];
  for (const item of items) {
    if (typeof item !== 'string') return new CelError(`join: invalid input: ${show(item)}`);
    length += item.length;
    texts.push(item);
  }
  return length > MAX_LENGTH ? tooLong() : texts.join(separator);
}

/** Between double quotes, with CEL's escapes for what has one. */
export const quoteText = (text: string): string =>
  `"${text.replace(/[\u0007\b\f\n\r\t\v\\"]/g, char => NAMED_ESCAPES[char] ?? char)}"`;

export const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, run => run.toLowerCase());
export const upperAscii = (text: string): string => text.replace(/[a-z]+/g, run => run.toUpperCase());
