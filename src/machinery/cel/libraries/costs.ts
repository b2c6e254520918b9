import { goLength } from '../../go-text.js';
import { MAX_COST } from '../declarations.js';
import { REGEX_COST, sizeOf, TEXT_COST } from '../standard/sizes.js';
import { Bytes, keyOf, type Value } from '../values.js';

/** Costs as cel-go counts them (common/cost.go). */

export const LIST_COST = 10;
export const STRUCT_COST = 40;

/** Of reading a value `times` times. */
export const textCost = (value: Value | undefined, times = 1): number =>
  Math.ceil(sizeOf(value ?? null) * times * TEXT_COST);

/** Of matching a regular expression of this length, which is a guess at how much there is in it. */
export const matchCost = (text: Value | undefined, length: number): number =>
  Math.ceil((1 + sizeOf(text ?? null)) * TEXT_COST) * Math.ceil(length * REGEX_COST);

/** More things in a value than this cost more than anything may. */
const MOST = 2_000_000;

/** Of looking at everything in a value once. */
export function traversalCost(value: Value | undefined): number {
  let cost = 0;
  let left = MOST;
  const open: Value[] = [value ?? null];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (left-- <= 0) return MAX_COST;
    if (typeof next === 'string') cost += Math.floor(goLength(next) * TEXT_COST);
    else if (next instanceof Bytes) cost += Math.floor(next.value.length * TEXT_COST);
    else if (next === null || typeof next !== 'object') cost++;
    else if (next.kind === 'list') {
      // What is in it is looked at one by one: a list may be longer than all that is left.
      if (next.size > left) return MAX_COST;
      for (let i = 0; i < next.size; i++) open.push(next.at(i));
    } else if (next.kind === 'map') {
      for (const key of next.keys()) {
        const by = keyOf(key);
        open.push(key, by === undefined ? null : (next.find(by) ?? null));
      }
    } else if (next.kind === 'struct' && next.fields !== undefined) {
      for (const name of next.fields()) open.push(name, next.field(name) ?? null);
    } else cost++;
  }
  return cost;
}
