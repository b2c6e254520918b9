import { openDb } from '../../storage/leveldb/open.js';
import { compactRange } from '../../storage/leveldb/raw.js';
import { sizeOf } from '../../storage/leveldb/inspect.js';
import type { StorePlace } from './place.js';

/** All keys of a store are between these. */
const [FIRST, LAST] = ['\0', '\x7f'];

/** Writes the store's files anew without what was replaced or deleted. @throws StorageError when it is damaged */
export async function defragStore({ dir, newestFile }: StorePlace): Promise<{ before: number; after: number }> {
  const { bytes: before } = await sizeOf(dir);
  const { db } = await openDb(dir, { newestRevisionFile: newestFile });
  try {
    await compactRange(db, FIRST, LAST);
  } finally {
    await db.close();
  }
  const { bytes: after } = await sizeOf(dir);
  return { before, after };
}
