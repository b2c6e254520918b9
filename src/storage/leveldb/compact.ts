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
