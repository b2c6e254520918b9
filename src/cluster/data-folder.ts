import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FILE_PROBLEMS } from './file-problems.js';

/** A folder that nothing can be kept in. `message` is one line, whatever the path is. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ...FILE_PROBLEMS,
  EEXIST: 'it is no folder',
  ENOENT: 'it cannot be made there',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its symbolic links lead in circles',
};

/**
 * Makes the folder of --data-dir where it is missing, and its parents. @throws DataFolderError
 */
export async function ensureDataFolder(path: string): Promise<void> {
  const refuse = (why: string, cause?: unknown): DataFolderError =>
    new DataFolderError(`data folder ${shown(path)} cannot be used: ${why} (--data-dir)`, { cause });
  if (path === '') throw refuse('it has no name');
  if (path.includes('\0')) throw refuse('its name has a NUL in it');
  try {
    await makeFolders(resolve(path));
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw refuse(PROBLEMS[code] ?? message, error);
  }
}

/** Not mkdir's own `recursive`, which goes round for ever where a file system says ENOENT to every new name (/proc). */
async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await isThere(at)); at = dirname(at)) missing.push(at);
  for (const at of missing.reverse()) {
    try {
      await mkdir(at, { mode: 0o700 });
    } catch (error) {
      // Somebody else made it just now; what else may be there is a link to nothing.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isThere(at))) throw error;
    }
  }
  if (!(await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: 'EEXIST' });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** A name on one line, and not longer than a line. */
function shown(path: string): string {
  const text = path.length > 300 ? `${path.slice(0, 300)}…` : path;
  return text === '' || /[\0-\x1f\x7f]/.test(text) ? JSON.stringify(text) : text;
}
