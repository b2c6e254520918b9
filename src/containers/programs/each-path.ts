import { FileError, resolvePath } from '../file-system.js';
import type { Process } from '../process.js';

/** Runs `each` for every path; what fails is said, as "name: can't verb 'path': reason", and gives 1. */
export async function forEachPath(
  process: Process,
  paths: readonly string[],
  verb: string,
  each: (absolute: string, given: string) => Promise<void> | void,
): Promise<number> {
  let status = 0;
  for (const path of paths)
    try {
      const wait = process.turn();
      if (wait !== undefined) await wait;
      await each(resolvePath(process.cwd, path), path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(
        `${process.args[0] ?? ''}: ${verb === '' ? '' : `can't ${verb} `}'${path}': ${error.message}\n`,
      );
      status = 1;
    }
  return status;
}

/** Says that a program was called wrongly. */
export async function usage(process: Process, text: string): Promise<number> {
  await process.stderr.write(`${process.args[0] ?? ''}: usage: ${text}\n`);
  return 1;
}
