import type { Clock } from '../../machinery/clock.js';
import { createLine } from '../../machinery/line.js';
import { realRandom, type Random } from '../../machinery/random.js';
import { createTimeouts } from '../../machinery/timeouts.js';
import { createTurns, type Turns } from '../../machinery/turns.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import type { Objects } from '../../api/strategy.js';
import type { AdmissionPlugin } from '../admission/types.js';
import { runCompactor, type CompactorOptions } from '../../storage/compactor.js';
import type { KvStore } from '../../storage/kv-store.js';
import { createHistoryBudget } from '../../storage/history-budget.js';
import type { Subscriber } from '../../storage/subscriptions.js';
import { createProgress } from '../../storage/progress.js';
import { validateHere, type Validator } from '../validation/validator.js';
import { createCaches } from './caches.js';
import { createObjects } from './objects.js';
import { createRegistry } from './registry.js';
import { keepRepaired, repairReservations } from './repair.js';
import { createScopes } from './scopes.js';
import type { Registry } from './types.js';

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
  const progress = createProgress(store);
  const caches = createCaches({ store, clock, budget: createHistoryBudget(), progress, report });
  const shared = {
    store,
    progress,
    clock,
    random,
    turns,
    line,
    timeouts: createTimeouts(clock),
    admission,
    report,
    validate,
  };
  const scopes = createScopes(catalog, caches, shared);
  const registries = new WeakMap<CatalogEntry, Registry>();
  const get = (entry: CatalogEntry): Registry => {
    let registry = registries.get(entry);
    if (registry === undefined) registries.set(entry, (registry = createRegistry(scopes.of(entry))));
    return registry;
  };

  const stored = catalog.entries().filter(entry => entry.info.stored);
  await Promise.all(stored.map(entry => caches.of(entry).loaded()));
  const repair = async (): Promise<void> => {
    for (const entry of stored) await repairReservations(scopes.of(entry));
  };
  await keepRepaired(repair, clock, signal, error => report(error, 'repair of reservations'));
  const onError = (error: unknown): void => report(error, 'compaction of old revisions');
  runCompactor({
    store,
    clock,
    signal,
    ...options.compaction,
    onCompacted: revision => caches.forget(revision),
    onError,
  }).catch(onError);
  signal.addEventListener('abort', () => caches.close(), { once: true });

  return {
    get,
    unadmitted: entry => createRegistry({ ...scopes.of(entry), admission: [] }),
    count: entry => caches.of(entry).count(''),
    load: entry => caches.of(entry).loaded(),
    retire: entry => scopes.retire(entry),
    unload: entry => caches.unload(entry),
    follow: (entry, subscriber) => caches.of(entry).subscribe({ namespace: '', name: '' }, subscriber),
    *sizes(entry) {
      for (const { size } of caches.of(entry).list('')) yield size;
    },
    onChange(entry, changed, until) {
      let end = (): void => undefined;
      const follow = (): void => {
        if (until.aborted) return;
        // A cache that loads anew ends its subscribers; what it has then may be anything.
        end = caches.of(entry).subscribe({ namespace: '', name: '' }, { events: changed, ended: again });
      };
      const again = (): void => {
        follow();
        changed();
      };
      until.addEventListener('abort', () => end(), { once: true });
      follow();
    },
    objects: createObjects({
      catalog,
      registry: get,
      cache: entry => scopes.of(entry).cache,
      view: entry => scopes.of(entry).view,
      range: resource => (resource.startsWith(RANGES) ? caches.ofRange(resource) : undefined),
    }),
    changed(group, version, resource) {
      const entry = catalog.find(group, version, resource);
      return entry?.info.stored === true ? caches.of(entry).changed() : undefined;
    },
    tellProgress: () => scopes.tellProgress(),
    endWatches: () => scopes.endWatches(),
    async compact(revision) {
      await store.compact(revision);
      caches.forget(revision);
    },
    refresh: () => caches.refresh(),
  };
}
