import { resourcePrefix, type StorageLocation } from '../../storage/keys.js';
import { createWatchCache, type WatchCache, type WatchCacheOptions } from '../../storage/watch-cache.js';
import type { CatalogEntry } from '../../api/catalog.js';

/** What is stored, by kind: versions of a kind share it. */
export interface Caches {
  of(entry: Pick<CatalogEntry, 'info'>): WatchCache;
  /** Of reservations without an API. */
  ofRange(resource: string): WatchCache;
  /** The revision of the newest change below a prefix. */
  changed(prefix: string): number;
  /** The kind is gone: nothing of it is kept in memory. */
  unload(entry: Pick<CatalogEntry, 'info'>): void;
  /** Drops history up to and including `revision`. */
  forget(revision: number): void;
  /** The store reads its values in another way: looks at all of them again. */
  refresh(): Promise<void>;
  close(): void;
}

export interface CachesOptions extends Pick<WatchCacheOptions, 'store' | 'clock' | 'budget' | 'progress'> {
  readonly report: (error: unknown, what: string) => void;
}

export function createCaches({ report, ...shared }: CachesOptions): Caches {
  const caches = new Map<string, WatchCache>();
  const at = (location: StorageLocation, namespaced: boolean): WatchCache => {
    const prefix = resourcePrefix(location);
    let cache = caches.get(prefix);
    if (cache === undefined) {
      const onError = (error: unknown): void => report(error, `following ${prefix}`);
      cache = createWatchCache({ ...shared, location, namespaced, onError });
      caches.set(prefix, cache);
    }
    return cache;
  };
  return {
    of: ({ info }) => at(info.storage, info.namespaced),
    ofRange: resource => at({ group: '', version: 'v1', resource }, false),
    changed: prefix => caches.get(prefix)?.changed() ?? 0,
    unload({ info }) {
      const prefix = resourcePrefix(info.storage);
      caches.get(prefix)?.close();
      caches.delete(prefix);
    },
    forget(revision) {
      for (const cache of caches.values()) cache.forget(revision);
    },
    async refresh() {
      for (const cache of [...caches.values()]) await cache.refresh();
    },
    close() {
      for (const cache of caches.values()) cache.close();
    },
  };
}
