import { goLength } from '../../go-text.js';
import { Bytes, keyOf, type Value } from '../values.js';

/** Of each character of a text that is read. Source: cel-go common/cost.go. */
export const TEXT_COST = 0.1;
/** Of each character of a regular expression, for each that it is held against. */
export const REGEX_COST = 0.25;
export const LIST_COST = 10;
export const STRUCT_COST = 40;

const SURROGATE = /[\ud800-\udbff][\udc00-\udfff]/g;
const HAS_SURROGATE = /[\ud800-\udbff]/;

/** Characters, as CEL counts them: a pair of surrogates is one. */
export function characters(text: string): number {
  if (!HAS_SURROGATE.test(text)) return text.length;
  let pairs = 0;
  SURROGATE.lastIndex = 0;
  while (SURROGATE.test(text)) pairs++;
  return text.length - pairs;
}

/** What costs count a value as: characters, bytes, items, entries; whatever has no size is 1. */
export function countOf(value: Value | undefined): number {
  if (typeof value === 'string') return characters(value);
  if (value instanceof Bytes) return value.value.length;
  if (value === undefined || value === null || typeof value !== 'object') return 1;
  if (value.kind === 'list' || value.kind === 'map') return value.size;
  return value.kind === 'opaque' ? (value.size ?? 1) : 1;
}

/** Of reading a value `times` times. */
export const textCost = (value: Value | undefined, times = 1): number =>
  Math.ceil(countOf(value) * times * TEXT_COST);

/** Of matching a regular expression of this length, which is a guess at how much there is in it. */
export const matchCost = (text: Value | undefined, length: number): number =>
  Math.ceil((1 + countOf(text)) * TEXT_COST) * Math.ceil(length * REGEX_COST);

/** Of looking at everything in a value once. */
export function traversalCost(value: Value | undefined): number {
  if (typeof value === 'string') return Math.floor(goLength(value) * TEXT_COST);
  if (value instanceof Bytes) return Math.floor(value.value.length * TEXT_COST);
  if (value === undefined || value === null || typeof value !== 'object') return 1;
  let cost = 0;
  if (value.kind === 'list') {
    for (let i = 0; i < value.size; i++) cost += traversalCost(value.at(i));
    return cost;
  }
  if (value.kind !== 'map') return 1;
  for (const key of value.keys()) {
    const by = keyOf(key);
    cost += traversalCost(key) + (by === undefined ? 0 : traversalCost(value.find(by)));
  }
  return cost;
}
