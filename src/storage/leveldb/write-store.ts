import { mkdir } from 'node:fs/promises';
import type { KeyValue } from '../kv-store.js';
import { storageError } from './errors.js';
import { currentKey, encodeCurrent } from './layout.js';
import { settle } from './migrate.js';
import { openRaw } from './raw.js';
import { NOTHING, replaced, type State } from './state.js';

export interface StoreWriter {
  /** In order of key. */
  put(kv: KeyValue): Promise<void>;
  /** What has been written is a store now, without history before `revision`. */
  finish(revision: number, newestFile: string): Promise<State>;
  close(): Promise<void>;
}

/** What LevelDB is given at a time. */
const BATCH_BYTES = 1 << 20;

/** Makes a store of values in a folder that is not there yet. What it does throws StorageErrors. */
export async function writeStore(dir: string): Promise<StoreWriter> {
  await mkdir(dir, { mode: 0o700 });
  const db = await openRaw(dir);
  let state: State = NOTHING;
  let batch: { type: 'put'; key: string; value: Buffer }[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const ops = batch;
    [batch, size] = [[], 0];
    await db.batch(ops).catch((error: unknown) => {
      throw storageError(error, dir);
    });
  };
  return {
    async put({ key, value, createRevision, modRevision }) {
      const bytes = encodeCurrent(key, createRevision, modRevision, value);
      state = replaced(state, undefined, bytes);
      batch.push({ type: 'put', key: currentKey(key), value: bytes });
      size += bytes.length;
      if (size >= BATCH_BYTES) await flush();
    },
    async finish(revision, newestFile) {
      await flush();
      state = { ...state, revision };
      await settle(db, state, newestFile).catch((error: unknown) => {
        throw storageError(error, dir);
      });
      return state;
    },
    close: () => db.close(),
  };
}
