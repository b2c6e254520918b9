import t from 'tap';
import { FakeClock } from '../../src/machinery/clock.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { createProgress } from '../../src/storage/progress.js';
import { createWatchCache, type WatchCache } from '../../src/storage/watch-cache.js';

export const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };

/** A cache of the ConfigMaps in a store, not loaded. What goes wrong behind the caller's back fails the test. */
export const configMapCache = (
  store: KvStore,
  onError: (error: unknown) => void = error => t.fail(String(error)),
): WatchCache =>
  createWatchCache({
    store,
    location: CONFIG_MAPS,
    namespaced: true,
    clock: new FakeClock(),
    progress: createProgress(store),
    onError,
  });
