import { setMaxListeners } from 'node:events';
import type { Clock } from '../../machinery/clock.js';
import { createLine } from '../../machinery/line.js';
import { realRandom, type Random } from '../../machinery/random.js';
import { createTurns, type Turns } from '../../machinery/turns.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { defaultObject } from '../../api/default-object.js';
import type { Objects, Strategy } from '../../api/strategy.js';
import type { AdmissionPlugin } from '../admission/types.js';
import { runCompactor, type CompactorOptions } from '../../storage/compactor.js';
import type { KvStore } from '../../storage/kv-store.js';
import { createConvertedCache } from '../../storage/converted-cache.js';
import { createHistoryBudget } from '../../storage/history-budget.js';
import { resourcePrefix, type StorageLocation } from '../../storage/keys.js';
import type { Subscriber } from '../../storage/subscriptions.js';
import { createProgress } from '../../storage/progress.js';
import { createWatchCache, type WatchCache } from '../../storage/watch-cache.js';
import { validateHere, type Validator } from '../validation/validator.js';
import { createConverter } from './convert.js';
import { convertedVersions } from './converted-versions.js';
import { createFieldManagers } from './field-managers.js';
import { createObjects } from './objects.js';
import { createRegistry } from './registry.js';
import { repairReservations } from './repair.js';
import type { Scope, Shelf, StoredVersions } from './scope.js';
import type { Registry } from './types.js';
import { createView, type View } from './view.js';

const REPAIR_EVERY_MS = 3 * 60_000;
/** Reservations without an API. */
const RANGES = 'ranges/';

export interface RegistriesOptions {
  readonly store: KvStore;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Default: real chance. */
  readonly random?: Random;
  /** Default: its own. */
  readonly turns?: Turns;
  /** In order; see server/admission. */
  readonly admission: readonly AdmissionPlugin[];
  /** Default: at once, however big the object is. */
  readonly validate?: Validator;
  /** Ends background work. The store is the caller's to close. */
  readonly signal: AbortSignal;
  readonly compaction?: Pick<CompactorOptions, 'keepMs' | 'keepRevisions' | 'intervalMs'>;
  /** Background work failed; it goes on. */
  onError?(error: unknown, what: string): void;
}

export interface Registries {
  get(entry: CatalogEntry): Registry;
  /** As `get`, for the server itself: nobody is asked to admit what it does. */
  unadmitted(entry: CatalogEntry): Registry;
  /** How many objects of a stored kind there are. */
  count(entry: CatalogEntry): number;
  /** Resolves when the objects of a kind that has come at run time are in memory. */
  load(entry: CatalogEntry): Promise<void>;
  /** The entry is served no longer, or another one in its place: ends its watches. */
  retire(entry: CatalogEntry): void;
  /** The kind itself is gone: nothing of it is kept in memory. */
  unload(entry: CatalogEntry): void;
  /** Tells of every change of a kind, until the returned function is called or `ended` is. */
  follow(entry: CatalogEntry, subscriber: Subscriber): () => void;
  /** The size of each one's value, in bytes. */
  sizes(entry: CatalogEntry): Iterable<number>;
  /** Calls back whenever objects of a kind have changed, until the signal. */
  onChange(entry: CatalogEntry, changed: () => void, signal: AbortSignal): void;
  /** Reads and writes across kinds, for strategies, admission and the server itself. */
  readonly objects: Objects;
  /** The revision of the newest change of one of these objects; undefined: there are none here. */
  changed(group: string, version: string, resource: string): number | undefined;
  /** Has watches tell how far they are by a bookmark, if their clients do not know, as etcd's progress requests do. */
  tellProgress(): void;
  /** Ends every watch: whoever watches comes back. */
  endWatches(): void;
  /** Drops history up to and including `revision`: older watches and lists get 410. */
  compact(revision: number): Promise<void>;
  /** The store reads its values in another way: looks at all of them again. */
  refresh(): Promise<void>;
}

/**
 * One registry per catalog entry over one store. Resolves when the objects of every stored kind are in memory; kinds
 * that come later (custom resources) are loaded when first asked for.
 */
export async function createRegistries(options: RegistriesOptions): Promise<Registries> {
  const { store, catalog, clock, admission, signal, turns = createTurns(clock), validate = validateHere } = options;
  const { random = realRandom } = options;
  const report = (error: unknown, what: string): void => options.onError?.(error, what);
  const line = createLine(turns);
  /** Versions of a kind share what is stored. */
  const caches = new Map<string, WatchCache>();
  const budget = createHistoryBudget();
  const progress = createProgress(store);
  /** Those of each prefix. */
  const watches = new Map<string, Scope['watches']>();
  const watchesOf = ({ storage }: CatalogEntry['info']): Scope['watches'] => {
    const prefix = resourcePrefix(storage);
    let found = watches.get(prefix);
    if (found === undefined) watches.set(prefix, (found = new Set()));
    return found;
  };
  // By info: a custom resource that changes comes back as a new entry.
  const scopes = new WeakMap<CatalogEntry, Scope>();
  const registries = new WeakMap<CatalogEntry, Registry>();
  const retiring = new WeakMap<CatalogEntry, AbortController>();
  const retirementOf = (entry: CatalogEntry): AbortController => {
    let retirement = retiring.get(entry);
    if (retirement === undefined) {
      retiring.set(entry, (retirement = new AbortController()));
      // Every watch listens to it: thousands are no leak.
      setMaxListeners(0, retirement.signal);
    }
    return retirement;
  };

  const cacheAt = (location: StorageLocation, namespaced: boolean): WatchCache => {
    const prefix = resourcePrefix(location);
    let cache = caches.get(prefix);
    if (cache === undefined) {
      const onError = (error: unknown): void => report(error, `following ${prefix}`);
      cache = createWatchCache({ store, location, namespaced, clock, budget, progress, onError });
      caches.set(prefix, cache);
    }
    return cache;
  };
  const cacheOf = ({ info }: CatalogEntry): WatchCache => cacheAt(info.storage, info.namespaced);
  const rangeOf = (resource: string): WatchCache => cacheAt({ group: '', version: 'v1', resource }, false);
  const shelfOf = (resource: string): Shelf => {
    const entry = catalog.preferred(resource);
    return entry === undefined
      ? { cache: rangeOf(resource), scope: undefined }
      : { cache: cacheOf(entry), scope: scopeOf(entry) };
  };

  /** Where a resource's objects come from, in its version, and how they go back. */
  const readingOf = (entry: CatalogEntry, view: View) => {
    const raw = cacheOf(entry);
    const { conversion } = entry;
    const converter = conversion?.converter;
    if (conversion === undefined || converter === undefined)
      return { cache: raw, versions: plainVersions(raw, view), convert: createConverter(catalog, entry) };
    const { info } = entry;
    const { signal: retired } = retirementOf(entry);
    const converted = convertedVersions(
      { ...conversion, converter },
      apiVersionOf(info),
      apiVersionOf(info.storage),
      retired,
      turns,
    );
    const onError = (error: unknown): void => report(error, `converting ${resourcePrefix(info.storage)}`);
    const cache = createConvertedCache({ cache: raw, convert: converted.convert, clock, onError });
    retired.addEventListener('abort', () => cache.close(), { once: true });
    return { cache, versions: converted.versions(raw, cache), convert: converted.inOthers };
  };

  const scopeOf = (entry: CatalogEntry): Scope => {
    let scope = scopes.get(entry);
    if (scope === undefined) {
      const { info, schema, strategy } = entry;
      const view: View = createView(entry);
      const { cache, versions, convert } = readingOf(entry, view);
      const fieldManagers = createFieldManagers(entry, convert);
      const normalize = normalizerOf(entry);
      const computedFields = memoizedFields(strategy);
      scope = {
        info,
        schema,
        strategy,
        store,
        cache,
        versions,
        progress,
        shelf: shelfOf,
        view,
        clock,
        random,
        turns,
        line,
        admission,
        watches: watchesOf(info),
        report,
        retired: retirementOf(entry).signal,
        body: catalog.body,
        validate,
        fieldManagers,
        computedFields,
        normalize,
      };
      scopes.set(entry, scope);
    }
    return scope;
  };

  const get = (entry: CatalogEntry): Registry => {
    let registry = registries.get(entry);
    if (registry === undefined) registries.set(entry, (registry = createRegistry(scopeOf(entry))));
    return registry;
  };

  const forget = (revision: number): void => {
    for (const cache of caches.values()) cache.forget(revision);
  };

  const stored = catalog.entries().filter(entry => entry.info.stored);
  await Promise.all(stored.map(entry => cacheOf(entry).loaded()));
  const repair = async (): Promise<void> => {
    for (const entry of stored) await repairReservations(scopeOf(entry));
  };
  await keepRepaired(repair, clock, signal, error => report(error, 'repair of reservations'));
  const onError = (error: unknown): void => report(error, 'compaction of old revisions');
  runCompactor({ store, clock, signal, ...options.compaction, onCompacted: forget, onError }).catch(onError);
  signal.addEventListener('abort', () => caches.forEach(cache => cache.close()), { once: true });

  return {
    get,
    unadmitted: entry => createRegistry({ ...scopeOf(entry), admission: [] }),
    count: entry => cacheOf(entry).count(''),
    load: entry => cacheOf(entry).loaded(),
    retire: entry => retirementOf(entry).abort(),
    unload({ info }) {
      const prefix = resourcePrefix(info.storage);
      caches.get(prefix)?.close();
      caches.delete(prefix);
    },
    follow: (entry, subscriber) => cacheOf(entry).subscribe({ namespace: '', name: '' }, subscriber),
    *sizes(entry) {
      for (const { size } of cacheOf(entry).list('')) yield size;
    },
    onChange(entry, changed, until) {
      const follow = (): void => {
        if (until.aborted) return;
        // A cache that loads anew ends its subscribers; what it has then may be anything.
        const end = cacheOf(entry).subscribe({ namespace: '', name: '' }, { events: changed, ended: again });
        until.addEventListener('abort', end, { once: true });
      };
      const again = (): void => {
        follow();
        changed();
      };
      follow();
    },
    objects: createObjects({
      catalog,
      registry: get,
      cache: entry => scopeOf(entry).cache,
      view: entry => scopeOf(entry).view,
      range: resource => (resource.startsWith(RANGES) ? rangeOf(resource) : undefined),
    }),
    changed(group, version, resource) {
      const entry = catalog.find(group, version, resource);
      return entry?.info.stored === true ? cacheOf(entry).changed() : undefined;
    },
    tellProgress() {
      for (const [prefix, open] of watches) {
        const changed = caches.get(prefix)?.changed() ?? 0;
        for (const watch of [...open]) watch.tell(changed);
      }
    },
    endWatches() {
      for (const open of watches.values()) for (const watch of [...open]) watch.end();
    },
    async compact(revision) {
      await store.compact(revision);
      forget(revision);
    },
    async refresh() {
      for (const cache of [...caches.values()]) await cache.refresh();
    },
  };
}

const plainVersions = (cache: WatchCache, view: View): StoredVersions => ({
  newest: cache,
  checkStorable: () => undefined,
  fromStore: kv => cache.objectOf(kv),
  committed: object => object,
  toStorage: object => view.toStorage(object),
  withOthers: (_waiter, make) => make(),
});

/**
 * Repairs reservations now and, as upstream, every few minutes. Resolves after the first time, whatever came of it: a
 * server that cannot write is still good to read from.
 */
async function keepRepaired(
  repair: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  await repair().catch(onError);
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(REPAIR_EVERY_MS, signal);
      await repair().catch(onError);
    }
  };
  loop().catch((error: unknown) => {
    if (!signal.aborted) onError(error);
  });
}

/**
 * What is read from the store has been defaulted again, upstream: a Job gets the labels that its template was given
 * after the first time.
 */
function normalizerOf(entry: CatalogEntry): Scope['normalize'] {
  return function* (object) {
    yield* defaultObject(entry, object);
    entry.schema.normalize(object);
  };
}

function memoizedFields(strategy: Strategy): Scope['computedFields'] {
  const fields = strategy.fields?.bind(strategy);
  if (fields === undefined) return undefined;
  const known = new WeakMap<object, Readonly<Record<string, string>>>();
  return object => {
    let values = known.get(object);
    if (values === undefined) known.set(object, (values = fields(object)));
    return values;
  };
}
