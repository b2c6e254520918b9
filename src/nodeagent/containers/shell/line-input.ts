import type { Input } from '../io.js';

/** An input that can be read a line at a time: what was read too far is kept for the next reader. */
export interface LineInput extends Input {
  /** The next line without its newline; undefined at the end. `complete` is false for a last line without newline. */
  readLine(signal?: AbortSignal): Promise<{ text: string; complete: boolean } | undefined>;
}

const isLineInput = (input: Input): input is LineInput => 'readLine' in input;

export function seekableInput(input: Input): LineInput {
  if (isLineInput(input)) return input;
  let rest: Buffer = Buffer.alloc(0);
  let ended = false;
  return {
    async read(signal) {
      if (rest.length === 0) return ended ? undefined : input.read(signal);
      const chunk = rest;
      rest = Buffer.alloc(0);
      return chunk;
    },
    async readLine(signal) {
      for (;;) {
        const newline = rest.indexOf(10);
        if (newline >= 0) {
          const text = rest.subarray(0, newline).toString('utf8');
          rest = rest.subarray(newline + 1);
          return { text, complete: true };
        }
        const chunk = ended ? undefined : await input.read(signal);
        if (chunk === undefined) {
          ended = true;
          const text = rest.toString('utf8');
          rest = Buffer.alloc(0);
          return text === '' ? undefined : { text, complete: false };
        }
        rest = Buffer.concat([rest, chunk]);
      }
    },
  };
}
