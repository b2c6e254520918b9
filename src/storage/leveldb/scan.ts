import type { ScanPage } from '../kv-store.js';
import { CURRENT, currentKey, decodeCurrent } from './layout.js';
import type { Db } from './raw.js';
import { entries, revisionOf } from './read.js';

/** All values of one moment in pieces of a megabyte or less. Ends with an error when the folder is closed meanwhile. */
export async function* scan(db: Db, signal: AbortSignal): AsyncGenerator<ScanPage> {
  const snapshot = db.snapshot();
  try {
    const revision = revisionOf(db, snapshot);
    let first = true;
    for await (const chunk of entries(db, snapshot, { gte: currentKey(''), lt: 'd' })) {
      signal.throwIfAborted();
      first = false;
      yield { revision, items: chunk.map(([key, bytes]) => decodeCurrent(key.slice(CURRENT.length), bytes)) };
    }
    if (first) yield { revision, items: [] };
  } finally {
    await snapshot.close();
  }
}
