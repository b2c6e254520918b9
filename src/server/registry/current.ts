import type { ObjectKey } from '../../machinery/types.js';
import { throwIfAborted, type Waiter } from '../../machinery/waiter.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { objectKey } from '../../storage/keys.js';
import type { Newest, Scope, StoredVersions } from './scope.js';

/**
 * What an attempt to write came to: it is done, or somebody else wrote in between and the object is now `current`.
 * `unproven`: nothing was committed, so nothing has shown that the attempt started from the newest state.
 */
export type Attempt<T> =
  | { readonly done: T; readonly unproven?: boolean }
  | { readonly current: CachedObject | undefined };

/** What the store holds, asked where this process may not have been told yet. */
export async function newest(
  scope: Pick<Scope, 'store' | 'cache'> & { readonly versions: Pick<StoredVersions, 'fromStore'> },
  key: ObjectKey,
): Promise<CachedObject | undefined> {
  if (scope.store.supports.soleWriter) return scope.cache.get(key);
  const kv = await scope.store.get(objectKey(scope.cache.prefix, key));
  return kv === undefined ? undefined : scope.versions.fromStore(kv);
}

/**
 * Attempts a write until it is done. Starts from what `source` has (default: the cache), without waiting for news: where
 * that was old, the refused commit says what is there now, and what was refused for another reason is tried again on that.
 */
export async function fromCurrent<T>(
  scope: Scope,
  key: ObjectKey,
  waiter: Waiter,
  attempt: (existing: CachedObject | undefined) => Promise<Attempt<T>>,
  source: Pick<Newest, 'loaded' | 'get'> = scope.cache,
): Promise<T> {
  await source.loaded();
  let existing = await source.get(key, waiter);
  if (existing !== undefined) await scope.versions.checkStorable(existing, waiter);
  let certain = scope.store.supports.soleWriter;
  for (;;) {
    throwIfAborted(waiter);
    const before = existing;
    try {
      const outcome = await attempt(existing);
      if (!('done' in outcome)) {
        existing = outcome.current;
        certain = true;
        continue;
      }
      if (certain || outcome.unproven !== true) return outcome.done;
      existing = await newest(scope, key);
      if (existing?.revision === before?.revision) return outcome.done;
    } catch (error) {
      if (certain) throw error;
      existing = await newest(scope, key);
      if (existing?.revision === before?.revision) throw error;
    }
    certain = true;
  }
}
