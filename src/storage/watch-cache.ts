import type { ObjectKey } from '../machinery/types.js';
import type { Waiter } from '../machinery/waiter.js';
import { CacheState, type CacheStateOptions } from './cache-state.js';
import type { CachedObject } from './cached-object.js';
import type { CacheEvent } from './event-history.js';
import { createFollowing, type FollowingOptions } from './following.js';
import { listPrefix, objectKey, resourcePrefix, type StorageLocation } from './keys.js';
import { CompactedError, type KeyValue } from './kv-store.js';
import { partition } from './sorted-objects.js';
import type { Subscriber, Subscription } from './subscriptions.js';

/** A part of a list: `remaining` objects follow the last item. */
export interface Page {
  readonly items: readonly CachedObject[];
  readonly remaining: number;
}

/**
 * All objects of one resource in memory, in order, and its recent changes: the state of the store that this process has
 * observed, which may be older than what it has itself committed. `fresh` waits until it is not.
 */
export interface WatchCache {
  /** Storage key prefix of the resource, as in upstream's error texts. */
  readonly prefix: string;
  /** Resolves when the state and the retained history are loaded. Everything below needs it. */
  loaded(): Promise<void>;
  /** Resolves when the state is at least as new as the store was when this was called. */
  fresh(waiter: Waiter): Promise<void>;
  /** The revision that get and list are consistent with. */
  revision(): number;
  /** The revision of the newest change of an object of this resource. */
  changed(): number;
  /** Moves whenever what get or list say does, for who keeps what they have made of it. No revision: see `refresh`. */
  generation(): number;
  get(key: ObjectKey): CachedObject | undefined;
  /** In order of storage key; '' lists every namespace. */
  list(namespace: string): readonly CachedObject[];
  count(namespace: string): number;
  /** The first object that cannot be read; undefined: there is none. */
  unreadable(): CachedObject | undefined;
  /**
   * The state at `revision`, from the first key above `after` (relative to the namespace's prefix), at most `limit`
   * objects (0: all). @throws CompactedError, FutureRevisionError
   */
  page(namespace: string, revision: number, after: string, limit: number): Promise<Page>;
  /** Events above `revision`, oldest first; undefined when they are not known any more. */
  since(revision: number): readonly CacheEvent[] | undefined;
  /** The oldest revision a watch may start from. */
  oldest(): number;
  /** What the store holds, as the cached object when that is the same. */
  objectOf(kv: KeyValue): CachedObject;
  /** The returned function ends it. */
  subscribe(what: Subscription, subscriber: Subscriber): () => void;
  /** Forgets history up to and including `revision`. */
  forget(revision: number): void;
  /** What the store says of its values may be something else now, though the values are the same: looks at all of them again. */
  refresh(): Promise<void>;
  close(): void;
}

export type WatchCacheOptions = Omit<CacheStateOptions & FollowingOptions, 'prefix' | 'state'> & {
  readonly location: StorageLocation;
};

export function createWatchCache(options: WatchCacheOptions): WatchCache {
  const { store, namespaced } = options;
  const prefix = resourcePrefix(options.location);
  const state = new CacheState({ ...options, prefix });
  const following = createFollowing({ ...options, prefix, state });
  const { objects, subscriptions } = state;

  const present = (namespace: string, after: string, limit: number): Page => {
    const all = objects.list(namespace);
    const skip = namespace === '' || !namespaced ? 0 : namespace.length + 1;
    const text = (o: CachedObject): string => objectKey('', o.key).slice(skip);
    const rest = after === '' ? all : all.slice(partition(all, o => text(o) <= after));
    const items = limit === 0 ? rest : rest.slice(0, limit);
    return { items, remaining: rest.length - items.length };
  };

  return {
    prefix,
    loaded: () => following.loaded(),
    fresh: waiter => following.fresh(waiter),
    revision: () => following.revision(),
    changed: () => state.changed,
    generation: () => state.generation,
    get: key => objects.get(key),
    list: namespace => objects.list(namespace),
    count: namespace => objects.count(namespace),
    unreadable: () => state.unreadable(),
    async page(namespace, at, after, limit) {
      const newest = following.revision();
      if (at <= store.compactedRevision() && at < newest) throw new CompactedError(at, store.compactedRevision());
      if (at >= state.changed && at <= newest) return present(namespace, after, limit);
      const range = listPrefix(prefix, namespaced ? namespace : '');
      const { items, remaining } = await store.range(range, {
        revision: at,
        limit,
        ...(after === '' ? {} : { after: range + after }),
      });
      return { items: items.map(kv => state.objectOf(kv)), remaining };
    },
    since: revision => state.history.since(revision),
    oldest: () => state.history.oldest(),
    objectOf: kv => state.objectOf(kv),
    subscribe: (what, subscriber) => subscriptions.add(what, subscriber),
    forget: revision => state.history.forget(revision),
    refresh: () => following.refresh(),
    close() {
      following.close();
      state.close();
    },
  };
}
