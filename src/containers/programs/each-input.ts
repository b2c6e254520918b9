import { FileError, resolvePath } from '../file-system.js';
import { readerOf } from '../spawn.js';
import type { Input } from '../io.js';
import type { Process } from '../process.js';

/** A file as an input of this process: reading it is the process's work. @throws FileError */
export async function openInput(process: Process, name: string): Promise<Input> {
  return readerOf(await process.container.files.openRead(resolvePath(process.cwd, name)), process.turn);
}

/** Runs `each` on every named file, or on stdin when there is none ("-" is stdin). 1 when one could not be read. */
export async function forEachInput(
  process: Process,
  files: readonly string[],
  each: (input: Input, name: string) => Promise<'stop' | boolean | void>,
  complaint = (name: string, error: FileError): string => `can't open '${name}': ${error.message}`,
): Promise<number> {
  let status = 0;
  for (const name of files.length === 0 ? ['-'] : files) {
    if (name === '-') {
      if ((await each(process.stdin, name)) === 'stop') return status;
      continue;
    }
    let input: Input;
    try {
      if (process.container.files.kind(resolvePath(process.cwd, name)) === 'directory') throw new FileError('EISDIR');
      input = await openInput(process, name);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const text = error.code === 'EISDIR' ? `read error: ${error.message}` : complaint(name, error);
      await process.stderr.write(`${process.args[0] ?? ''}: ${text}\n`);
      status = 1;
      continue;
    }
    if ((await each(input, name)) === 'stop') return status;
  }
  return status;
}
