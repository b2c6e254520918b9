import {
  StorageError,
  type CommitResult,
  type KeyValue,
  type Op,
  type Precondition,
  type WatchEvent,
} from '../kv-store.js';
import { currentKey, decodeCurrent, encodeChange, encodeCurrent, logKey, META_STATE } from './layout.js';
import type { Db } from './raw.js';
import { encodeState, replaced, type State } from './state.js';

export interface Request {
  readonly preconditions: readonly Precondition[];
  readonly ops: readonly Op[];
}

export type DbOp = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** Several commits as one LevelDB batch: one disk sync pays for all of them. */
export interface Group {
  readonly batch: DbOp[];
  readonly events: WatchEvent[];
  /** One per request, to be given out once the batch is durable; an error where what it needs is damaged. */
  readonly results: (CommitResult | Error)[];
  /** The state after the batch. */
  readonly state: State;
}

/** What a key holds, as bytes and read. */
interface Held {
  readonly bytes: Buffer;
  readonly kv: KeyValue;
}

/** Checks each request against the store as the requests before it leave it, and numbers those that hold. */
export function formGroup(db: Db, before: State, requests: readonly Request[]): Group {
  const batch: DbOp[] = [];
  const events: WatchEvent[] = [];
  const known = new Map<string, Held | undefined>();
  let state = before;

  const current = (key: string): Held | undefined => {
    if (known.has(key)) return known.get(key);
    const bytes = db.getSync(currentKey(key));
    const held = bytes === undefined ? undefined : { bytes, kv: decodeCurrent(key, bytes) };
    known.set(key, held);
    return held;
  };

  const write = (op: Op, at: number, index: number): boolean => {
    const previous = current(op.key);
    if (op.type === 'delete' && previous === undefined) return false;
    let next: Held | undefined;
    if (op.type === 'put') {
      const createRevision = previous?.kv.createRevision ?? at;
      const bytes = encodeCurrent(op.key, createRevision, at, op.value);
      next = { bytes, kv: { key: op.key, value: op.value, modRevision: at, createRevision } };
      batch.push({ type: 'put', key: currentKey(op.key), value: bytes });
    } else batch.push({ type: 'del', key: currentKey(op.key) });
    known.set(op.key, next);
    state = replaced(state, previous?.bytes, next?.bytes);
    const entry = logKey(at, index, op.key);
    batch.push({ type: 'put', key: entry, value: encodeChange(entry, { type: op.type, previous: previous?.bytes }) });
    events.push({
      type: op.type,
      key: op.key,
      revision: at,
      ...(next === undefined ? {} : { kv: next.kv }),
      ...(previous === undefined ? {} : { previous: previous.kv }),
      ...(op.type === 'put' && op.decoded !== undefined ? { decoded: op.decoded } : {}),
    });
    return true;
  };

  const commit = ({ preconditions, ops }: Request): CommitResult => {
    const { revision } = state;
    for (const failed of preconditions) {
      const kv = current(failed.key)?.kv;
      if ((kv?.modRevision ?? 0) === failed.modRevision) continue;
      return { ok: false, revision, failed, ...(kv === undefined ? {} : { current: kv }) };
    }
    // All are read before the first is written: a damaged value must not leave half a commit.
    for (const op of ops) current(op.key);
    let at = revision + 1;
    let changes = 0;
    for (const op of ops) {
      if (!write(op, at, changes)) continue;
      state = { ...state, revision: at };
      if (op.ownRevision === true) [at, changes] = [at + 1, 0];
      else changes++;
    }
    return { ok: true, revision: state.revision };
  };

  const results = requests.map(request => {
    try {
      return commit(request);
    } catch (error) {
      // One damaged value is no reason to refuse the commits of others.
      if (error instanceof StorageError || isLevelError(error)) return error;
      throw error;
    }
  });
  if (batch.length > 0) batch.push({ type: 'put', key: META_STATE, value: encodeState(state) });
  return { batch, events, results, state };
}

const isLevelError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('LEVEL_');
