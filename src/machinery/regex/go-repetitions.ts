import { fail, type PatternReader } from './go-pattern.js';
import type { Node } from './syntax.js';

export const MAX_REPEAT = 1000;

export interface Repetition {
  readonly min: number;
  readonly max: number;
  readonly lazy: boolean;
}

/** `*`, `+`, `?` or an interval, and whether "?" is behind it. */
export function repetition(reader: PatternReader): Repetition | undefined {
  const start = reader.at;
  let bounds: { min: number; max: number } | undefined;
  if (reader.looking('*')) bounds = { min: 0, max: Infinity };
  else if (reader.looking('+')) bounds = { min: 1, max: Infinity };
  else if (reader.looking('?')) bounds = { min: 0, max: 1 };
  if (bounds !== undefined) reader.at++;
  else bounds = interval(reader);
  if (bounds === undefined) return undefined;
  const lazy = reader.looking('?');
  if (lazy) reader.at++;
  const { min, max } = bounds;
  if (min > MAX_REPEAT || (max !== Infinity && (max > MAX_REPEAT || max < min)))
    throw fail('invalid repeat count', reader.pattern.slice(start, reader.at));
  return { ...bounds, lazy };
}

/** Braces that are no interval are characters. */
export function interval(reader: PatternReader): { min: number; max: number } | undefined {
  const found = /\{(0|[1-9]\d{0,7})(,?)(0|[1-9]\d{0,7})?\}/y;
  found.lastIndex = reader.at;
  const [whole, from, comma, to] = found.exec(reader.pattern) ?? [];
  if (whole === undefined || (comma === '' && to !== undefined)) return undefined;
  reader.at += whole.length;
  const min = Number(from);
  return { min, max: comma === '' ? min : to === undefined ? Infinity : Number(to) };
}

/** How often something in a node is repeated at most: what is repeated within repetitions multiplies. */
export function repeats(node: Node): number {
  switch (node.kind) {
    case 'repeat':
      return Math.max(1, node.max === Infinity ? node.min : node.max) * repeats(node.body);
    case 'group':
      return repeats(node.body);
    case 'sequence':
    case 'alternatives':
      return node.parts.reduce((most, part) => Math.max(most, repeats(part)), 1);
    default:
      return 1;
  }
}
