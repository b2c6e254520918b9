import type { Steps } from '../../machinery/steps.js';

/** Texts, and values in them, of this length or more are read in steps. */
const BIG = 32_768;
/** Characters that are looked through in a millisecond or two. */
const STEP = 262_144;

const NOTHING_BIG: ReadonlySet<number> = new Set();

/** Where in JSON text the big objects and arrays begin. Of text that is no JSON it says something, in linear time. */
export function* bigValues(text: string): Steps<ReadonlySet<number>> {
  if (text.length < BIG) return NOTHING_BIG;
  const big = new Set<number>();
  const open: number[] = [];
  let rest = STEP;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) open.push(at);
    else if (code === 0x7d || code === 0x5d) {
      const start = open.pop() ?? at;
      if (at - start >= BIG) big.add(start);
    }
    if (at < rest) continue;
    yield;
    rest = at + STEP;
  }
  return big;
}

/** Where the string ends that begins there. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at;
    if (code === 0x5c) at++;
  }
  return text.length;
}
