import type { CommitResult, KeyValue, Op, Precondition, WatchEvent } from '../kv-store.js';
import { currentKey, decodeCurrent, encodeChange, encodeCurrent, logKey, META_REVISION } from './layout.js';
import type { Db } from './open.js';

export interface Request {
  readonly preconditions: readonly Precondition[];
  readonly ops: readonly Op[];
}

export type DbOp = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** Several commits as one LevelDB batch: one disk sync pays for all of them. */
export interface Group {
  readonly batch: DbOp[];
  readonly events: WatchEvent[];
  /** One per request, to be given out once the batch is durable. */
  readonly results: CommitResult[];
  /** The newest revision after the batch. */
  readonly revision: number;
}

/** Checks each request against the store as the requests before it leave it, and numbers those that hold. */
export function formGroup(db: Db, lastRevision: number, requests: readonly Request[]): Group {
  const batch: DbOp[] = [];
  const events: WatchEvent[] = [];
  const written = new Map<string, Buffer | undefined>();
  let revision = lastRevision;

  const current = (key: string): Buffer | undefined =>
    written.has(key) ? written.get(key) : db.getSync(currentKey(key));

  const write = (op: Op, at: number, index: number): boolean => {
    const before = current(op.key);
    if (op.type === 'delete' && before === undefined) return false;
    const previous = before === undefined ? undefined : decodeCurrent(op.key, before);
    let kv: KeyValue | undefined;
    if (op.type === 'put') {
      kv = { key: op.key, value: op.value, modRevision: at, createRevision: previous?.createRevision ?? at };
      const bytes = encodeCurrent(kv.createRevision, at, op.value);
      batch.push({ type: 'put', key: currentKey(op.key), value: bytes });
      written.set(op.key, bytes);
    } else {
      batch.push({ type: 'del', key: currentKey(op.key) });
      written.set(op.key, undefined);
    }
    batch.push({
      type: 'put',
      key: logKey(at, index, op.key),
      value: encodeChange({ type: op.type, previous: before }),
    });
    events.push({
      type: op.type,
      key: op.key,
      revision: at,
      ...(kv === undefined ? {} : { kv }),
      ...(previous === undefined ? {} : { previous }),
      ...(op.type === 'put' && op.decoded !== undefined ? { decoded: op.decoded } : {}),
    });
    return true;
  };

  const commit = ({ preconditions, ops }: Request): CommitResult => {
    for (const failed of preconditions) {
      const bytes = current(failed.key);
      const kv = bytes === undefined ? undefined : decodeCurrent(failed.key, bytes);
      if ((kv?.modRevision ?? 0) === failed.modRevision) continue;
      return { ok: false, revision, failed, ...(kv === undefined ? {} : { current: kv }) };
    }
    let changes = 0;
    for (const op of ops) if (write(op, revision + 1, changes)) changes++;
    if (changes > 0) revision++;
    return { ok: true, revision };
  };

  const results = requests.map(commit);
  if (batch.length > 0) batch.push({ type: 'put', key: META_REVISION, value: Buffer.from(String(revision)) });
  return { batch, events, results, revision };
}
