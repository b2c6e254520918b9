import { FileError, resolvePath } from '../file-system.js';
import { inputOf, type Input } from '../io.js';
import type { Process } from '../process.js';

/** Runs `each` on every named file, or on stdin when there is none ("-" is stdin). 1 when one could not be read. */
export async function forEachInput(
  process: Process,
  files: readonly string[],
  each: (input: Input, name: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const name of files.length === 0 ? ['-'] : files) {
    if (name === '-') {
      await each(process.stdin, name);
      continue;
    }
    try {
      await each(inputOf(await process.container.files.read(resolvePath(process.cwd, name))), name);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`${process.args[0] ?? ''}: can't open '${name}': ${error.message}\n`);
      status = 1;
    }
  }
  return status;
}
