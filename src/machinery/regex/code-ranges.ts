import { CharacterSet, type Node } from './syntax.js';

/** Code points, as sorted ranges that do not touch. */
export type CodeRanges = readonly (readonly [from: number, to: number])[];

const LAST = 0x10ffff;
export const ANY_CODE: CodeRanges = [[0, LAST]];

export function union(...sets: readonly CodeRanges[]): CodeRanges {
  const all = sets.flat().sort((a, b) => a[0] - b[0]);
  const out: [number, number][] = [];
  for (const [from, to] of all) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

export function negate(set: CodeRanges): CodeRanges {
  const out: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) out.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) out.push([next, LAST]);
  return out;
}

/** A range so big is a class, which has both cases of its letters anyway. */
const MAX_FOLDED = 512;

/** Both cases of every letter. */
export function fold(set: CodeRanges): CodeRanges {
  const more: [number, number][] = [];
  const add = (text: string): void => {
    const code = text.codePointAt(0) ?? 0;
    if (String.fromCodePoint(code) === text) more.push([code, code]);
  };
  for (const [from, to] of set) {
    if (to - from > MAX_FOLDED) continue;
    for (let code = from; code <= to; code++) {
      const text = String.fromCodePoint(code);
      add(text.toLowerCase());
      add(text.toUpperCase());
      // The Kelvin sign and the long s are letters k and s.
      if (text === 'k' || text === 'K') more.push([0x212a, 0x212a]);
      if (text === 's' || text === 'S') more.push([0x17f, 0x17f]);
    }
  }
  return union(set, more);
}

const FIRST_HIGH = 0xd800;
const LAST_LOW = 0xdfff;
const ASTRAL = 0x10000;

const setNode = (from: number, to: number): Node => ({ kind: 'set', set: new CharacterSet().add(from, to) });
const high = (code: number): number => FIRST_HIGH + ((code - ASTRAL) >> 10);
const low = (code: number): number => 0xdc00 + ((code - ASTRAL) & 0x3ff);

/** A node that matches one code point of the set, which beyond the BMP is two of JavaScript's characters. */
export function oneOf(ranges: CodeRanges): Node {
  const set = new CharacterSet();
  const parts: Node[] = [{ kind: 'set', set }];
  for (const [from, to] of ranges) {
    // Halves of pairs are no code points.
    if (from < FIRST_HIGH) set.add(from, Math.min(to, FIRST_HIGH - 1));
    if (to > LAST_LOW && from < ASTRAL) set.add(Math.max(from, LAST_LOW + 1), Math.min(to, ASTRAL - 1));
    if (to >= ASTRAL) for (const one of pairs(Math.max(from, ASTRAL), to)) parts.push(one);
  }
  return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'alternatives', parts };
}

/** The pairs of a range: those with its first high half, those with its last, all between. */
function* pairs(from: number, to: number): Generator<Node, void, void> {
  const pair = (highs: Node, lows: Node): Node => ({ kind: 'sequence', parts: [highs, lows] });
  let [first, last] = [high(from), high(to)];
  if (first === last) return yield pair(setNode(first, first), setNode(low(from), low(to)));
  if (low(from) > 0xdc00) {
    yield pair(setNode(first, first), setNode(low(from), LAST_LOW));
    first++;
  }
  if (low(to) < LAST_LOW) {
    yield pair(setNode(last, last), setNode(0xdc00, low(to)));
    last--;
  }
  if (first <= last) yield pair(setNode(first, last), setNode(0xdc00, LAST_LOW));
}
