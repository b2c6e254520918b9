import { realClock, type Clock } from '../../machinery/clock.js';
import {
  CompactedError,
  FutureRevisionError,
  StorageError,
  type CommitResult,
  type KvStore,
  type WatchEvent,
} from '../kv-store.js';
import { assertDistinctKeys } from '../ops.js';
import { createWatchHub } from '../watch-hub.js';
import { createReclaimingSweep, createSweeps } from './compact.js';
import { storageError } from './errors.js';
import { formGroup, type Request } from './group.js';
import { META_COMPACTED } from './layout.js';
import { createLogIndex } from './log-index.js';
import { beginNewestRevision, type NewestRevision } from './newest-revision.js';
import { newestRevisionFile, openDb, type Db } from './open.js';
import { openOrSalvage, type SalvageOptions } from './open-or-salvage.js';
import { readAt, readCurrent, readRange } from './read.js';
import { createReplays, readEvents } from './replay.js';
import { scan } from './scan.js';
import { assertRoom, assertSpace } from './space.js';
import { encodeCompacted } from './state.js';

interface Job extends Request {
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

export interface LevelStoreOptions extends SalvageOptions {
  readonly clock?: Clock;
  /** Whether a commit resolves once it is on disk, and not when the operating system has it; default true. */
  readonly fsync?: boolean;
  /** Gives up before opening; an open store is closed by close(). */
  readonly signal?: AbortSignal;
}

/** Commits that share one disk sync. More gains nothing and would hold up the event loop while the batch is formed. */
const MAX_GROUP = 64;
/** How often a store that failed to write tries to recover, at most. */
const RECOVERY_INTERVAL_MS = 500;
/** How long it is believed that a store can be written because it just could. */
const WRITABLE_MS = 1_000;

/**
 * Opens the LevelDB folder `dir`, creating it when needed. A commit resolves once it is on disk. After a failed write
 * (disk full) reads go on and commits fail until there is room again; then the store recovers by itself.
 * @throws StorageError 'locked', 'damaged', 'disk-full', 'permission', 'io'
 */
export async function openLevelStore(dir: string, options: LevelStoreOptions = {}): Promise<KvStore> {
  const clock = options.clock ?? realClock;
  options.signal?.throwIfAborted();
  const opened = await openOrSalvage(dir, options);
  const newestFile = newestRevisionFile(dir, options);
  const hub = createWatchHub();
  let { db, state, compacted } = opened;
  const index = createLogIndex(compacted);
  /** What watchers have been told of: during a recovery, less than there is. */
  let observed = state.revision;
  const syncFailed = (error: unknown): void => {
    failure ??= { error: storageError(error, dir), at: clock.monotonic() };
  };
  const beginNewest = (): Promise<NewestRevision> => beginNewestRevision(newestFile, state.revision, syncFailed);
  let newest = await beginNewest().catch(async (error: unknown) => {
    await db.close();
    throw storageError(error, dir);
  });

  const queue: Job[] = [];
  let writing: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let failure: { error: StorageError; at: number } | undefined;
  /** When it was last seen that the store can be written. */
  let writableAt = -Infinity;
  let probing: Promise<void> | undefined;

  const publish = (events: readonly WatchEvent[]): void => {
    observed = state.revision;
    hub.publish(events);
  };

  /** Users of `db`, so that it is not swapped under them. */
  let users = 0;
  let onIdle: (() => void) | undefined;
  let reopening: Promise<void> | undefined;

  const assertOpen = (): void => {
    if (closing !== undefined) throw new StorageError('closed', `data store ${dir} is closed`);
  };

  const use = async <T>(work: (db: Db) => Promise<T>): Promise<T> => {
    assertOpen();
    while (reopening !== undefined) await reopening;
    // A recovery that failed half-way has left nothing to read from: the next one must do better first.
    if (db.status === 'closed') await recovered();
    users++;
    try {
      return await work(db);
    } catch (error) {
      if (error instanceof CompactedError || error instanceof FutureRevisionError) throw error;
      throw storageError(error, dir);
    } finally {
      users--;
      if (users === 0) onIdle?.();
    }
  };

  /**
   * LevelDB goes on appending to its log after a record that was cut off in the middle, and would lose what follows at
   * the next start; so after a failed write the log must be replayed and begun anew.
   */
  const reopen = async (): Promise<void> => {
    if (users > 0) await new Promise<void>(resolve => (onIdle = resolve));
    onIdle = undefined;
    await db.close();
    const again = await openDb(dir, { newestRevisionFile: newestFile, again: true });
    db = again.db;
    compacted = Math.max(compacted, again.compacted);
    state = again.state;
    await newest.close();
    newest = await beginNewest();
    // A commit that failed only in its sync may have reached the disk after all: then it happened.
    if (state.revision <= observed) return;
    await index.ready(db);
    publish((await readEvents(db, index, [{ prefix: '', fromRevision: observed }])).flatMap(({ events }) => events));
  };

  const recover = async (failed: { error: StorageError; at: number }): Promise<void> => {
    if (clock.monotonic() - failed.at < RECOVERY_INTERVAL_MS) throw failed.error;
    try {
      // Before anything is closed: while there is no room, readers keep what they have.
      await assertSpace(dir);
      const done = reopen();
      reopening = done.catch(() => undefined).finally(() => (reopening = undefined));
      await done;
      failure = undefined;
    } catch (error) {
      failure = { error: storageError(error, dir), at: clock.monotonic() };
      throw failure.error;
    }
  };

  const writeGroup = async (jobs: readonly Job[]): Promise<void> => {
    try {
      if (failure !== undefined) await recover(failure);
      const group = formGroup(db, state, jobs);
      if (group.batch.length > 0) {
        for (const { key, revision } of group.events) index.note(key, revision);
        try {
          await db.batch(group.batch, { sync: options.fsync ?? true });
        } catch (error) {
          failure = { error: storageError(error, dir), at: clock.monotonic() };
          throw failure.error;
        }
        writableAt = clock.monotonic();
        // The commits have happened; where this fails, they are the last ones until the store has recovered.
        await newest.write(group.state.revision).catch(syncFailed);
        state = group.state;
        publish(group.events);
      }
      jobs.forEach((job, i) => {
        const result = group.results[i] as CommitResult | Error;
        if (result instanceof Error) job.reject(storageError(result, dir));
        else job.resolve(result);
      });
    } catch (error) {
      const failed = storageError(error, dir);
      for (const job of jobs) job.reject(failed);
    }
  };

  /** An empty commit changes nothing, and recovers the store where that is possible. @throws StorageError */
  const recovered = (): Promise<CommitResult> =>
    new Promise((resolve, reject) => enqueue({ preconditions: [], ops: [], resolve, reject }));

  /** @throws StorageError when commits fail, or would */
  const probe = async (): Promise<void> => {
    if (failure === undefined) {
      if (clock.monotonic() - writableAt < WRITABLE_MS) return;
      try {
        await assertRoom(dir);
      } catch (error) {
        throw storageError(error, dir);
      }
      writableAt = clock.monotonic();
      return;
    }
    await recovered();
  };

  const enqueue = (job: Job): void => {
    queue.push(job);
    writing ??= write();
  };

  const write = async (): Promise<void> => {
    // Lets commits of the same moment join the first group.
    await Promise.resolve();
    while (queue.length > 0) await writeGroup(queue.splice(0, MAX_GROUP));
    writing = undefined;
  };

  const replayed = createReplays(wanted =>
    use(async db => {
      await index.ready(db);
      return readEvents(db, index, wanted);
    }),
  );

  const sweep = createReclaimingSweep();
  const sweeps = createSweeps(async (from, to) => {
    try {
      await use(async db => {
        await db.put(META_COMPACTED, encodeCompacted(to));
        await sweep(db, from, to);
      });
    } catch (error) {
      const failed = storageError(error, dir);
      if (failed.code !== 'closed') failure ??= { error: failed, at: clock.monotonic() };
      throw failed;
    }
  });

  return {
    supports: { soleWriter: true, ownRevision: true },
    observed: () => observed,
    latest: async () => state.revision,
    compactedRevision: () => compacted,
    async get(key, { revision: at } = {}) {
      return use(async db => (at === undefined ? readCurrent(db, key) : readAt(db, key, at, compacted)));
    },
    range: (prefix, options = {}) => use(db => readRange(db, prefix, options, compacted)),
    async *scan(signal) {
      assertOpen();
      while (reopening !== undefined) await reopening;
      try {
        // Not among the users of `db`: whoever reads slowly must not keep the store from recovering.
        yield* scan(db, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        throw storageError(error, dir);
      }
    },
    commit(preconditions, ops) {
      return new Promise<CommitResult>((resolve, reject) => {
        assertOpen();
        assertDistinctKeys(ops);
        enqueue({ preconditions, ops, resolve, reject });
      });
    },
    async assertWritable() {
      assertOpen();
      probing ??= probe().finally(() => (probing = undefined));
      return probing;
    },
    async watch(prefix, fromRevision, handlers, replay) {
      assertOpen();
      if (fromRevision < compacted) throw new CompactedError(fromRevision, compacted);
      if (fromRevision >= observed) return hub.subscribe(prefix, fromRevision, handlers);
      return hub.subscribeAfter(prefix, fromRevision, handlers, async () => {
        const past = await replayed({ prefix, fromRevision, replay });
        // While it was read, some of it may have been forgotten.
        if (fromRevision < compacted) throw new CompactedError(fromRevision, compacted);
        return past;
      });
    },
    async compact(target) {
      assertOpen();
      if (target > state.revision) throw new FutureRevisionError(target, state.revision);
      if (target <= compacted) return sweeps.idle();
      compacted = target;
      index.forget(target);
      return sweeps.upTo(target);
    },
    close() {
      closing ??= (async () => {
        await writing;
        await sweeps.idle();
        if (users > 0) await new Promise<void>(resolve => (onIdle = resolve));
        hub.clear();
        await newest.close();
        await db.close();
      })();
      return closing;
    },
  };
}
