import type { Waiter } from '../machinery/waiter.js';
import type { CacheState } from './cache-state.js';
import { CompactedError, type KvStore, type Lost, type ReplayBound, type WatchEvent } from './kv-store.js';
import type { Progress } from './progress.js';

/** Keeps a state up to date by a watch of the store, which may be lost. */
export interface Following {
  /** Resolves when the state and the retained history are loaded. */
  loaded(): Promise<void>;
  /** Resolves when the state is at least as new as the store was when this was called. */
  fresh(waiter: Waiter): Promise<void>;
  /** The revision that the state is at. */
  revision(): number;
  /** Looks at what the store says of all values again. */
  refresh(): Promise<void>;
  close(): void;
}

export interface FollowingOptions {
  readonly store: KvStore;
  readonly prefix: string;
  readonly state: CacheState;
  /** Shared with other resources of the store. */
  readonly progress: Progress;
  /** Told of failures that no caller can be told of. */
  readonly onError: (error: unknown) => void;
}

/** How much of what the store still knows is read again at a start. */
const REPLAY_BYTES = 16 << 20;

/** One watch of the store. */
interface Session {
  /** What came before the state that it starts from was known. */
  readonly early: WatchEvent[];
  lost: Lost | undefined;
  stop(): void;
}

const DONE = Promise.resolve();

export function createFollowing({ store, prefix, state, progress, onError }: FollowingOptions): Following {
  const closing = new AbortController();
  /** The watch that keeps the state up to date; undefined: there is none (any more). */
  let live: Session | undefined;
  /** Without a watch: the revision that the state is at, and whether it can be brought up to date from there. */
  let left: { readonly revision: number; readonly whole: boolean } = { revision: 0, whole: false };
  /** Never kept once it is settled: a failure is no reason to fail again. */
  let loading: Promise<void> | undefined;

  const lose = (lost: Lost): void => {
    live = undefined;
    left = { revision: lost.after, whole: lost.fault === undefined };
    if (lost.fault !== undefined) onError(lost.fault);
    loaded().catch((error: unknown) => {
      if (closing.signal.aborted) return;
      onError(error);
      state.subscriptions.endAll();
    });
  };

  const open = async (from: number, replay: ReplayBound): Promise<Session> => {
    const session: Session = { early: [], lost: undefined, stop: () => undefined };
    session.stop = await store.watch(
      prefix,
      from,
      {
        events(events) {
          if (live === session) state.apply(events);
          else for (const event of events) session.early.push(event);
        },
        lost(lost) {
          session.lost = lost;
          if (live === session) lose(lost);
        },
      },
      replay,
    );
    return session;
  };

  /** Goes on where the lost watch ended. @returns whether the store still knew what happened since */
  const resume = async (): Promise<boolean> => {
    let cut = false;
    try {
      const session = await open(left.revision, { bytes: REPLAY_BYTES, onCut: () => void (cut = true) });
      if (session.lost !== undefined) return !cut;
      if (cut) {
        session.stop();
        return false;
      }
      live = session;
      state.apply(session.early.splice(0));
      return true;
    } catch (error) {
      if (error instanceof CompactedError) return false;
      throw error;
    }
  };

  /**
   * Takes the present state and, so that watches survive a restart of the server, every change the store still knows.
   */
  const reload = async (): Promise<void> => {
    const from = store.compactedRevision();
    let start = from;
    const replay = { bytes: REPLAY_BYTES, onCut: (revision: number) => void (start = revision) };
    const session = await open(from, replay);
    try {
      const { items, revision } = await store.range(prefix);
      // What is in the state already must not come again as news.
      await progress.reached(revision, closing.signal);
      if (session.lost !== undefined) return;
      const early = session.early.splice(0);
      state.replace(
        items,
        start,
        early.filter(e => e.revision <= revision),
      );
      live = session;
      state.apply(early.filter(e => e.revision > revision));
    } finally {
      if (live !== session) session.stop();
    }
  };

  const load = async (): Promise<void> => {
    while (live === undefined) {
      closing.signal.throwIfAborted();
      // A watch may be lost, and the past compacted, while this goes on: then once more.
      if (left.whole && (await resume())) continue;
      try {
        await reload();
      } catch (error) {
        if (!(error instanceof CompactedError)) throw error;
      }
    }
  };

  const loaded = (): Promise<void> =>
    live === undefined ? (loading ??= load().finally(() => (loading = undefined))) : DONE;

  const fresh = async (waiter: Waiter): Promise<void> => {
    do {
      await loaded();
      if (store.supports.soleWriter) continue;
      await progress.reached(await store.latest(waiter.signal), waiter.signal);
    } while (live === undefined);
  };

  return {
    loaded,
    fresh: waiter => (live !== undefined && store.supports.soleWriter ? DONE : fresh(waiter)),
    revision: () => (live === undefined ? left.revision : store.observed()),
    async refresh() {
      await loaded();
      const { items, revision } = await store.range(prefix);
      await progress.reached(revision, closing.signal);
      if (!state.reread(items) && live !== undefined) {
        left = { revision: store.observed(), whole: false };
        live.stop();
        live = undefined;
      }
      await loaded();
    },
    close() {
      closing.abort(new Error('the cache is closed'));
      live?.stop();
    },
  };
}
