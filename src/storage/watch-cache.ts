import type { Clock } from '../machinery/clock.js';
import type { ObjectKey } from '../machinery/types.js';
import type { Waiter } from '../machinery/waiter.js';
import { atRevision, cachedObject, isPending, type CachedObject } from './cached-object.js';
import { createEventHistory, type CacheEvent, type EventHistory, type HistoryBounds } from './event-history.js';
import type { HistoryBudget } from './history-budget.js';
import { listPrefix, objectKey, parseKey, resourcePrefix, type StorageLocation } from './keys.js';
import {
  CompactedError,
  type KeyValue,
  type KvStore,
  type Lost,
  type ReplayBound,
  type WatchEvent,
} from './kv-store.js';
import type { Progress } from './progress.js';
import { createSortedObjects, partition } from './sorted-objects.js';
import { createSubscriptions, type Subscriber, type Subscription } from './subscriptions.js';

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

export interface WatchCacheOptions {
  readonly store: KvStore;
  readonly location: StorageLocation;
  readonly namespaced: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly bounds?: Partial<HistoryBounds>;
  /** Shared with other resources. */
  readonly budget?: HistoryBudget;
  /** Shared with other resources of the store. */
  readonly progress: Progress;
  /** Told of failures that no caller can be told of. */
  onError(error: unknown): void;
}

/** How much of what the store still knows is read again at a start. */
const REPLAY_BYTES = 16 << 20;

/** One watch of the store. */
interface Session {
  /** What came before the state that it starts from was known. */
  readonly early: WatchEvent[];
  lost: Lost | undefined;
  stop(): void;
}

const DONE = Promise.resolve();

/** Whether an object of the same revision was read as the store reads it now. */
const isSaidOf = ({ unreadable, stale }: CachedObject, kv: KeyValue): boolean =>
  unreadable === kv.unreadable && stale === (kv.stale === true);

export function createWatchCache(options: WatchCacheOptions): WatchCache {
  const { store, namespaced, clock, bounds, budget, progress } = options;
  const prefix = resourcePrefix(options.location);
  const objects = createSortedObjects();
  const subscriptions = createSubscriptions(error => options.onError(error));
  const closing = new AbortController();
  let history: EventHistory = createEventHistory(0, { events: 0 });
  /** Revision of the newest change of this resource. */
  let changed = 0;
  /** What others read may change without a revision: what nobody could read is read, a deletion is forgotten before it is seen. */
  let generation = 0;
  /** Whether any object ever was unreadable: else nobody has to look. */
  let sawUnreadable = false;
  /** The watch that keeps the state up to date; undefined: there is none (any more). */
  let live: Session | undefined;
  /** Without a watch: the revision that the state is at, and whether it can be brought up to date from there. */
  let left: { readonly revision: number; readonly whole: boolean } = { revision: 0, whole: false };
  /** Never kept once it is settled: a failure is no reason to fail again. */
  let loading: Promise<void> | undefined;

  const notedObject = (object: CachedObject): CachedObject => {
    if (object.unreadable !== undefined) sawUnreadable = true;
    return object;
  };
  const objectOfEvent = ({ key, revision, kv }: WatchEvent): CachedObject =>
    notedObject(cachedObject(parseKey(prefix, key, namespaced), revision, kv?.value ?? new Uint8Array(), kv));
  const fromKeyValue = (kv: KeyValue): CachedObject =>
    notedObject(cachedObject(parseKey(prefix, kv.key, namespaced), kv.modRevision, kv.value, kv));

  const toEvent = (event: WatchEvent, before: CachedObject | undefined): CacheEvent | undefined => {
    const previous = before ?? (event.previous === undefined ? undefined : fromKeyValue(event.previous));
    if (event.type === 'delete') {
      if (previous === undefined) return undefined;
      return { type: 'DELETED', revision: event.revision, object: atRevision(previous, event.revision), previous };
    }
    const object = isPending(event.decoded) ? event.decoded : objectOfEvent(event);
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
      generation++;
      visible.push(event);
    }
    budget?.settle();
    subscriptions.dispatch(visible);
    // Watchers have looked at what was replaced; those that come later parse it again.
    for (const { type, object, previous } of visible) {
      previous?.release();
      if (type === 'DELETED') object.release();
    }
  };

  const lose = (lost: Lost): void => {
    live = undefined;
    left = { revision: lost.after, whole: lost.fault === undefined };
    if (lost.fault !== undefined) options.onError(lost.fault);
    loaded().catch((error: unknown) => {
      if (closing.signal.aborted) return;
      options.onError(error);
      subscriptions.endAll();
    });
  };

  const open = async (from: number, replay: ReplayBound): Promise<Session> => {
    const session: Session = { early: [], lost: undefined, stop: () => undefined };
    session.stop = await store.watch(
      prefix,
      from,
      {
        events(events) {
          if (live === session) apply(events);
          else for (const event of events) session.early.push(event);
        },
        lost(lost) {
          session.lost = lost;
          if (live === session) lose(lost);
        },
      },
      replay,
    );
    return session;
  };

  /** Goes on where the lost watch ended. @returns whether the store still knew what happened since */
  const resume = async (): Promise<boolean> => {
    let cut = false;
    try {
      const session = await open(left.revision, { bytes: REPLAY_BYTES, onCut: () => void (cut = true) });
      if (session.lost !== undefined) return !cut;
      if (cut) {
        session.stop();
        return false;
      }
      live = session;
      apply(session.early.splice(0));
      return true;
    } catch (error) {
      if (error instanceof CompactedError) return false;
      throw error;
    }
  };

  /**
   * Takes the present state and, so that watches survive a restart of the server, every change the store still knows.
   */
  const reload = async (): Promise<void> => {
    const from = store.compactedRevision();
    let start = from;
    const replay = { bytes: REPLAY_BYTES, onCut: (revision: number) => void (start = revision) };
    const session = await open(from, replay);
    try {
      const { items, revision } = await store.range(prefix);
      // What is in the state already must not come again as news.
      await progress.reached(revision, closing.signal);
      if (session.lost !== undefined) return;
      subscriptions.endAll();
      take(items, start);
      const early = session.early.splice(0);
      for (const raw of early.filter(e => e.revision <= revision)) {
        const event = toEvent(raw, undefined);
        if (event === undefined) continue;
        history.push(event, clock.monotonic());
        changed = Math.max(changed, event.revision);
      }
      budget?.settle();
      live = session;
      apply(early.filter(e => e.revision > revision));
    } finally {
      if (live !== session) session.stop();
    }
  };

  const take = (items: readonly KeyValue[], start: number): void => {
    budget?.remove(history);
    history = createEventHistory(start, bounds);
    budget?.add(history);
    const known = items.map(objectOf);
    objects.clear();
    generation++;
    for (const object of known) {
      objects.set(object);
      changed = Math.max(changed, object.revision);
    }
  };

  const load = async (): Promise<void> => {
    while (live === undefined) {
      closing.signal.throwIfAborted();
      // A watch may be lost, and the past compacted, while this goes on: then once more.
      if (left.whole && (await resume())) continue;
      try {
        await reload();
      } catch (error) {
        if (!(error instanceof CompactedError)) throw error;
      }
    }
  };

  const loaded = (): Promise<void> =>
    live === undefined ? (loading ??= load().finally(() => (loading = undefined))) : DONE;

  const fresh = async (waiter: Waiter): Promise<void> => {
    do {
      await loaded();
      if (store.supports.soleWriter) continue;
      await progress.reached(await store.latest(waiter.signal), waiter.signal);
    } while (live === undefined);
  };

  const revision = (): number => (live === undefined ? left.revision : store.observed());

  const objectOf = (kv: KeyValue): CachedObject => {
    const known = objects.get(parseKey(prefix, kv.key, namespaced));
    return known?.revision === kv.modRevision && isSaidOf(known, kv) ? known : fromKeyValue(kv);
  };

  const refresh = async (): Promise<void> => {
    await loaded();
    const { items, revision } = await store.range(prefix);
    await progress.reached(revision, closing.signal);
    let isWhole = true;
    for (const kv of items) {
      const known = objects.get(parseKey(prefix, kv.key, namespaced));
      if (known?.revision !== kv.modRevision || isSaidOf(known, kv)) continue;
      // Watchers have been told of something else: they have to begin anew.
      if (known.unreadable !== kv.unreadable) isWhole = false;
      else {
        objects.set(fromKeyValue(kv));
        generation++;
      }
    }
    if (!isWhole && live !== undefined) {
      left = { revision: store.observed(), whole: false };
      live.stop();
      live = undefined;
    }
    await loaded();
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
    loaded,
    fresh: waiter => (live !== undefined && store.supports.soleWriter ? DONE : fresh(waiter)),
    revision,
    generation: () => generation,
    get: key => objects.get(key),
    list: namespace => objects.list(namespace),
    count: namespace => objects.count(namespace),
    unreadable: () => (sawUnreadable ? objects.list('').find(object => object.unreadable !== undefined) : undefined),
    async page(namespace, at, after, limit) {
      const newest = revision();
      if (at <= store.compactedRevision() && at < newest) throw new CompactedError(at, store.compactedRevision());
      if (at >= changed && at <= newest) return present(namespace, after, limit);
      const range = listPrefix(prefix, namespaced ? namespace : '');
      const { items, remaining } = await store.range(range, {
        revision: at,
        limit,
        ...(after === '' ? {} : { after: range + after }),
      });
      return { items: items.map(objectOf), remaining };
    },
    since: revision => history.since(revision),
    oldest: () => history.oldest(),
    objectOf,
    subscribe: (what, subscriber) => subscriptions.add(what, subscriber),
    forget: revision => history.forget(revision),
    refresh,
    close() {
      closing.abort(new Error('the cache is closed'));
      live?.stop();
      budget?.remove(history);
      subscriptions.clear();
    },
  };
}
