import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../../storage/kv-store.js';
import { LOCK_FOLDER, lockFolder } from '../folder-lock.js';
import { NEWEST_REVISION } from '../../storage/leveldb/newest-revision-file.js';
import { STORE_FOLDER } from '../store.js';

/** Where the store of a data folder is. */
export interface StorePlace {
  readonly dataDir: string;
  readonly dir: string;
  readonly newestFile: string;
}

export const placeIn = (dataDir: string): StorePlace => ({
  dataDir,
  dir: join(dataDir, STORE_FOLDER),
  newestFile: join(dataDir, NEWEST_REVISION),
});

export const STOP_IT = 'stop it first ("kubette down")';

export interface WithStoreOptions {
  /** Nothing is going to be written: a folder that cannot be is good enough. */
  readonly readOnly?: boolean;
}

/**
 * Does something to the store of a folder that no server has open, and that none opens meanwhile.
 * @throws StorageError 'locked', with where the one listens that has it; Error when there is no store
 */
export async function withStore<T>(
  dataDir: string,
  work: (place: StorePlace) => Promise<T>,
  { readOnly = false }: WithStoreOptions = {},
): Promise<T> {
  const place = placeIn(dataDir);
  const noStore = new Error(`there is no store in ${dataDir}`);
  // A server that keeps its objects elsewhere has the folder, too; others' folders are left as they are.
  if (!(await isFolder(place.dir)) && !(await isFolder(join(dataDir, LOCK_FOLDER)))) throw noStore;
  const lock = await lockFolder(dataDir, STOP_IT).catch((error: unknown) => {
    if (readOnly && error instanceof StorageError && error.code === 'permission') return undefined;
    throw error;
  });
  try {
    if (!(await isFolder(place.dir))) throw noStore;
    return await work(place);
  } finally {
    await lock?.release();
  }
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
