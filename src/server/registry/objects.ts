import { cloneJson } from '../../machinery/json-equal.js';
import { notFoundError } from '../../machinery/status.js';
import { atOnce } from '../../machinery/steps.js';
import type { KubeObject, ObjectKey } from '../../machinery/types.js';
import { derivedContext } from '../../api/derived-context.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import type { Objects, RequestContext } from '../../api/strategy.js';
import type { ConvertedCache } from '../../storage/converted-cache.js';
import type { WatchCache } from '../../storage/watch-cache.js';
import type { Registry } from './types.js';
import { objectOf } from './update.js';
import type { View } from './view.js';

export interface ObjectsOptions {
  readonly catalog: Catalog;
  readonly registry: (entry: CatalogEntry) => Registry;
  readonly cache: (entry: CatalogEntry) => ConvertedCache;
  readonly view: (entry: CatalogEntry) => View;
  /** Of what has no API and is only read here. */
  readonly range: (resource: string) => WatchCache | undefined;
}

const isConflict = (error: unknown): boolean => (error as { reason?: unknown }).reason === 'Conflict';
const CONFLICT_RETRIES = 10;
const EVERYTHING = { namespace: '', name: '' };

/** Other kinds' objects for strategies, admission and the server itself: reads from memory, writes through the registry. */
export function createObjects({ catalog, registry, cache, view, range }: ObjectsOptions): Objects {
  const entryOf = (resource: string): CatalogEntry => {
    const entry = catalog.preferred(resource);
    if (entry === undefined) throw notFoundError({ group: '', resource }, '');
    return entry;
  };

  const update: Objects['update'] = async (ctx, resource, key, change, options = {}) => {
    const entry = entryOf(resource);
    let stored = cache(entry).get(key);
    if (stored === undefined) {
      await cache(entry).fresh(ctx);
      stored = cache(entry).get(key);
    }
    const { group, plural } = entry.info;
    if (stored === undefined) throw notFoundError({ group, resource: plural }, key.name);
    const draft = cloneJson(view(entry).show(stored).object) as KubeObject;
    change(draft);
    const { object } = atOnce(entry.schema.canonicalize(draft));
    const result = await registry(entry).update(dry(ctx, options.dryRun), key, object, options.subresource ?? '');
    return objectOf(result.object) as KubeObject;
  };

  return {
    get(resource, key) {
      const entry = catalog.preferred(resource);
      if (entry === undefined) return range(resource)?.get(key)?.object;
      const stored = cache(entry).get(key);
      return stored === undefined ? undefined : view(entry).show(stored).object;
    },
    *list(resource, namespace = '') {
      const entry = catalog.preferred(resource);
      if (entry === undefined) return;
      for (const stored of cache(entry).list(namespace)) yield view(entry).show(stored).object;
    },
    generation(resource) {
      const entry = catalog.preferred(resource);
      return entry === undefined ? 0 : cache(entry).generation();
    },
    subscribe(resource, onChange, signal) {
      const from = cache(entryOf(resource));
      let stop = (): void => undefined;
      const begin = (): void => {
        if (signal.aborted) return;
        stop = from.subscribe(EVERYTHING, {
          events: events => events.forEach(({ object }) => onChange(object.key)),
          // What was missed may have been of any of them.
          ended: () => {
            begin();
            const before = from.list('');
            // The new state is there once the cache has told everybody.
            queueMicrotask(() => [...before, ...from.list('')].forEach(({ key }) => onChange(key)));
          },
        });
      };
      begin();
      signal.addEventListener('abort', () => stop(), { once: true });
    },
    fresh: (resource, waiter) => cache(entryOf(resource)).fresh(waiter),
    async create(ctx, resource, object) {
      const entry = entryOf(resource);
      const { object: canonical } = atOnce(entry.schema.canonicalize(object));
      const result = await registry(entry).create(ctx, object.metadata.namespace ?? '', canonical);
      return objectOf(result.object) as KubeObject;
    },
    async update(ctx, resource, key: ObjectKey, change, options) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await update(ctx, resource, key, change, options);
        } catch (error) {
          if (!isConflict(error) || attempt >= CONFLICT_RETRIES) throw error;
          await cache(entryOf(resource)).fresh(ctx);
        }
      }
    },
    async delete(ctx, resource, key, options) {
      const result = await registry(entryOf(resource)).delete(ctx, key, options);
      return result.kind === 'status' ? result.status : (objectOf(result.object) as KubeObject);
    },
    info: resource => catalog.preferred(resource)?.info,
  };
}

const dry = (ctx: RequestContext, dryRun = false): RequestContext =>
  dryRun && !ctx.options.dryRun ? derivedContext(ctx, { options: { ...ctx.options, dryRun } }) : ctx;
