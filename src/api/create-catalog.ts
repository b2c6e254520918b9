import type { Catalog, CatalogEntry } from './catalog.js';
import { columnsOf } from './columns.js';
import { createBodySchemas } from './go-struct/body-schemas.js';
import { goStruct } from './go-struct/go-struct.js';
import { loadApi, type Api, type BuiltIn } from './load.js';
import { resourceId, type ResourceInfo } from './resource-info.js';
import type { Strategy } from './strategy.js';

/** Strategies by resourceId ("deployments.apps"), or by resourceId and version ("horizontalpodautoscalers.autoscaling/v1"). */
export type Strategies = Readonly<Record<string, Strategy>>;

export interface MutableCatalog extends Catalog {
  readonly api: Api;
  /** Replaces all custom resources; built-in ones win over those of the same path. */
  setCustom(entries: readonly CatalogEntry[]): void;
}

/** @throws Error when a strategy belongs to no resource: a misspelt key must not go unnoticed */
export function createCatalog(strategies: Strategies, api: Api = loadApi()): MutableCatalog {
  const builtIn = api.resources.map(info => builtInEntry(info, strategyOf(strategies, info), api));
  const bodies = createBodySchemas(api);
  const known = new Set(api.resources.flatMap(info => [resourceId(info), `${resourceId(info)}/${info.version}`]));
  for (const key of Object.keys(strategies))
    if (!known.has(key)) throw new Error(`a strategy is registered for ${key}, which is no built-in resource`);
  let generation = 1;
  let view = index(builtIn, api.groupVersions);
  return {
    api,
    get generation() {
      return generation;
    },
    entries: () => view.entries,
    find: (group, version, plural) => view.byPath.get(`${group}/${version}/${plural}`),
    findKind: (group, version, kind) => view.byKind.get(`${group}/${version}/${kind}`),
    body: bodies,
    preferred: resource => view.preferred.get(resource),
    groupVersions: () => view.groupVersions,
    setCustom(custom) {
      const fresh = custom.filter(({ info }) => !known.has(`${resourceId(info)}/${info.version}`));
      view = index([...builtIn, ...fresh], api.groupVersions);
      generation++;
    },
  };
}

function builtInEntry(info: BuiltIn, strategy: Strategy, api: Api): CatalogEntry {
  const columns = columnsOf(info.columns, strategy.cells?.bind(strategy));
  return { info, schema: goStruct(info, { api, columns, plainFields: info.plainFields ?? [] }), strategy };
}

const strategyOf = (strategies: Strategies, info: ResourceInfo): Strategy =>
  strategies[`${resourceId(info)}/${info.version}`] ?? strategies[resourceId(info)] ?? {};

function index(entries: readonly CatalogEntry[], known: readonly { group: string; version: string }[]) {
  const byPath = new Map<string, CatalogEntry>();
  const byKind = new Map<string, CatalogEntry>();
  const preferred = new Map<string, CatalogEntry>();
  const groupVersions = new Map(known.map(gv => [`${gv.group}/${gv.version}`, gv]));
  for (const entry of entries) {
    const { group, version, plural, kind } = entry.info;
    byPath.set(`${group}/${version}/${plural}`, entry);
    byKind.set(`${group}/${version}/${kind}`, entry);
    // Entries come in discovery order: the first version of a group is the preferred one.
    if (!preferred.has(resourceId(entry.info))) preferred.set(resourceId(entry.info), entry);
    if (!groupVersions.has(`${group}/${version}`)) groupVersions.set(`${group}/${version}`, { group, version });
  }
  return { entries, byPath, byKind, preferred, groupVersions: [...groupVersions.values()] };
}
