import { setMaxListeners } from 'node:events';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import { defaultObject } from '../../api/default-object.js';
import { apiVersionOf } from '../../api/resource-info.js';
import type { Strategy } from '../../api/strategy.js';
import { createConvertedCache } from '../../storage/converted-cache.js';
import { resourcePrefix } from '../../storage/keys.js';
import type { WatchCache } from '../../storage/watch-cache.js';
import type { Caches } from './caches.js';
import { createConverter } from './convert.js';
import { convertedVersions } from './converted-versions.js';
import { createFieldManagers } from './field-managers.js';
import type { Scope, Shelf, StoredVersions } from './scope.js';
import { createView, type View } from './view.js';

/** What operations on each resource in each version share, made when first asked for. */
export interface Scopes {
  of(entry: CatalogEntry): Scope;
  /** The entry is served no longer, or another one in its place: ends its watches. */
  retire(entry: CatalogEntry): void;
  /** Has watches tell how far they are by a bookmark, if their clients do not know. */
  tellProgress(): void;
  endWatches(): void;
}

/** The same for all resources. */
type Shared = Pick<
  Scope,
  'store' | 'progress' | 'clock' | 'random' | 'turns' | 'line' | 'timeouts' | 'admission' | 'report' | 'validate'
>;

export function createScopes(catalog: Catalog, caches: Caches, shared: Shared): Scopes {
  const { clock, turns, report } = shared;
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
  const retiring = new WeakMap<CatalogEntry, AbortController>();
  const retirementOf = (entry: CatalogEntry): AbortController => {
    let retirement = retiring.get(entry);
    if (retirement === undefined) {
      retiring.set(entry, (retirement = new AbortController()));
      // Every conversion that is under way listens to it: hundreds are no leak.
      setMaxListeners(0, retirement.signal);
    }
    return retirement;
  };

  const shelfOf = (resource: string): Shelf => {
    const entry = catalog.preferred(resource);
    return entry === undefined
      ? { cache: caches.ofRange(resource), scope: undefined }
      : { cache: caches.of(entry), scope: scopeOf(entry) };
  };

  /** Where a resource's objects come from, in its version, and how they go back. */
  const readingOf = (entry: CatalogEntry, view: View) => {
    const raw = caches.of(entry);
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
        ...shared,
        cache,
        versions,
        shelf: shelfOf,
        view,
        watches: watchesOf(info),
        retired: retirementOf(entry).signal,
        body: catalog.body,
        fieldManagers,
        computedFields,
        normalize,
      };
      scopes.set(entry, scope);
    }
    return scope;
  };

  return {
    of: scopeOf,
    retire(entry) {
      retirementOf(entry).abort();
      const scope = scopes.get(entry);
      // Others go by other versions of it.
      for (const watch of [...watchesOf(entry.info)]) if (watch.scope === scope) watch.retire();
    },
    tellProgress() {
      for (const [prefix, open] of watches) {
        const changed = caches.changed(prefix);
        for (const watch of [...open]) watch.tell(changed);
      }
    },
    endWatches() {
      for (const open of watches.values()) for (const watch of [...open]) watch.end();
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
