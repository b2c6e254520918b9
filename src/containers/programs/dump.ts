import { FileError } from '../file-system.js';
import type { Input } from '../io.js';
import type { Process } from '../process.js';
import { openInput } from './each-input.js';

/** Some files one after the other as one input; stdin when there are none. */
export function concatenated(process: Process, names: readonly string[]): { input: Input; status: () => number } {
  const waiting = names.length === 0 ? ['-'] : [...names];
  let current: Input | undefined;
  let status = 0;
  return {
    status: () => status,
    input: {
      async read(signal) {
        for (;;) {
          if (current === undefined) {
            const name = waiting.shift();
            if (name === undefined) return undefined;
            try {
              current = name === '-' ? process.stdin : await openInput(process, name);
            } catch (error) {
              if (!(error instanceof FileError)) throw error;
              await process.stderr.write(`${process.args[0] ?? ''}: ${name}: ${error.message}\n`);
              status = 1;
              continue;
            }
          }
          const chunk = await current.read(signal);
          if (chunk !== undefined) return chunk;
          current = undefined;
        }
      },
    },
  };
}

/** Bytes of an input in groups of one size, with their offset; the last may be shorter. */
export async function* groups(
  process: Process,
  input: Input,
  size: number,
  skip = 0,
  limit = Infinity,
): AsyncGenerator<{ readonly bytes: Buffer; readonly at: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let at = skip;
  let skipped = 0;
  let left = limit;
  while (left > 0) {
    const chunk = await input.read(process.signal);
    if (chunk === undefined) break;
    let bytes = chunk;
    if (skipped < skip) {
      const cut = Math.min(skip - skipped, bytes.length);
      skipped += cut;
      bytes = bytes.subarray(cut);
    }
    bytes = bytes.subarray(0, left);
    left -= bytes.length;
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (; rest.length >= size; rest = rest.subarray(size), at += size) yield { bytes: rest.subarray(0, size), at };
  }
  if (rest.length > 0) yield { bytes: rest, at };
}
