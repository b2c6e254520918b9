import { compareText } from '../machinery/compare-text.js';
import { byKubeVersion } from '../machinery/kube-versions.js';
import type { Catalog, CatalogEntry } from './catalog.js';
import { columnsOf } from './columns.js';
import { createBodySchemas } from './go-struct/body-schemas.js';
import { goStruct } from './go-struct/go-struct.js';
import { loadApi, type Api, type BuiltIn } from './load.js';
import { apiVersionOf, resourceId, type ResourceInfo } from './resource-info.js';
import type { Strategy } from './strategy.js';

/** Strategies by resourceId ("deployments.apps"), or by resourceId and version ("horizontalpodautoscalers.autoscaling/v1"). */
export type Strategies = Readonly<Record<string, Strategy>>;

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

export interface MutableCatalog extends Catalog {
  readonly api: Api;
  /** Replaces all custom resources; built-in ones win over those of the same path. */
  setCustom(entries: readonly CatalogEntry[]): void;
  /** Replaces the custom resources of one owner; none: it has none any more. */
  putCustom(owner: string, entries: readonly CatalogEntry[]): void;
}

/** @throws Error when a strategy belongs to no resource: a misspelt key must not go unnoticed */
export function createCatalog(strategies: Strategies, api: Api = loadApi()): MutableCatalog {
  const builtIn = api.resources.map(info => builtInEntry(info, strategyOf(strategies, info), api));
  const bodies = createBodySchemas(api);
  const known = new Set(api.resources.flatMap(info => [resourceId(info), `${resourceId(info)}/${info.version}`]));
  for (const key of Object.keys(strategies))
    if (!known.has(key)) throw new Error(`a strategy is registered for ${key}, which is no built-in resource`);
  const installed = createIndex(api.groupVersions);
  for (const entry of builtIn) installed.add(entry);
  const custom = createIndex([]);
  const owned = new Map<string, readonly CatalogEntry[]>();
  let generation = 1;
  let entries: readonly CatalogEntry[] | undefined;
  let groupVersions: readonly GroupVersion[] | undefined;

  const moved = (): void => {
    generation++;
    entries = undefined;
    groupVersions = undefined;
  };
  const drop = (owner: string): void => {
    for (const entry of owned.get(owner) ?? []) custom.remove(entry);
    owned.delete(owner);
  };
  const put = (owner: string, given: readonly CatalogEntry[]): void => {
    drop(owner);
    const kept = given.filter(({ info }) => !known.has(`${resourceId(info)}/${info.version}`));
    for (const entry of kept) custom.add(entry);
    if (kept.length > 0) owned.set(owner, kept);
    moved();
  };
  return {
    api,
    get generation() {
      return generation;
    },
    entries: () => (entries ??= [...builtIn, ...[...owned.values()].flat()]),
    find: (group, version, plural) => found('byPath', `${group}/${version}/${plural}`),
    findKind: (group, version, kind) => found('byKind', `${group}/${version}/${kind}`),
    body: bodies,
    preferred: resource => found('preferred', resource),
    served(group, version) {
      const at = apiVersionOf({ group, version });
      const theirs = custom.served.get(at);
      const ours = installed.served.get(at);
      return ours !== undefined && theirs !== undefined ? [...ours, ...theirs] : (ours ?? theirs ?? []);
    },
    groupVersions: () =>
      (groupVersions ??= [
        ...installed.groupVersions.values(),
        ...[...custom.groupVersions.values()]
          .filter(gv => !installed.served.has(apiVersionOf(gv)))
          .sort(byGroupVersion),
      ]),
    setCustom(given) {
      for (const owner of owned.keys()) drop(owner);
      put('', given);
    },
    putCustom: put,
  };

  function found(by: 'byPath' | 'byKind' | 'preferred', key: string): CatalogEntry | undefined {
    return installed[by].get(key) ?? custom[by].get(key);
  }
}

/** As the aggregator lists those that have one priority. */
const byGroupVersion = (a: GroupVersion, b: GroupVersion): number =>
  compareText(a.group, b.group) || byKubeVersion(a.version, b.version);

function builtInEntry(info: BuiltIn, strategy: Strategy, api: Api): CatalogEntry {
  const columns = columnsOf(info.columns, strategy.cells?.bind(strategy));
  return { info, schema: goStruct(info, { api, columns, plainFields: info.plainFields ?? [] }), strategy };
}

const strategyOf = (strategies: Strategies, info: ResourceInfo): Strategy =>
  strategies[`${resourceId(info)}/${info.version}`] ?? strategies[resourceId(info)] ?? {};

/** Of a resource, the first version is the preferred one. */
function createIndex(known: readonly GroupVersion[]) {
  const byPath = new Map<string, CatalogEntry>();
  const byKind = new Map<string, CatalogEntry>();
  const preferred = new Map<string, CatalogEntry>();
  const served = new Map<string, readonly CatalogEntry[]>();
  const groupVersions = new Map(known.map(gv => [apiVersionOf(gv), gv]));
  const keysOf = ({ info }: CatalogEntry) =>
    [
      [byPath, `${info.group}/${info.version}/${info.plural}`],
      [byKind, `${info.group}/${info.version}/${info.kind}`],
      [preferred, resourceId(info)],
    ] as const;
  return {
    ...{ byPath, byKind, preferred, served, groupVersions },
    add(entry: CatalogEntry): void {
      const { group, version } = entry.info;
      const apiVersion = apiVersionOf(entry.info);
      for (const [map, key] of keysOf(entry)) if (map !== preferred || !map.has(key)) map.set(key, entry);
      if (!groupVersions.has(apiVersion)) groupVersions.set(apiVersion, { group, version });
      served.set(apiVersion, [...(served.get(apiVersion) ?? []), entry]);
    },
    remove(entry: CatalogEntry): void {
      const apiVersion = apiVersionOf(entry.info);
      for (const [map, key] of keysOf(entry)) if (map.get(key) === entry) map.delete(key);
      const rest = (served.get(apiVersion) ?? []).filter(other => other !== entry);
      if (rest.length > 0) served.set(apiVersion, rest);
      else {
        served.delete(apiVersion);
        groupVersions.delete(apiVersion);
      }
    },
  };
}
