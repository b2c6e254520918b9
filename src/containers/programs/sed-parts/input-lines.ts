import { FileError, resolvePath } from '../../file-system.js';
import type { Process } from '../../process.js';
import { openInput } from '../each-input.js';
import { fromBytes } from '../lines.js';

export interface InputLine {
  readonly line: string;
  readonly terminated: boolean;
}

export interface InputEvents {
  /** A file is not there; it has been said. */
  missing(): void;
  /** All that has come so far has been asked for. */
  drained(): Promise<void>;
}

/** Lines of all files one after the other, "-" being the standard input. */
export async function* inputLines(
  process: Process,
  files: readonly string[],
  events: InputEvents,
): AsyncGenerator<InputLine> {
  for (const name of files) {
    let input = process.stdin;
    if (name !== '-')
      try {
        if (process.container.files.kind(resolvePath(process.cwd, name)) === 'directory') throw new FileError('EISDIR');
        input = await openInput(process, name);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        await process.stderr.write(`sed: ${name}: ${error.message}\n`);
        events.missing();
        continue;
      }
    let parts: string[] = [];
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      const pieces = fromBytes(chunk).split('\n');
      for (const [i, piece] of pieces.entries()) {
        if (i === pieces.length - 1) {
          if (piece !== '') {
            process.memory.add(piece.length);
            parts.push(piece);
          }
          break;
        }
        parts.push(piece);
        const line = parts.length === 1 ? piece : parts.join('');
        if (parts.length > 1) process.memory.remove(line.length - piece.length);
        parts = [];
        yield { line, terminated: true };
      }
      await events.drained();
    }
    if (parts.length > 0) {
      const line = parts.join('');
      process.memory.remove(line.length);
      yield { line, terminated: false };
    }
  }
}
