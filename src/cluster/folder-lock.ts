import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../storage/kv-store.js';
import { storageError } from '../storage/leveldb/errors.js';
import { openRaw, type Db } from '../storage/leveldb/raw.js';

/** A data folder that this process alone may write in. */
export interface FolderLock {
  /** Says for others to read where the API server of this folder listens. */
  serving(url: string): Promise<void>;
  release(): Promise<void>;
}

/** In the data folder. Holds an empty LevelDB: its lock is the kernel's, so a process that dies in any way lets go of it. */
export const LOCK_FOLDER = 'lock';
const HOLDER_FILE = 'holder';

/**
 * Takes the folder for this process, before anything in it is changed: two that write kubeconfigs and keys there would
 * take each other's clients away, whatever they store.
 * @param advice what may be done where another has it
 * @throws StorageError 'locked', with where the one listens that has it
 */
export async function lockFolder(dataDir: string, advice = '--data-dir takes another folder'): Promise<FolderLock> {
  const dir = join(dataDir, LOCK_FOLDER);
  const holder = join(dir, HOLDER_FILE);
  const db = await open(dir, dataDir, () => inUse(dataDir, holder, advice));
  await writeFile(holder, `process ${process.pid}\n`, { mode: 0o600 });
  return {
    serving: url => writeFile(holder, `process ${process.pid}, which listens on ${url}\n`),
    release: () => db.close(),
  };
}

async function open(dir: string, dataDir: string, inUse: () => Promise<string>): Promise<Db> {
  try {
    return await openRaw(dir);
  } catch (error) {
    const failed = storageError(error, dir);
    if (failed.code === 'locked') throw new StorageError('locked', await inUse(), { cause: error });
    if (failed.code !== 'damaged')
      throw new StorageError(failed.code, failed.message.replace(`data store ${dir}`, `data folder ${dataDir}`));
    // LevelDB takes its lock before it looks at what is in the folder: so nobody has it, and nothing in it matters.
    for (const file of await readdir(dir)) if (file !== 'LOCK') await rm(join(dir, file), { recursive: true });
    return openRaw(dir);
  }
}

async function inUse(dataDir: string, holder: string, advice: string): Promise<string> {
  let says = '';
  try {
    says = await readFile(holder, 'utf8');
  } catch (error) {
    // Not written yet, by one that has just begun.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const who = /^process \d+(, which listens on \S+)?$/m.exec(says)?.[0] ?? 'another process';
  return `data folder ${dataDir} is in use by ${who}; ${advice}`;
}
