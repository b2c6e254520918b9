import { FileError, resolvePath } from '../file-system.js';
import { joinPath } from '../paths.js';
import type { Process } from '../process.js';

/** Deeper trees are cut off: a path has an end too. */
const MAX_DEPTH = 512;

/**
 * Every path below one, itself first, as it is called from where the walk began; directories that cannot be read are told
 * of. `deepFirst`: what is in a directory comes before it. Links are not followed.
 */
export async function* walk(
  process: Process,
  start: string,
  options: {
    deepFirst?: boolean;
    complain: (path: string, error: FileError) => Promise<void>;
    enter?: (path: string) => boolean;
  },
): AsyncGenerator<string> {
  const { files } = process.container;
  const visit = async function* (path: string, depth: number): AsyncGenerator<string> {
    const wait = process.turn();
    if (wait !== undefined) await wait;
    if (options.deepFirst !== true) yield path;
    const absolute = resolvePath(process.cwd, path);
    if (files.kind(absolute) === 'directory' && !(depth > 0 && files.isLink(absolute)) && depth < MAX_DEPTH) {
      if (options.enter?.(path) !== false) {
        let names: string[] = [];
        try {
          names = files.list(absolute);
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
          await options.complain(path, error);
        }
        for (const name of names) yield* visit(path.endsWith('/') ? path + name : joinPath(path, name), depth + 1);
      }
    }
    if (options.deepFirst === true) yield path;
  };
  yield* visit(start, 0);
}
