import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Head } from '../../storage/backup/format.js';
import { readBackup } from '../../storage/backup/read.js';
import { freeName } from '../../storage/leveldb/free-name.js';
import { NEWEST_REVISION } from '../../storage/leveldb/newest-revision-file.js';
import { beginNewestRevision, readNewestRevision } from '../../storage/leveldb/newest-revision.js';
import { writeStore } from '../../storage/leveldb/write-store.js';
import { ensureDataFolder } from '../data-folder.js';
import { lockFolder } from '../folder-lock.js';
import { isFolder, placeIn, STOP_IT, type StorePlace } from './place.js';

export interface Restored {
  readonly objects: number;
  /** Of the backup. */
  readonly takenAt: string;
  readonly was: number;
  /** That the store goes on from. */
  readonly revision: number;
  /** Where the store is that was there before. */
  readonly kept?: string;
}

/**
 * Clients know revisions that were given out after the backup was taken. None of them may be given out again for something
 * else, or whoever watches from one would miss what happened: so revisions go on far behind any of them, and what is before
 * that counts as compacted, which makes every client list anew (etcd's own advice, for the same reason).
 */
const BUMP = 1_000_000_000;

/**
 * Puts a backup into a data folder. Nothing is changed by a file that is refused.
 * @param force a store that is there is moved aside; otherwise it is refused
 * @throws BackupError, StorageError, Error when there is a store
 */
export async function restoreStore(
  dataDir: string,
  chunks: AsyncIterable<Uint8Array>,
  { force = false }: { readonly force?: boolean } = {},
): Promise<Restored> {
  await ensureDataFolder(dataDir);
  const lock = await lockFolder(dataDir, STOP_IT);
  try {
    const place = placeIn(dataDir);
    const isThere = await isFolder(place.dir);
    if (isThere && !force) throw new Error(`there is a store in ${dataDir}; --force keeps it aside`);
    return await replace(place, chunks, isThere);
  } finally {
    await lock.release();
  }
}

async function replace(place: StorePlace, chunks: AsyncIterable<Uint8Array>, isThere: boolean): Promise<Restored> {
  const made = `${place.dir}-restoring`;
  await rm(made, { recursive: true, force: true });
  try {
    const said = await readNewestRevision(place.newestFile);
    const { head, objects, revision } = await fill(made, chunks, typeof said === 'number' ? said : 0);
    const kept = isThere ? await freeName(`${place.dir}-before-restore`) : undefined;
    if (kept !== undefined) {
      await rename(place.dir, kept);
      // It belongs to what is kept: with it, that can be put back.
      if (said !== 'missing') await cp(place.newestFile, join(kept, NEWEST_REVISION));
    }
    // First what is to be there, then what is there: whoever is killed in between leaves a store that misses something.
    await (await beginNewestRevision(place.newestFile, revision)).close();
    await rename(made, place.dir);
    const { takenAt, revision: was } = head;
    return { objects, takenAt, was, revision, ...(kept === undefined ? {} : { kept }) };
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}

async function fill(
  dir: string,
  chunks: AsyncIterable<Uint8Array>,
  said: number,
): Promise<{ head: Head; objects: number; revision: number }> {
  const writer = await writeStore(dir);
  try {
    let head: Head | undefined;
    for await (const part of readBackup(chunks)) {
      if ('head' in part) ({ head } = part);
      else if ('object' in part) await writer.put(part.object);
    }
    // A backup that has been read has a head.
    if (head === undefined) throw new Error('the backup has no head');
    const revision = Math.max(head.revision, said) + BUMP;
    const { keys } = await writer.finish(revision, join(dir, NEWEST_REVISION));
    return { head, objects: keys, revision };
  } finally {
    await writer.close();
    await rm(join(dir, NEWEST_REVISION), { force: true });
  }
}
