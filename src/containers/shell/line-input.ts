import type { Input } from '../io.js';

export interface Line {
  readonly text: string;
  /** False for a last line without newline. */
  readonly complete: boolean;
}

/** An input that can be read a line at a time: what was read too far is kept for the next reader. */
export interface LineInput extends Input {
  /** The next line without its newline; undefined at the end. `hold` is told of every byte of it and may refuse. */
  readLine(signal?: AbortSignal, hold?: (bytes: number) => void, delimiter?: number): Promise<Line | undefined>;
}

const isLineInput = (input: Input): input is LineInput => 'readLine' in input;

export function seekableInput(input: Input): LineInput {
  if (isLineInput(input)) return input;
  let rest: Buffer = Buffer.alloc(0);
  return {
    ...(input.description === undefined ? {} : { description: input.description }),
    async read(signal) {
      if (rest.length === 0) return input.read(signal);
      const chunk = rest;
      rest = Buffer.alloc(0);
      return chunk;
    },
    async readLine(signal, hold, delimiter = 10) {
      const parts: Buffer[] = [];
      for (;;) {
        const newline = rest.indexOf(delimiter);
        if (newline >= 0) {
          parts.push(rest.subarray(0, newline));
          rest = rest.subarray(newline + 1);
          return { text: Buffer.concat(parts).toString('utf8'), complete: true };
        }
        if (rest.length > 0) {
          hold?.(rest.length);
          parts.push(rest);
        }
        rest = Buffer.alloc(0);
        const chunk = await input.read(signal);
        if (chunk === undefined) {
          const text = Buffer.concat(parts).toString('utf8');
          return text === '' ? undefined : { text, complete: false };
        }
        rest = chunk;
      }
    },
  };
}
