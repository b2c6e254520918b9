import { createHash } from 'node:crypto';
import type { Steps } from '../../machinery/steps.js';

/** So much text becomes bytes at a time, so many bytes are hashed. */
const PIECE = 1 << 18;

/** Text that grows, as bytes: a document of many kinds is longer than what can be made within a turn. */
export function createBytes(): { add(text: string): void; finish(): Buffer } {
  const pieces: Buffer[] = [];
  let text: string[] = [];
  let length = 0;
  const flush = (): void => {
    pieces.push(Buffer.from(text.join('')));
    text = [];
    length = 0;
  };
  return {
    add(more) {
      text.push(more);
      length += more.length;
      if (length >= PIECE) flush();
    },
    finish() {
      flush();
      return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    },
  };
}

/** The JSON of a document: so many levels of objects are written member by member. */
export function* jsonBytes(document: object, levels = 3): Steps<Buffer> {
  const bytes = createBytes();
  function* write(value: unknown, level: number): Steps<void> {
    if (level === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) {
      bytes.add(JSON.stringify(value));
      yield;
      return;
    }
    let before = '{';
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      bytes.add(`${before}${JSON.stringify(name)}:`);
      before = ',';
      yield* write(member, level - 1);
    }
    bytes.add(before === '{' ? '{}' : '}');
  }
  yield* write(document, levels);
  return bytes.finish();
}

export const sha512 = (bytes: Buffer): string => createHash('sha512').update(bytes).digest('hex').toUpperCase();

export function* sha512Steps(bytes: Buffer): Steps<string> {
  const hash = createHash('sha512');
  for (let at = 0; at < bytes.length; at += PIECE) {
    hash.update(bytes.subarray(at, at + PIECE));
    yield;
  }
  return hash.digest('hex').toUpperCase();
}
