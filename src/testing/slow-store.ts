import type { Clock } from '../machinery/clock.js';
import type { KvStore } from '../storage/kv-store.js';

/** A store whose disk takes its time. */
export interface SlowStore extends KvStore {
  /** From now on each commit takes so much longer. 0: no longer than it takes. */
  delayMs: number;
}

export function createSlowStore(store: KvStore, clock: Clock): SlowStore {
  return {
    delayMs: 0,
    supports: store.supports,
    observed: () => store.observed(),
    latest: signal => store.latest(signal),
    compactedRevision: () => store.compactedRevision(),
    get: (key, options) => store.get(key, options),
    range: (prefix, options) => store.range(prefix, options),
    async commit(preconditions, ops) {
      // Before, not after: what is written is not seen before it is on the disk.
      if (this.delayMs > 0) await clock.sleep(this.delayMs);
      return store.commit(preconditions, ops);
    },
    watch: (prefix, fromRevision, handlers, replay) => store.watch(prefix, fromRevision, handlers, replay),
    assertWritable: () => store.assertWritable(),
    compact: revision => store.compact(revision),
    close: () => store.close(),
  };
}
