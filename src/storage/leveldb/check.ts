import { StorageError } from '../kv-store.js';
import {
  CURRENT,
  currentKey,
  decodeCurrent,
  FORMAT,
  LOG_END,
  logRevision,
  logStart,
  META_COMPACTED,
  META_FORMAT,
  META_STATE,
  OLD_FORMAT,
} from './layout.js';
import { addChecksums } from './migrate.js';
import { readNewestRevision, type Said } from './newest-revision.js';
import type { Db } from './raw.js';
import { decodeCompacted, decodeState, NOTHING, replaced, type State } from './state.js';

export interface Whole {
  readonly state: State;
  readonly compacted: number;
}

const damaged = (what: string): StorageError => new StorageError('damaged', what);
const CHUNK = 500;
const KEY_CHUNK = 2_000;
const CHUNK_BYTES = 1 << 20;

/**
 * Reads what the store says of itself, and whether what it holds and what the file beside it knows agree.
 * @throws StorageError 'damaged', 'format'
 */
export async function readStore(db: Db, newestFile: string): Promise<Whole> {
  const said = await readNewestRevision(newestFile);
  const format = db.getSync(META_FORMAT)?.toString();
  if (format === undefined) {
    if ((await db.keys({ limit: 1 }).all()).length > 0) throw damaged('it has no format version');
    // A first start that died before this point leaves an empty LevelDB behind, which is as good as none.
    assertNewest(0, said);
    await db.batch([{ type: 'put', key: META_FORMAT, value: Buffer.from(FORMAT) }], { sync: true });
    return { state: NOTHING, compacted: 0 };
  }
  if (format === OLD_FORMAT) {
    const [revision, compacted] = [readNumber(db, META_STATE), readNumber(db, META_COMPACTED)];
    await checkLog(db, compacted, revision);
    if (said !== 'missing') assertNewest(revision, said);
    return addChecksums(db, revision, newestFile);
  }
  if (format !== FORMAT)
    throw new StorageError(
      'format',
      `it has the unknown format version ${JSON.stringify(format)} (this program knows "${FORMAT}"): a newer one may read it`,
    );
  const [stateBytes, compactedBytes] = [db.getSync(META_STATE), db.getSync(META_COMPACTED)];
  const state = stateBytes === undefined ? NOTHING : decodeState(stateBytes);
  const compacted = compactedBytes === undefined ? 0 : decodeCompacted(compactedBytes);
  // LevelDB reads for one while the other is looked at. What is told first is what is missing.
  const [log, values] = await Promise.allSettled([checkLog(db, compacted, state.revision), countValues(db)]);
  if (log.status === 'rejected') throw log.reason;
  assertNewest(state.revision, said);
  if (values.status === 'rejected') throw values.reason;
  const found = values.value;
  if (found.keys !== state.keys) throw damaged(`it holds ${found.keys} objects where it held ${state.keys}`);
  if (found.sum !== state.sum) throw damaged('it holds values that are older than the newest');
  return { state, compacted };
}

/** @throws StorageError 'damaged' */
function assertNewest(revision: number, said: Said): void {
  if (typeof said === 'number') {
    if (said > revision) throw damaged(`${missing(revision + 1, said)}, the newest that were acknowledged`);
  } else if (revision > 0 || said === 'damaged')
    throw damaged(
      `its newest-revision file is ${said}, so that nobody can tell whether commits after ${revision} are lost`,
    );
}

const missing = (from: number, to: number): string =>
  from === to ? `revision ${from} is missing` : `revisions ${from} to ${to} are missing`;

function readNumber(db: Db, key: string): number {
  const text = db.getSync(key)?.toString() ?? '0';
  if (!/^\d{1,15}$/.test(text)) throw damaged(`${key.slice(1)} reads ${JSON.stringify(text)}`);
  return Number(text);
}

/**
 * LevelDB drops a damaged record of its write-ahead log in silence. Every revision since the last compaction has left
 * an entry in our log, so a lost batch shows as a gap.
 */
async function checkLog(db: Db, compacted: number, revision: number): Promise<void> {
  let expected = compacted + 1;
  const keys = db.keys({ gte: logStart(compacted + 1), lt: LOG_END, highWaterMarkBytes: CHUNK_BYTES });
  try {
    for (let batch = await keys.nextv(KEY_CHUNK); batch.length > 0; batch = await keys.nextv(KEY_CHUNK)) {
      for (const key of batch) {
        const at = logRevision(key);
        if (at === expected - 1) continue; // a further change of the same commit
        if (at !== expected) throw damaged(missing(expected, at > expected ? at - 1 : expected));
        expected++;
      }
    }
  } finally {
    await keys.close();
  }
  if (expected > revision + 1)
    throw damaged(`it says that revision ${revision} is the newest, and has a log up to ${expected - 1}`);
  if (expected <= revision) throw damaged(missing(expected, revision));
}

/** @throws StorageError 'damaged' on a value that does not match its checksum */
async function countValues(db: Db): Promise<State> {
  let state = NOTHING;
  const values = db.iterator({ gte: currentKey(''), lt: 'd', highWaterMarkBytes: CHUNK_BYTES });
  try {
    for (let chunk = await values.nextv(CHUNK); chunk.length > 0; chunk = await values.nextv(CHUNK))
      for (const [key, bytes] of chunk) {
        decodeCurrent(key.slice(CURRENT.length), bytes);
        state = replaced(state, undefined, bytes);
      }
  } finally {
    await values.close();
  }
  return state;
}
