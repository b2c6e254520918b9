import type { Clock } from '../machinery/clock.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import { atRevision, madeOf, withStale, type CachedObject } from './cached-object.js';
import { createEventHistory, type CacheEvent, type EventHistory, type HistoryBounds } from './event-history.js';
import { createSortedObjects } from './sorted-objects.js';
import { createSubscriptions } from './subscriptions.js';
import type { WatchCache } from './watch-cache.js';

/**
 * The objects of a watch cache in another version of their kind. What comes into the cache is converted in order,
 * batch by batch, before anybody sees it: everything behind this stays synchronous though converting may take a request
 * to somewhere else. Nothing is converted before somebody asks (`loaded`, `fresh`).
 */
export type ConvertedCache = Omit<WatchCache, 'objectOf' | 'refresh' | 'changed'>;

export interface OwnConvertedCache extends ConvertedCache {
  /** An object of the cache behind this, as it is shown here. Converted once, whoever asks first. */
  shown(object: CachedObject): Promise<CachedObject>;
}

export interface ConvertedCacheOptions {
  readonly cache: WatchCache;
  /**
   * The same objects in the other version, in the same order; what is shown as it is comes back itself. What it throws is
   * what readers get; they may try again.
   */
  readonly convert: (objects: readonly CachedObject[]) => Promise<readonly DeepReadonly<KubeObject>[]>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly bounds?: Partial<HistoryBounds>;
  /** Told of failures that no reader is waiting for. */
  readonly onError: (error: unknown) => void;
}

const ALL = { namespace: '', name: '' };

export function createConvertedCache(options: ConvertedCacheOptions): OwnConvertedCache {
  const { cache, clock, bounds, onError } = options;
  const objects = createSortedObjects();
  const subscriptions = createSubscriptions(onError);
  let history: EventHistory = createEventHistory(0, { events: 0 });
  let generation = 0;
  let converted = new WeakMap<CachedObject, CachedObject>();
  /** Events of the cache that nobody behind this has seen yet. */
  let waiting: CacheEvent[] = [];
  /** Ends the subscription; undefined: this does not follow the cache (yet). */
  let stop: (() => void) | undefined;
  /** What is under way, one at a time; never kept once it is settled. */
  let starting: Promise<void> | undefined;
  let draining: Promise<void> | undefined;

  const convertAll = async (given: Iterable<CachedObject>): Promise<void> => {
    const fresh = [...new Set(given)].filter(object => !converted.has(object));
    if (fresh.length === 0) return;
    const results = await options.convert(fresh);
    fresh.forEach((object, i) => {
      const result = results[i];
      if (result === undefined) throw new Error(`${results.length} objects came of ${fresh.length}`);
      converted.set(object, madeOf(object, result));
    });
  };
  /** Of a deletion the last state is enough. */
  function* objectsIn(events: readonly CacheEvent[]): Iterable<CachedObject> {
    for (const { type, object, previous } of events) {
      if (previous !== undefined) yield previous;
      if (type !== 'DELETED' || previous === undefined) yield object;
    }
  }
  const shown = (object: CachedObject): CachedObject => {
    const result = converted.get(object);
    if (result === undefined) throw new Error('an object is shown before it is converted');
    return result;
  };
  const toEvent = ({ type, revision, object, previous }: CacheEvent): CacheEvent => {
    if (previous === undefined) return { type, revision, object: shown(object) };
    const before = shown(previous);
    const after = type === 'DELETED' ? atRevision(before, revision) : shown(object);
    return { type, revision, object: after, previous: before };
  };

  const apply = (batch: readonly CacheEvent[]): void => {
    const now = clock.monotonic();
    const events = batch.map(toEvent);
    for (const event of events) {
      if (event.type === 'DELETED') objects.delete(event.object.key);
      else objects.set(event.object);
      history.push(event, now);
      generation++;
    }
    subscriptions.dispatch(events);
    for (const { type, object, previous } of events) {
      previous?.release();
      if (type === 'DELETED') object.release();
    }
  };

  const drain = (): Promise<void> =>
    (draining ??= (async () => {
      while (waiting.length > 0) {
        const batch = [...waiting];
        await convertAll(objectsIn(batch));
        // The cache may have been lost meanwhile, and all of this with it.
        if (waiting[0] !== batch[0]) return;
        waiting = waiting.slice(batch.length);
        apply(batch);
      }
    })().finally(() => (draining = undefined)));

  const follow = (): (() => void) =>
    cache.subscribe(ALL, {
      events(events) {
        for (const event of events) waiting.push(event);
        if (starting === undefined) drain().catch(onError);
      },
      ended() {
        stop = undefined;
        waiting = [];
        subscriptions.endAll();
      },
    });

  const start = async (): Promise<void> => {
    while (stop === undefined) {
      await cache.loaded();
      waiting = [];
      const following = (stop = follow());
      const from = cache.oldest();
      const past = cache.since(from) ?? [];
      const present = cache.list('');
      converted = new WeakMap();
      try {
        await convertAll([...present, ...objectsIn(past)]);
      } catch (error) {
        following();
        stop = undefined;
        throw error;
      }
      // Ended meanwhile: once more.
      if (stop !== following) continue;
      objects.clear();
      for (const object of present) objects.set(shown(object));
      history = createEventHistory(from, bounds);
      for (const event of past) history.push(toEvent(event), clock.monotonic());
      generation++;
    }
  };

  const loaded = async (): Promise<void> => {
    if (stop === undefined || starting !== undefined)
      await (starting ??= start().finally(() => (starting = undefined)));
    await drain();
  };

  /** The cache's, until something is waiting: then that from before it. */
  const revision = (): number => {
    const first = waiting[0];
    return first === undefined ? cache.revision() : first.revision - 1;
  };

  return {
    prefix: cache.prefix,
    loaded,
    async shown(object) {
      // What was converted may be forgotten before this goes on: the cache was lost and starts anew.
      do await convertAll([object]);
      while (!converted.has(object));
      return shown(object);
    },
    async fresh(waiter) {
      await cache.fresh(waiter);
      await loaded();
    },
    revision,
    generation: () => generation,
    get(key) {
      const known = objects.get(key);
      const behind = known && cache.get(key);
      // The cache may look again at what is stored, and no event tells that it is to be written anew.
      if (known === undefined || behind?.revision !== known.revision || behind.stale === known.stale) return known;
      const again = withStale(known, behind.stale);
      converted.set(behind, again);
      objects.set(again);
      generation++;
      return again;
    },
    list: namespace => objects.list(namespace),
    count: namespace => objects.count(namespace),
    unreadable: () => cache.unreadable(),
    async page(namespace, at, after, limit) {
      const { items, remaining } = await cache.page(namespace, at, after, limit);
      await convertAll(items);
      return { items: items.map(shown), remaining };
    },
    since: from => history.since(from),
    oldest: () => history.oldest(),
    subscribe: (what, subscriber) => subscriptions.add(what, subscriber),
    forget: until => history.forget(until),
    close() {
      stop?.();
      stop = undefined;
      subscriptions.clear();
    },
  };
}
