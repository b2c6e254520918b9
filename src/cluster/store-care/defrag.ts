import { openDb } from '../../storage/leveldb/open.js';
import { sizeOf } from '../../storage/leveldb/inspect.js';
import type { StorePlace } from './place.js';

/** All keys of a store are between these. */
const [FIRST, LAST] = ['\0', '\x7f'];

/** Writes the store's files anew without what was replaced or deleted. @throws StorageError when it is damaged */
export async function defragStore({ dir, newestFile }: StorePlace): Promise<{ before: number; after: number }> {
  const { bytes: before } = await sizeOf(dir);
  const { db } = await openDb(dir, { newestRevisionFile: newestFile });
  try {
    await (db as unknown as Compactable).compactRange(FIRST, LAST);
  } finally {
    await db.close();
  }
  const { bytes: after } = await sizeOf(dir);
  return { before, after };
}

/** What `level` has where it is LevelDB that it opens, and its types do not say. */
interface Compactable {
  compactRange(start: string, end: string): Promise<void>;
}
