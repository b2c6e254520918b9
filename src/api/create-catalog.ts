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
}

/** @throws Error when a strategy belongs to no resource: a misspelt key must not go unnoticed */
export function createCatalog(strategies: Strategies, api: Api = loadApi()): MutableCatalog {
  const builtIn = api.resources.map(info => builtInEntry(info, strategyOf(strategies, info), api));
  const bodies = createBodySchemas(api);
  const known = new Set(api.resources.flatMap(info => [resourceId(info), `${resourceId(info)}/${info.version}`]));
  for (const key of Object.keys(strategies))
    if (!known.has(key)) throw new Error(`a strategy is registered for ${key}, which is no built-in resource`);
  const installed = index(builtIn, api.groupVersions);
  let generation = 1;
  let custom = index([], []);
  let entries = builtIn;
  let groupVersions = installed.groupVersions;
  return {
    api,
    get generation() {
      return generation;
    },
    entries: () => entries,
    find: (group, version, plural) => found('byPath', `${group}/${version}/${plural}`),
    findKind: (group, version, kind) => found('byKind', `${group}/${version}/${kind}`),
    body: bodies,
    preferred: resource => found('preferred', resource),
    served(group, version) {
      const at = apiVersionOf({ group, version });
      return [...(installed.served.get(at) ?? []), ...(custom.served.get(at) ?? [])];
    },
    groupVersions: () => groupVersions,
    setCustom(given) {
      custom = index(
        given.filter(({ info }) => !known.has(`${resourceId(info)}/${info.version}`)),
        [],
      );
      entries = [...builtIn, ...custom.entries];
      const own = custom.groupVersions.filter(gv => !installed.served.has(apiVersionOf(gv)));
      groupVersions = [...installed.groupVersions, ...own.sort(byGroupVersion)];
      generation++;
    },
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
function index(entries: readonly CatalogEntry[], known: readonly GroupVersion[]) {
  const byPath = new Map<string, CatalogEntry>();
  const byKind = new Map<string, CatalogEntry>();
  const preferred = new Map<string, CatalogEntry>();
  const served = new Map<string, CatalogEntry[]>();
  const groupVersions = new Map(known.map(gv => [apiVersionOf(gv), gv]));
  for (const entry of entries) {
    const { group, version, plural, kind } = entry.info;
    const apiVersion = apiVersionOf(entry.info);
    byPath.set(`${group}/${version}/${plural}`, entry);
    byKind.set(`${group}/${version}/${kind}`, entry);
    if (!preferred.has(resourceId(entry.info))) preferred.set(resourceId(entry.info), entry);
    if (!groupVersions.has(apiVersion)) groupVersions.set(apiVersion, { group, version });
    const beside = served.get(apiVersion);
    if (beside === undefined) served.set(apiVersion, [entry]);
    else beside.push(entry);
  }
  return { entries, byPath, byKind, preferred, served, groupVersions: [...groupVersions.values()] };
}
