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
  /** Told the new bound after each compaction. */
  onCompacted(revision: number): void;
  /** A compaction failed; the next round tries again. */
  onError(error: unknown): void;
}

const KEEP_MS = 5 * 60_000;
const KEEP_REVISIONS = 10_000;
const INTERVAL_MS = 10_000;

/**
 * Drops old revisions by age and by count until the signal aborts. The newest revision always stays readable, so that a
 * list taken from an idle server can be continued.
 */
export async function runCompactor(options: CompactorOptions): Promise<void> {
  const { store, clock, signal, keepMs = KEEP_MS, keepRevisions = KEEP_REVISIONS } = options;
  /** What the newest revision was, oldest sample first. */
  let samples: { at: number; revision: number }[] = [];
  while (!signal.aborted) {
    const newest = store.observed();
    const now = clock.monotonic();
    samples.push({ at: now, revision: newest });
    const aged = samples.filter(s => s.at <= now - keepMs).at(-1);
    if (aged !== undefined) samples = samples.slice(samples.indexOf(aged));
    const target = Math.min(newest - 1, Math.max(aged?.revision ?? 0, newest - keepRevisions));
    if (target > store.compactedRevision()) {
      try {
        await store.compact(target);
        options.onCompacted(target);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof FutureRevisionError)) options.onError(error);
      }
    }
    try {
      await clock.sleep(options.intervalMs ?? INTERVAL_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}
