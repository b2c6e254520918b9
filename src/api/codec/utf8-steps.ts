import type { Steps } from '../../machinery/steps.js';

/** Bytes that are decoded in a millisecond or two, even where they are no ASCII. */
const STEP = 131_072;
const LONGEST = 4;

/** The text of UTF-8 bytes, as Buffer's toString has it. */
export function* utf8Steps(bytes: Buffer): Steps<string> {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const end = boundary(bytes, at + STEP);
    text += bytes.toString('utf8', at, end);
    at = end;
    if (at < bytes.length) yield;
  }
  return text;
}

/** The last place up to there at which no character is cut in two. */
function boundary(bytes: Buffer, at: number): number {
  if (at >= bytes.length) return bytes.length;
  for (let start = at; start > at - LONGEST; start--) if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  // So many bytes that go on belong to no character.
  return at;
}
