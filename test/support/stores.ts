import {
  CompactedError,
  type CommitResult,
  type KeyValue,
  type KvStore,
  type WatchEvent,
} from '../../src/storage/kv-store.js';
import { createProgress } from '../../src/storage/progress.js';
import { createWatchHub, type WatchHub } from '../../src/storage/watch-hub.js';

/** How a relay passes on what it is told; `told` is to be called with each batch once its watchers know. */
type Deliver = (hub: WatchHub, batch: readonly WatchEvent[], told: (batch: readonly WatchEvent[]) => void) => void;

/** A store as seen by one of several processes: reads and commits go straight through, events come by `deliver`. */
async function relay(inner: KvStore, deliver: Deliver): Promise<KvStore> {
  const hub = createWatchHub();
  let observed = inner.observed();
  let closed = false;
  const told = (batch: readonly WatchEvent[]): void => void (observed = batch.at(-1)?.revision ?? observed);
  await inner.watch('', observed, {
    events: batch => deliver(hub, batch, told),
    lost: ({ fault }) => {
      throw new Error('the store below has lost its watch', { cause: fault });
    },
  });
  return {
    ...inner,
    supports: { ...inner.supports, soleWriter: false },
    observed: () => observed,
    latest: signal => inner.latest(signal),
    async watch(prefix, from, handlers, replay) {
      if (from < inner.compactedRevision()) throw new CompactedError(from, inner.compactedRevision());
      if (closed || from >= observed) {
        // Refuses what is closed.
        (await inner.watch(prefix, inner.observed(), { events: () => undefined, lost: () => undefined }))();
        return hub.subscribe(prefix, from, handlers);
      }
      return hub.subscribeAfter(prefix, from, handlers, async () => {
        const upTo = observed;
        const events: WatchEvent[] = [];
        const collect = { events: (batch: readonly WatchEvent[]) => void events.push(...batch), lost: () => undefined };
        const stop = await inner.watch(prefix, from, collect, replay);
        stop();
        return { events: events.filter(event => event.revision <= upTo), upTo };
      });
    },
    async close() {
      closed = true;
      hub.clear();
      await inner.close();
    },
  };
}

const LATE_MS = 50;

/** Events come 50 ms after the commit that made them. */
export const lateStore = (inner: KvStore): Promise<KvStore> =>
  relay(inner, (hub, batch, told) => {
    setTimeout(() => {
      told(batch);
      hub.publish(batch);
    }, LATE_MS);
  });

/** Every `every`th batch of events is not delivered: all watches are lost instead. */
export function losingStore(inner: KvStore, every: number): Promise<KvStore> {
  let count = 0;
  let before = inner.observed();
  return relay(inner, (hub, batch, told) => {
    told(batch);
    if (++count % every === 0) hub.lose(before);
    else hub.publish(batch);
    before = batch.at(-1)?.revision ?? before;
  });
}

export interface Counted {
  readonly store: KvStore;
  /** How many commits were asked for since the last call, those that were refused among them. */
  commits(): number;
}

export function countCommits(inner: KvStore): Counted {
  let count = 0;
  return {
    store: {
      ...inner,
      commit(preconditions, ops) {
        count++;
        return inner.commit(preconditions, ops);
      },
    },
    commits() {
      const counted = count;
      count = 0;
      return counted;
    },
  };
}

/** The same store, its revisions counted from what they are now: a store need not start at 0. */
export function fromZero(inner: KvStore): KvStore {
  const base = inner.observed();
  const kv = (from: KeyValue): KeyValue => ({
    ...from,
    modRevision: from.modRevision - base,
    createRevision: from.createRevision - base,
  });
  const event = (from: WatchEvent): WatchEvent => ({
    ...from,
    revision: from.revision - base,
    ...(from.kv === undefined ? {} : { kv: kv(from.kv) }),
    ...(from.previous === undefined ? {} : { previous: kv(from.previous) }),
  });
  const at = (options: { revision?: number } = {}): { revision?: number } =>
    options.revision === undefined ? options : { ...options, revision: options.revision + base };
  /** 0 is no revision but "does not exist". */
  const mod = (revision: number): number => (revision === 0 ? 0 : revision + base);
  const zeroed: KvStore = {
    ...inner,
    observed: () => inner.observed() - base,
    latest: async signal => (await inner.latest(signal)) - base,
    compactedRevision: () => inner.compactedRevision() - base,
    async get(key, options) {
      const found = await inner.get(key, at(options));
      return found && kv(found);
    },
    async range(prefix, options) {
      const { revision, items, ...rest } = await inner.range(prefix, at(options));
      return { ...rest, revision: revision - base, items: items.map(kv) };
    },
    async *scan(signal) {
      for await (const { revision, items } of inner.scan?.(signal) ?? [])
        yield { revision: revision - base, items: items.map(kv) };
    },
    async commit(preconditions, ops): Promise<CommitResult> {
      const given = preconditions.map(p => ({ ...p, modRevision: mod(p.modRevision) }));
      const result = await inner.commit(given, ops);
      const revision = result.revision - base;
      if (result.ok) return { ...result, revision };
      const failed = preconditions[given.indexOf(result.failed)] ?? result.failed;
      return { ok: false, revision, failed, ...(result.current === undefined ? {} : { current: kv(result.current) }) };
    },
    watch: (prefix, from, { events, progress, lost }, replay) =>
      inner.watch(
        prefix,
        from + base,
        {
          events: batch => events(batch.map(event)),
          progress: revision => progress?.(revision - base),
          lost: ({ after, ...rest }) => lost({ ...rest, after: after - base }),
        },
        replay && { ...replay, onCut: revision => replay.onCut(revision - base) },
      ),
    compact: revision => inner.compact(revision + base),
  };
  if (inner.scan === undefined) delete zeroed.scan;
  return zeroed;
}

/** Watches that are opened again where they were lost. */
export interface Following {
  watch(prefix: string, from: number, onEvents: (events: readonly WatchEvent[]) => void): Promise<() => void>;
  /** Resolves when every one of them has been given all that is in the store. */
  told(): Promise<void>;
}

export function following(store: KvStore): Following {
  const progress = createProgress(store);
  const opening = new Set<Promise<void>>();
  return {
    async watch(prefix, from, onEvents) {
      let stop = (): void => undefined;
      let stopped = false;
      const open = async (after: number): Promise<void> => {
        stop = await store.watch(prefix, after, {
          events: onEvents,
          lost(lost) {
            if (lost.fault !== undefined) throw new Error('a watcher of this test failed', { cause: lost.fault });
            if (stopped) return;
            const again = open(lost.after).finally(() => opening.delete(again));
            opening.add(again);
          },
        });
        if (stopped) stop();
      };
      await open(from);
      return () => {
        stopped = true;
        stop();
      };
    },
    async told() {
      const { signal } = new AbortController();
      do {
        await Promise.all(opening);
        await progress.reached(await store.latest(signal), signal);
      } while (opening.size > 0);
    },
  };
}
