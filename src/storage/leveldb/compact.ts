import { logStart } from './layout.js';
import { compactRange, type Db } from './raw.js';

/** Removes log entries with a revision above `from` and up to `to`: off the event loop, in batches that commits get in between. */
export const sweepLog = (db: Db, from: number, to: number): Promise<void> =>
  db.clear({ gte: logStart(from + 1), lt: logStart(to + 1) });

/** So many revisions are worth writing files anew for. */
const RECLAIMED_AT_ONCE = 5_000;

/**
 * Sweeps that also give the room back. LevelDB itself is in no hurry to: it looks at how much there is at a level, and what was
 * deleted stays until something is written over it, which in a log never happens (470 MB of files for 11 MB).
 */
export function createReclaimingSweep(): (db: Db, from: number, to: number) => Promise<void> {
  let reclaimed = 0;
  return async (db, from, to) => {
    await sweepLog(db, from, to);
    if (to - reclaimed < RECLAIMED_AT_ONCE) return;
    await compactRange(db, logStart(0), logStart(to + 1));
    reclaimed = to;
  };
}

/** Sweeps, one at a time. */
export interface Sweeps {
  /** Removes what no sweep has removed yet. @throws whatever the sweep does */
  upTo(target: number): Promise<void>;
  /** Resolves when the last one that was begun has ended, however. */
  idle(): Promise<void>;
}

export function createSweeps(sweep: (from: number, to: number) => Promise<void>): Sweeps {
  /** Log entries up to here are gone from disk. */
  let swept = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    upTo(target) {
      const done = last.then(async () => {
        await sweep(swept, target);
        swept = target;
      });
      // A failed one does not stop the next, which covers its range.
      last = done.catch(() => undefined);
      return done;
    },
    idle: () => last,
  };
}
