import { sweepLog } from './compact.js';
import { CURRENT, currentKey, FORMAT, META_COMPACTED, META_FORMAT, META_STATE, withChecksum } from './layout.js';
import { beginNewestRevision } from './newest-revision.js';
import type { Db } from './raw.js';
import { encodeCompacted, encodeState, NOTHING, replaced, type State } from './state.js';

const CHUNK = 500;
const CHUNK_BYTES = 1 << 20;

/**
 * Gives every value its checksum and the store the format that demands them. Its history ends here: clients list
 * again, as after any restart that took too long. May be stopped at any moment and begins anew.
 */
export async function addChecksums(
  db: Db,
  revision: number,
  newestFile: string,
): Promise<{ state: State; compacted: number }> {
  let state: State = { ...NOTHING, revision };
  const values = db.iterator({ gte: currentKey(''), lt: 'd', highWaterMarkBytes: CHUNK_BYTES });
  try {
    for (let chunk = await values.nextv(CHUNK); chunk.length > 0; chunk = await values.nextv(CHUNK)) {
      const checked = chunk.map(([key, bytes]) => [key, withChecksum(key.slice(CURRENT.length), bytes)] as const);
      for (const [, bytes] of checked) state = replaced(state, undefined, bytes);
      await db.batch(checked.map(([key, value]) => ({ type: 'put', key, value })));
    }
  } finally {
    await values.close();
  }
  await settle(db, state, newestFile);
  return { state, compacted: revision };
}

/** Makes `state` what the store says of itself, with no history before it. */
export async function settle(db: Db, state: State, newestFile: string): Promise<void> {
  // First: a store in this format without that file counts as damaged.
  const newest = await beginNewestRevision(newestFile, state.revision);
  await newest.close();
  await db.batch(
    [
      { type: 'put', key: META_STATE, value: encodeState(state) },
      { type: 'put', key: META_COMPACTED, value: encodeCompacted(state.revision) },
      { type: 'put', key: META_FORMAT, value: Buffer.from(FORMAT) },
    ],
    { sync: true },
  );
  await sweepLog(db, 0, state.revision);
}
