import type { Clock } from '../machinery/clock.js';
import { FutureRevisionError, type KvStore } from './kv-store.js';

export interface CompactorOptions {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long old revisions stay readable, in milliseconds. */
  readonly keepMs?: number;
  /** At most this many revisions stay readable. */
  readonly keepRevisions?: number;
  readonly intervalMs?: number;
  /** Told the new bound after each compaction, whichever server made it. */
  onCompacted(revision: number): void;
  /** A compaction failed; the next round tries again. */
  onError(error: unknown): void;
}

const KEEP_MS = 5 * 60_000;
const OWN = { keepMs: KEEP_MS, keepRevisions: 10_000, intervalMs: 10_000 };
/**
 * Of a store that has other writers, as upstream's servers do it: each round drops what the round before it found. A timer
 * may be early.
 */
const SHARED = { keepMs: KEEP_MS - 1_000, keepRevisions: Infinity, intervalMs: 5 * 60_000 };
/** Upstream's name of the key under which a server says what it is about to compact. */
export const COMPACT_KEY = 'compact_rev_key';

/**
 * Drops old revisions by age and by count until the signal aborts. The newest revision always stays readable, so that a
 * list taken from an idle server can be continued. Of several servers over one store one compacts at a time: who is the
 * first to write the key since its last round.
 */
export async function runCompactor(options: CompactorOptions): Promise<void> {
  const { store, clock, signal } = options;
  const { intervalMs, ...keep } = { ...(store.supports.soleWriter ? OWN : SHARED), ...options };
  const due = createSchedule({ ...keep, clock });
  const turn = createTurn(store);
  let told = store.compactedRevision();
  while (!signal.aborted) {
    const target = due(store.observed(), turn.wroteAt());
    try {
      if (target > store.compactedRevision() && (await turn.take(target))) await store.compact(target);
      if (store.compactedRevision() > told) options.onCompacted((told = store.compactedRevision()));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FutureRevisionError)) options.onError(error);
    }
    try {
      await nextRound(options, intervalMs, keep.keepRevisions);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

/** How often it is looked whether there is too much to wait any longer. */
const LOOK_MS = 1_000;

/** Waits for the interval, or until there is twice as much past as is kept: under load it grows by thousands a second. */
async function nextRound(
  { store, clock, signal }: CompactorOptions,
  intervalMs: number,
  keepRevisions: number,
): Promise<void> {
  const until = clock.monotonic() + intervalMs;
  for (let left = intervalMs; left > 0; left = until - clock.monotonic()) {
    await clock.sleep(Math.min(left, LOOK_MS), signal);
    if (store.observed() - store.compactedRevision() > 2 * keepRevisions) return;
  }
}

/** Up to which revision the past may go by now. */
function createSchedule(
  options: Pick<CompactorOptions, 'clock'> & Required<Pick<CompactorOptions, 'keepMs' | 'keepRevisions'>>,
): (newest: number, ownRevision: number) => number {
  const { clock, keepMs, keepRevisions } = options;
  /** What the newest revision was, oldest sample first. */
  let samples: { at: number; revision: number }[] = [];
  return (newest, ownRevision) => {
    const now = clock.monotonic();
    samples.push({ at: now, revision: newest });
    const aged = samples.filter(s => s.at <= now - keepMs).at(-1);
    if (aged !== undefined) samples = samples.slice(samples.indexOf(aged));
    // The last compaction's own key is no past that is worth another one.
    if (newest === ownRevision) return 0;
    return Math.min(newest - 1, Math.max(aged?.revision ?? 0, newest - keepRevisions));
  };
}

interface Turn {
  /** Whether no other server has compacted since this was asked last. */
  take(target: number): Promise<boolean>;
  /** The revision at which the key was last seen to be written. */
  wroteAt(): number;
}

function createTurn(store: KvStore): Turn {
  /** undefined: not looked at yet. */
  let seen: number | undefined;
  return {
    wroteAt: () => seen ?? 0,
    async take(target) {
      seen ??= (await store.get(COMPACT_KEY))?.modRevision ?? 0;
      const value = Buffer.from(String(target));
      const result = await store.commit(
        [{ key: COMPACT_KEY, modRevision: seen }],
        [{ type: 'put', key: COMPACT_KEY, value }],
      );
      seen = result.ok ? result.revision : (result.current?.modRevision ?? 0);
      return result.ok;
    },
  };
}
