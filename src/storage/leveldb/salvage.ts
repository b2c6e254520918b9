import { access, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../kv-store.js';
import { damagedTables, fileProblem } from './files/check-files.js';
import {
  CURRENT,
  currentKey,
  decodeCurrent,
  LOG_END,
  logRevision,
  META_FORMAT,
  META_STATE,
  OLD_FORMAT,
  withChecksum,
} from './layout.js';
import { settle } from './migrate.js';
import { readNewestRevision } from './newest-revision.js';
import { openRaw, repair, type Db } from './raw.js';
import { decodeState, NOTHING, replaced, type State } from './state.js';

/** What had to be given up, in lines fit for a terminal. */
export type Losses = string[];

const CHUNK = 500;
const CHUNK_BYTES = 1 << 20;
/** Revisions that were given out and that nothing tells of any more: far fewer were ever written between two syncs. */
const MARGIN = 100_000;
const MOST_NAMES = 20;

/**
 * Makes a damaged folder one that opens, with what can still be read; a copy of it as it was stays beside it. No
 * revision is ever given out twice, and there is no history: every client lists again.
 */
export async function salvage(dir: string, newestFile: string, reason: string): Promise<Losses> {
  const copy = await freeName(`${dir}-damaged`);
  await cp(dir, copy, { recursive: true });
  const losses = [reason, `a copy of the folder as it was is in ${copy}`];
  if ((await fileProblem(dir)) !== undefined) {
    for (const [file, problem] of await damagedTables(dir)) {
      await rm(join(dir, file));
      losses.push(`lost: what was newest in ${problem}`);
    }
    await repair(dir);
    // What the repair put aside is in the copy.
    await rm(join(dir, 'lost'), { recursive: true, force: true });
  }
  const db = await openRaw(dir);
  try {
    const format = db.getSync(META_FORMAT)?.toString();
    const said = await readNewestRevision(newestFile);
    const kept = await keepReadable(db, format === OLD_FORMAT, losses);
    const known = typeof said === 'number' ? said : kept.revision + MARGIN;
    const revision = Math.max(known, kept.revision) + 1;
    if (kept.revision < revision - 1)
      losses.push(
        typeof said === 'number'
          ? `lost: revisions ${kept.revision + 1} to ${revision - 1}; what they changed is as it was before them`
          : `revisions go on at ${revision}: nothing says what was the newest`,
      );
    losses.push(`kept: ${kept.keys} objects, as of revision ${kept.revision}`);
    await settle(db, { ...kept, revision }, newestFile);
    return losses;
  } finally {
    await db.close();
  }
}

/** Drops the values that are damaged. The state of the others, with the newest revision that anything tells of. */
async function keepReadable(db: Db, old: boolean, losses: Losses): Promise<State> {
  let state = NOTHING;
  let newest = newestOf(db);
  const lost: string[] = [];
  const values = db.iterator({ gte: currentKey(''), lt: 'd', highWaterMarkBytes: CHUNK_BYTES });
  try {
    for (let chunk = await values.nextv(CHUNK); chunk.length > 0; chunk = await values.nextv(CHUNK))
      for (const [dbKey, bytes] of chunk) {
        const key = dbKey.slice(CURRENT.length);
        try {
          const checked = old ? withChecksum(key, bytes) : bytes;
          newest = Math.max(newest, decodeCurrent(key, checked).modRevision);
          if (checked !== bytes) await db.put(dbKey, checked);
          state = replaced(state, undefined, checked);
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          lost.push(key);
          await db.del(dbKey);
        }
      }
  } finally {
    await values.close();
  }
  for (const key of lost.slice(0, MOST_NAMES)) losses.push(`lost: ${key}, whose value is damaged`);
  if (lost.length > MOST_NAMES) losses.push(`lost: ${lost.length - MOST_NAMES} more with damaged values`);
  const last = await db.keys({ gte: 'l', lt: LOG_END, reverse: true, limit: 1 }).all();
  return { ...state, revision: Math.max(newest, ...last.map(logRevision).filter(Number.isSafeInteger)) };
}

function newestOf(db: Db): number {
  const bytes = db.getSync(META_STATE);
  try {
    return bytes === undefined ? 0 : decodeState(bytes).revision;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    // Of the old format, or damaged: then the values and the log tell.
    return 0;
  }
}

async function freeName(path: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = `${path}-${n}`;
    try {
      await access(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return name;
      throw error;
    }
  }
}
