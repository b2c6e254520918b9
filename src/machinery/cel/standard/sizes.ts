import { Bytes, type Value } from '../values.js';

/** Of each character of a text that is read. Source: cel-go common/cost.go. */
export const TEXT_COST = 0.1;
/** Of each character of a regular expression, for each that it is held against. */
export const REGEX_COST = 0.25;

const FIRST_HALF = /[\ud800-\udbff]/;

/** Characters of a text: a pair of surrogates is one. */
export function characters(text: string): number {
  if (!FIRST_HALF.test(text)) return text.length;
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) !== 0xd800 || (text.charCodeAt(i + 1) & 0xfc00) !== 0xdc00) continue;
    count--;
    i++;
  }
  return count;
}

/** What costs count a value as: characters, bytes, items, entries; whatever has no size is 1. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return characters(value);
  if (value === null || typeof value !== 'object') return 1;
  if (value instanceof Bytes) return value.value.length;
  switch (value.kind) {
    case 'list':
    case 'map':
      return value.size;
    case 'optional':
      return value.value === undefined ? 1 : sizeOf(value.value);
    case 'opaque':
      return value.size ?? 1;
    default:
      return 1;
  }
}
