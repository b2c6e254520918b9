import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../kv-store.js';
import { readStore, type Whole } from './check.js';
import { storageError } from './errors.js';
import { fileProblem } from './files/check-files.js';
import { NEWEST_REVISION } from './newest-revision-file.js';
import { isLocked, openRaw, type Db } from './raw.js';

export type { Db } from './raw.js';

export interface Opened extends Whole {
  readonly db: Db;
}

export interface OpenOptions {
  /** The file that holds the newest acknowledged revision; default: one in the folder. */
  readonly newestRevisionFile?: string;
  /** The folder was open in this process a moment ago: its files are not read through again. */
  readonly again?: boolean;
}

export const newestRevisionFile = (dir: string, { newestRevisionFile: file }: OpenOptions): string =>
  file ?? join(dir, NEWEST_REVISION);

/** Opens or creates the folder and checks that what it holds is whole. @throws StorageError */
export async function openDb(dir: string, options: OpenOptions = {}): Promise<Opened> {
  let db: Db | undefined;
  try {
    await prepareFolder(dir);
    if (options.again !== true) {
      const problem = await fileProblem(dir);
      // What another process is writing looks as if it were damaged.
      if (problem !== undefined && (await isLocked(dir)))
        throw new StorageError('locked', `data store ${dir} is in use by another process`);
      if (problem !== undefined) throw new StorageError('damaged', problem);
    }
    db = await openRaw(dir);
    return { db, ...(await readStore(db, newestRevisionFile(dir, options))) };
  } catch (error) {
    await db?.close();
    const failed = storageError(error, dir);
    if (failed.message.startsWith('data store')) throw failed;
    const what = failed.code === 'damaged' ? 'is damaged' : 'cannot be opened';
    throw new StorageError(failed.code, `data store ${dir} ${what}: ${failed.message}`, { cause: error });
  }
}

async function prepareFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new StorageError('io', `data store ${dir} is not a folder`, { cause: error });
    }
    throw error;
  }
}
