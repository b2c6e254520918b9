import { compareKeys, prefixEnd } from '../key-order.js';
import {
  CompactedError,
  FutureRevisionError,
  type KeyValue,
  type RangeOptions,
  type RangeResult,
} from '../kv-store.js';
import {
  CURRENT,
  currentKey,
  decodeChange,
  decodeCurrent,
  LOG_END,
  loggedKey,
  logStart,
  META_STATE,
} from './layout.js';
import type { Db } from './raw.js';
import { decodeState, NOTHING } from './state.js';

type Snapshot = ReturnType<Db['snapshot']>;

/** Entries per step: bounds how long one step keeps the event loop busy. */
const CHUNK = 500;
const KEY_CHUNK = 2000;
const CHUNK_BYTES = 1 << 20;

/**
 * Reads one consistent state. The snapshot says itself which revision it is: it may already hold a commit whose events
 * are about to be delivered.
 */
export async function withSnapshot<T>(db: Db, read: (snapshot: Snapshot, revision: number) => Promise<T>): Promise<T> {
  const snapshot = db.snapshot();
  try {
    return await read(snapshot, revisionOf(db, snapshot));
  } finally {
    await snapshot.close();
  }
}

export function revisionOf(db: Db, snapshot: Snapshot): number {
  const state = db.getSync(META_STATE, { snapshot });
  return (state === undefined ? NOTHING : decodeState(state)).revision;
}

export async function* entries(
  db: Db,
  snapshot: Snapshot,
  range: { gt?: string; gte?: string; lt: string; reverse?: boolean },
): AsyncGenerator<[string, Buffer][]> {
  const iterator = db.iterator({ ...range, snapshot, highWaterMarkBytes: CHUNK_BYTES });
  try {
    for (let chunk = await iterator.nextv(CHUNK); chunk.length > 0; chunk = await iterator.nextv(CHUNK)) yield chunk;
  } finally {
    await iterator.close();
  }
}

async function countKeys(db: Db, snapshot: Snapshot, range: { gt: string; lt: string }): Promise<number> {
  const keys = db.keys({ ...range, snapshot, highWaterMarkBytes: CHUNK_BYTES });
  let count = 0;
  try {
    for (let chunk = await keys.nextv(KEY_CHUNK); chunk.length > 0; chunk = await keys.nextv(KEY_CHUNK)) {
      count += chunk.length;
    }
  } finally {
    await keys.close();
  }
  return count;
}

/** What a key held at an old revision, and whether it exists in the snapshot. */
interface Undone {
  readonly then: KeyValue | undefined;
  existsNow: boolean;
}

/** What differs between `revision` and the snapshot, for keys under `prefix` above `after`. */
async function undo(
  db: Db,
  snapshot: Snapshot,
  revision: number,
  wanted: (key: string) => boolean,
): Promise<Map<string, Undone>> {
  const undone = new Map<string, Undone>();
  for await (const chunk of entries(db, snapshot, { gte: logStart(revision + 1), lt: LOG_END })) {
    for (const [logKey, bytes] of chunk) {
      const key = loggedKey(logKey);
      if (!wanted(key)) continue;
      const change = decodeChange(logKey, bytes);
      const known = undone.get(key);
      if (known !== undefined) known.existsNow = change.type === 'put';
      else {
        undone.set(key, {
          then: change.previous === undefined ? undefined : decodeCurrent(key, change.previous),
          existsNow: change.type === 'put',
        });
      }
    }
  }
  return undone;
}

function assertReadable(revision: number, newest: number, compacted: number): void {
  if (revision > newest) throw new FutureRevisionError(revision, newest);
  if (revision <= compacted && revision !== newest) throw new CompactedError(revision, compacted);
}

export function readCurrent(db: Db, key: string): KeyValue | undefined {
  const bytes = db.getSync(currentKey(key));
  return bytes === undefined ? undefined : decodeCurrent(key, bytes);
}

export function readAt(db: Db, key: string, revision: number, compacted: number): Promise<KeyValue | undefined> {
  return withSnapshot(db, async (snapshot, newest) => {
    assertReadable(revision, newest, compacted);
    const bytes = db.getSync(currentKey(key), { snapshot });
    const kv = bytes === undefined ? undefined : decodeCurrent(key, bytes);
    if (revision === newest || (kv !== undefined && kv.modRevision <= revision)) return kv;
    const undone = await undo(db, snapshot, revision, k => k === key);
    return undone.has(key) ? undone.get(key)?.then : kv;
  });
}

export function readRange(db: Db, prefix: string, options: RangeOptions, compacted: number): Promise<RangeResult> {
  return withSnapshot(db, async (snapshot, newest) => {
    const revision = options.revision ?? newest;
    assertReadable(revision, newest, compacted);
    const limit = options.limit !== undefined && options.limit > 0 ? options.limit : Infinity;
    const after = options.after;
    const lt = prefixEnd(currentKey(prefix)) ?? LOG_END;
    const bounds =
      after !== undefined && compareKeys(after, prefix) >= 0
        ? { gt: currentKey(after), lt }
        : { gte: currentKey(prefix), lt };
    const inRange = (key: string): boolean =>
      key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0);

    const undone = revision === newest ? new Map<string, Undone>() : await undo(db, snapshot, revision, inRange);
    // Keys that existed then and are gone now, in order, to be merged into what exists now.
    const gone = [...undone]
      .filter(([, u]) => !u.existsNow && u.then !== undefined)
      .map(([, u]) => u.then as KeyValue)
      .sort((a, b) => compareKeys(a.key, b.key));

    const items: KeyValue[] = [];
    let nextGone = 0;
    scan: for await (const chunk of entries(db, snapshot, bounds)) {
      for (const [dbKey, bytes] of chunk) {
        const key = dbKey.slice(CURRENT.length);
        for (let g = gone[nextGone]; g !== undefined && compareKeys(g.key, key) < 0; g = gone[nextGone]) {
          if (items.length >= limit) break scan;
          items.push(g);
          nextGone++;
        }
        if (items.length >= limit) break scan;
        const old = undone.get(key);
        if (old === undefined) items.push(decodeCurrent(key, bytes));
        else if (old.then !== undefined) items.push(old.then);
      }
      if (items.length >= limit) break;
    }
    for (let g = gone[nextGone]; g !== undefined && items.length < limit; g = gone[++nextGone]) items.push(g);

    const last = items.at(-1);
    if (items.length < limit || last === undefined) return { revision, items, more: false, remaining: 0 };
    let remaining = await countKeys(db, snapshot, { gt: currentKey(last.key), lt });
    for (const [key, u] of undone) {
      if (compareKeys(key, last.key) > 0) remaining += Number(u.then !== undefined) - Number(u.existsNow);
    }
    return { revision, items, more: remaining > 0, remaining };
  });
}
