import { logStart } from './layout.js';
import type { Db } from './raw.js';

/** Small enough that forming one batch is not felt, and that commits get their turn in between. */
const CHUNK = 500;

/** Removes log entries with a revision above `from` and up to `to`. */
export async function sweepLog(db: Db, from: number, to: number): Promise<void> {
  const keys = db.keys({ gte: logStart(from + 1), lt: logStart(to + 1), highWaterMarkBytes: 1 << 20 });
  try {
    for (let chunk = await keys.nextv(CHUNK); chunk.length > 0; chunk = await keys.nextv(CHUNK)) {
      await db.batch(chunk.map(key => ({ type: 'del', key })));
    }
  } finally {
    await keys.close();
  }
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
