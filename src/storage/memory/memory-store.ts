import { prefixEnd } from '../key-order.js';
import {
  CompactedError,
  FutureRevisionError,
  StorageError,
  type CommitResult,
  type KeyValue,
  type KvStore,
  type Op,
  type Precondition,
  type WatchEvent,
} from '../kv-store.js';
import { assertDistinctKeys } from '../ops.js';
import { createWatchHub } from '../watch-hub.js';
import { countBelow, emptyTree, find, put, remove, slice, type Tree } from './sorted-tree.js';

const SCAN_PAGE = 500;

/** What one revision did, and the state after it. */
interface Revision {
  readonly tree: Tree;
  readonly events: readonly WatchEvent[];
}

/**
 * Keeps everything in this process and nothing on disk; the same promises as every driver otherwise.
 * @param options.firstRevision everything up to it counts as compacted: a server that starts empty where another one
 *   was must not give revisions that clients know from before, or their watches would wait for ever
 */
export function createMemoryStore({ firstRevision = 0 }: { readonly firstRevision?: number } = {}): KvStore {
  const hub = createWatchHub();
  let tree: Tree = emptyTree;
  let compacted = firstRevision;
  let current = firstRevision;
  /** Revision compacted + 1 + i at index i. */
  let history: Revision[] = [];
  let closed = false;
  /** Commits made by watchers while events are being delivered wait their turn, so that all see one order. */
  const waiting: (() => void)[] = [];
  let busy = false;

  const assertOpen = (): void => {
    if (closed) throw new StorageError('closed', 'the store is closed');
  };

  const treeAt = (revision: number | undefined): { revision: number; tree: Tree } => {
    if (revision === undefined || revision === current) return { revision: current, tree };
    if (revision > current) throw new FutureRevisionError(revision, current);
    const entry = history[revision - compacted - 1];
    if (revision <= compacted || entry === undefined) throw new CompactedError(revision, compacted);
    return { revision, tree: entry.tree };
  };

  const apply = (preconditions: readonly Precondition[], ops: readonly Op[]): CommitResult => {
    for (const failed of preconditions) {
      const kv = find(tree, failed.key);
      if ((kv?.modRevision ?? 0) === failed.modRevision) continue;
      return { ok: false, revision: current, failed, ...(kv === undefined ? {} : { current: kv }) };
    }
    const live: WatchEvent[] = [];
    let events: WatchEvent[] = [];
    const close = (): void => {
      if (events.length === 0) return;
      current++;
      history.push({ tree, events });
      events = [];
    };
    for (const op of ops) {
      const revision = current + 1;
      const previous = find(tree, op.key);
      if (op.type === 'delete') {
        if (previous === undefined) continue;
        tree = remove(tree, op.key);
        const event: WatchEvent = { type: 'delete', key: op.key, revision, previous };
        events.push(event);
        live.push(event);
      } else {
        const kv: KeyValue = {
          key: op.key,
          value: op.value,
          modRevision: revision,
          createRevision: previous?.createRevision ?? revision,
        };
        tree = put(tree, kv);
        const event: WatchEvent = {
          type: 'put',
          key: op.key,
          revision,
          kv,
          ...(previous === undefined ? {} : { previous }),
        };
        events.push(event);
        // History keeps no `decoded`: it would hold every parsed object of the past in memory.
        live.push(op.decoded === undefined ? event : { ...event, decoded: op.decoded });
      }
      if (op.ownRevision === true) close();
    }
    close();
    if (live.length > 0) hub.publish(live);
    return { ok: true, revision: current };
  };

  const drain = (): void => {
    if (busy) return;
    busy = true;
    try {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) job();
    } finally {
      busy = false;
    }
  };

  return {
    supports: { soleWriter: true, ownRevision: true },
    observed: () => current,
    latest: async () => current,
    compactedRevision: () => compacted,
    async get(key, options = {}) {
      assertOpen();
      return find(treeAt(options.revision).tree, key);
    },
    async range(prefix, options = {}) {
      assertOpen();
      const at = treeAt(options.revision);
      const after = options.after;
      const first = countBelow(at.tree, prefix);
      const start = after === undefined ? first : Math.max(first, countBelow(at.tree, after, true));
      const upper = prefixEnd(prefix);
      const end = Math.max(start, upper === undefined ? at.tree.count : countBelow(at.tree, upper));
      const limit = options.limit ?? 0;
      const stop = limit > 0 ? Math.min(end, start + limit) : end;
      return {
        revision: at.revision,
        items: slice(at.tree, start, stop),
        more: stop < end,
        remaining: end - stop,
      };
    },
    async *scan(signal) {
      assertOpen();
      const [at, revision] = [tree, current];
      for (let start = 0; start === 0 || start < at.count; start += SCAN_PAGE) {
        signal.throwIfAborted();
        yield { revision, items: slice(at, start, start + SCAN_PAGE) };
      }
    },
    commit(preconditions, ops) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(new StorageError('closed', 'the store is closed'));
        assertDistinctKeys(ops);
        waiting.push(() => resolve(apply(preconditions, ops)));
        drain();
      });
    },
    async watch(prefix, fromRevision, handlers) {
      assertOpen();
      if (fromRevision < compacted) throw new CompactedError(fromRevision, compacted);
      if (fromRevision >= current) return hub.subscribe(prefix, fromRevision, handlers);
      const upTo = current;
      const missed = history.slice(fromRevision - compacted);
      return hub.subscribeAfter(prefix, fromRevision, handlers, async () => ({
        events: missed.flatMap(revision => revision.events),
        upTo,
      }));
    },
    assertWritable: async () => assertOpen(),
    async compact(revision) {
      assertOpen();
      if (revision > current) throw new FutureRevisionError(revision, current);
      if (revision <= compacted) return;
      history = history.slice(revision - compacted);
      compacted = revision;
    },
    async close() {
      closed = true;
      hub.clear();
    },
  };
}
