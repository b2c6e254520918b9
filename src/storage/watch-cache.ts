import type { Clock } from '../machinery/clock.js';
import type { ObjectKey } from '../machinery/types.js';
import { atRevision, cachedObject, isPending, type CachedObject } from './cached-object.js';
import { createEventHistory, type CacheEvent, type EventHistory, type HistoryBounds } from './event-history.js';
import type { HistoryBudget } from './history-budget.js';
import { listPrefix, objectKey, parseKey, resourcePrefix, type StorageLocation } from './keys.js';
import { CompactedError, type KeyValue, type KvStore, type WatchEvent } from './kv-store.js';
import { createSortedObjects, partition } from './sorted-objects.js';

/** A part of a list: `remaining` objects follow the last item. */
export interface Page {
  readonly items: readonly CachedObject[];
  readonly remaining: number;
}

/** Which events a subscriber gets: of one object, of a namespace, or ('' and '') all. */
export interface Subscription {
  readonly namespace: string;
  readonly name: string;
}

/**
 * All objects of one resource in memory, in order, and its recent changes. Changes are visible here as soon as they are
 * in the store: the driver delivers them before a commit resolves.
 */
export interface WatchCache {
  /** Storage key prefix of the resource, as in upstream's error texts. */
  readonly prefix: string;
  /** Resolves when the present state and the retained history are loaded. Everything below needs it. */
  ready(): Promise<void>;
  /** The revision that get and list are consistent with: the store's newest. */
  revision(): number;
  /** The revision of the newest change of this resource; moves whenever what get or list say does. */
  changed(): number;
  get(key: ObjectKey): CachedObject | undefined;
  /** In order of storage key; '' lists every namespace. */
  list(namespace: string): readonly CachedObject[];
  count(namespace: string): number;
  /**
   * The state at `revision`, from the first key above `after` (relative to the namespace's prefix), at most `limit`
   * objects (0: all). @throws CompactedError, FutureRevisionError
   */
  page(namespace: string, revision: number, after: string, limit: number): Promise<Page>;
  /** Events above `revision`, oldest first; undefined when they are not known any more. */
  since(revision: number): readonly CacheEvent[] | undefined;
  /** The oldest revision a watch may start from. */
  oldest(): number;
  /** Calls back once per visible batch, in order; the returned function ends it. */
  subscribe(what: Subscription, onEvents: (events: readonly CacheEvent[]) => void): () => void;
  /** Forgets history up to and including `revision`. */
  forget(revision: number): void;
  close(): void;
}

export interface WatchCacheOptions {
  readonly store: KvStore;
  readonly location: StorageLocation;
  readonly namespaced: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly bounds?: Partial<HistoryBounds>;
  /** Shared with other resources. */
  readonly budget?: HistoryBudget;
}

/** How much of what the store still knows is read again at a start. */
const REPLAY_BYTES = 16 << 20;

type OnEvents = (events: readonly CacheEvent[]) => void;

export function createWatchCache(options: WatchCacheOptions): WatchCache {
  const { store, namespaced, clock, bounds, budget } = options;
  const prefix = resourcePrefix(options.location);
  const objects = createSortedObjects();
  const subscribers = new Map<string, Set<OnEvents>>();
  let history: EventHistory = createEventHistory(0, { events: 0 });
  /** Revision of the newest change of this resource. */
  let changed = 0;
  let stop = (): void => undefined;
  let loading: Promise<void> | undefined;

  const fromKeyValue = (kv: KeyValue): CachedObject =>
    cachedObject(parseKey(prefix, kv.key, namespaced), kv.modRevision, kv.value);

  const toEvent = (event: WatchEvent, before: CachedObject | undefined): CacheEvent | undefined => {
    const previous = before ?? (event.previous === undefined ? undefined : fromKeyValue(event.previous));
    if (event.type === 'delete') {
      if (previous === undefined) return undefined;
      return { type: 'DELETED', revision: event.revision, object: atRevision(previous, event.revision), previous };
    }
    const object = isPending(event.decoded)
      ? event.decoded
      : cachedObject(parseKey(prefix, event.key, namespaced), event.revision, event.kv?.value ?? new Uint8Array());
    if (isPending(event.decoded)) event.decoded.committed(event.revision);
    return previous === undefined
      ? { type: 'ADDED', revision: event.revision, object }
      : { type: 'MODIFIED', revision: event.revision, object, previous };
  };

  const apply = (events: readonly WatchEvent[]): void => {
    const visible: CacheEvent[] = [];
    const now = clock.monotonic();
    for (const raw of events) {
      const key = parseKey(prefix, raw.key, namespaced);
      const event = toEvent(raw, objects.get(key));
      if (event === undefined) continue;
      if (event.type === 'DELETED') objects.delete(key);
      else objects.set(event.object);
      history.push(event, now);
      changed = event.revision;
      visible.push(event);
    }
    budget?.settle();
    dispatch(visible);
    // Watchers have looked at what was replaced; those that come later parse it again.
    for (const { type, object, previous } of visible) {
      previous?.release();
      if (type === 'DELETED') object.release();
    }
  };

  const dispatch = (events: readonly CacheEvent[]): void => {
    if (subscribers.size === 0) return;
    const batches = new Map<OnEvents, CacheEvent[]>();
    for (const event of events) {
      const { namespace, name } = event.object.key;
      const topics = new Set([topic('', ''), topic(namespace, ''), topic('', name), topic(namespace, name)]);
      for (const t of topics) {
        for (const subscriber of subscribers.get(t) ?? []) {
          const batch = batches.get(subscriber);
          if (batch === undefined) batches.set(subscriber, [event]);
          else batch.push(event);
        }
      }
    }
    for (const [subscriber, batch] of batches) subscriber(batch);
  };

  /**
   * Takes the present state and, so that watches survive a restart of the server, every change the store still knows.
   */
  const load = async (): Promise<void> => {
    for (;;) {
      const from = store.compactedRevision();
      const early: WatchEvent[] = [];
      let start = from;
      let live: ((events: readonly WatchEvent[]) => void) | undefined;
      try {
        const replay = { bytes: REPLAY_BYTES, onCut: (revision: number) => void (start = revision) };
        const onEvents = (events: readonly WatchEvent[]): void => {
          if (live !== undefined) live(events);
          else for (const event of events) early.push(event);
        };
        const unwatch = await store.watch(prefix, from, onEvents, replay);
        const { items, revision } = await store.range(prefix);
        history = createEventHistory(start, bounds);
        for (const kv of items) {
          objects.set(fromKeyValue(kv));
          changed = Math.max(changed, kv.modRevision);
        }
        for (const raw of early.filter(e => e.revision <= revision)) {
          const event = toEvent(raw, undefined);
          if (event === undefined) continue;
          history.push(event, clock.monotonic());
          changed = Math.max(changed, event.revision);
        }
        budget?.add(history);
        budget?.settle();
        stop = unwatch;
        live = apply;
        apply(early.filter(e => e.revision > revision));
        return;
      } catch (error) {
        // Compacted between the two calls: start again from the new bound.
        if (!(error instanceof CompactedError)) throw error;
      }
    }
  };

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
    ready: () => (loading ??= load()),
    revision: () => store.revision(),
    changed: () => changed,
    get: key => objects.get(key),
    list: namespace => objects.list(namespace),
    count: namespace => objects.count(namespace),
    async page(namespace, revision, after, limit) {
      if (revision <= store.compactedRevision() && revision < store.revision()) {
        throw new CompactedError(revision, store.compactedRevision());
      }
      if (revision >= changed && revision <= store.revision()) return present(namespace, after, limit);
      const range = listPrefix(prefix, namespaced ? namespace : '');
      const { items, remaining } = await store.range(range, {
        revision,
        limit,
        ...(after === '' ? {} : { after: range + after }),
      });
      const known = (kv: KeyValue): CachedObject => {
        const current = objects.get(parseKey(prefix, kv.key, namespaced));
        return current?.revision === kv.modRevision ? current : fromKeyValue(kv);
      };
      return { items: items.map(known), remaining };
    },
    since: revision => history.since(revision),
    oldest: () => history.oldest(),
    subscribe(what, onEvents) {
      const key = topic(what.namespace, what.name);
      // Its own function: one listener may subscribe twice.
      const subscriber: OnEvents = events => onEvents(events);
      const set = subscribers.get(key) ?? new Set();
      subscribers.set(key, set.add(subscriber));
      return () => {
        set.delete(subscriber);
        if (set.size === 0 && subscribers.get(key) === set) subscribers.delete(key);
      };
    },
    forget: revision => history.forget(revision),
    close() {
      stop();
      subscribers.clear();
    },
  };
}

const topic = (namespace: string, name: string): string => `${namespace}/${name}`;
