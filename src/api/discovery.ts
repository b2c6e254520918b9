import { compareText } from '../machinery/compare-text.js';
import type { Catalog, CatalogEntry } from './catalog.js';
import { apiVersionOf, type ResourceInfo, type SubresourceInfo } from './resource-info.js';

/**
 * Discovery documents, pure functions of the catalog. Lists are in the real server's order: groups by priority,
 * versions with the preferred one first, resources by name.
 */

export interface APIResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => compareText(a.name, b.name);

const byPlural = (a: CatalogEntry, b: CatalogEntry): number => compareText(a.info.plural, b.info.plural);

const servedIn = (catalog: Catalog, group: string, version: string): CatalogEntry[] =>
  [...catalog.served(group, version)].sort(byPlural);

/** Of kinds that upstream is built with by name, of others as the definition's handler names them. */
const subresourcesOf = ({ dynamic, subresources }: ResourceInfo): readonly SubresourceInfo[] =>
  dynamic === true ? subresources : [...subresources].sort(byName);

const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** Group and version are told only where they differ from the parent's. */
const foreign = (info: ResourceInfo, sub: SubresourceInfo): { group: string; version: string } | undefined =>
  sub.group === info.group && sub.version === info.version ? undefined : { group: sub.group, version: sub.version };

function apiResources({ info }: CatalogEntry): APIResource[] {
  const shortNames = some(info.shortNames);
  const categories = some(info.categories);
  const main: APIResource = {
    name: info.plural,
    singularName: info.singular,
    namespaced: info.namespaced,
    kind: info.kind,
    verbs: info.advertisedVerbs ?? info.verbs,
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
    ...(info.storageVersionHash === undefined ? {} : { storageVersionHash: info.storageVersionHash }),
  };
  const subresources = subresourcesOf(info).map(sub => ({
    name: `${info.plural}/${sub.name}`,
    singularName: '',
    namespaced: info.namespaced,
    ...foreign(info, sub),
    kind: sub.kind,
    verbs: sub.verbs,
  }));
  return [main, ...subresources];
}

/** /api/v1, /apis/{group}/{version}. The core list has no apiVersion. */
export function apiResourceList(catalog: Catalog, group: string, version: string): object {
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: servedIn(catalog, group, version).flatMap(apiResources),
  };
}

/** /api */
export function apiVersions(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** Names of the groups under /apis, in discovery order. */
const groupNames = (catalog: Catalog): string[] => [
  ...new Set(catalog.groupVersions().flatMap(({ group }) => (group === '' ? [] : [group]))),
];

const versionsOf = (catalog: Catalog, group: string): string[] =>
  catalog.groupVersions().flatMap(gv => (gv.group === group ? [gv.version] : []));

function groupEntry(catalog: Catalog, group: string): object {
  const versions = versionsOf(catalog, group).map(version => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** /apis */
export const apiGroupList = (catalog: Catalog): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupNames(catalog).map(group => groupEntry(catalog, group)),
});

/** /apis/{group}; undefined for a group that is not served. */
export function apiGroup(catalog: Catalog, group: string): object | undefined {
  if (versionsOf(catalog, group).length === 0) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(catalog, group) };
}

/** v2beta1 has the same shape; servers stopped serving it with Kubernetes 1.35. */
export type AggregatedVersion = 'v2' | 'v2beta1';

const aggregated = (version: AggregatedVersion, items: readonly object[]): object => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items,
});

/** /api, aggregated: one item without a name. */
export const aggregatedCore = (catalog: Catalog, version: AggregatedVersion): object =>
  aggregated(version, [{ metadata: {}, versions: aggregatedVersions(catalog, '') }]);

/** /apis, aggregated. */
export const aggregatedGroups = (catalog: Catalog, version: AggregatedVersion): object =>
  aggregated(
    version,
    groupNames(catalog).map(group => ({ metadata: { name: group }, versions: aggregatedVersions(catalog, group) })),
  );

const UNSAID = { group: '', version: '' };
const groupVersionOf = ({ group, version }: { group: string; version: string }) => ({ group, version });

const aggregatedVersions = (catalog: Catalog, group: string): object[] =>
  versionsOf(catalog, group).map(version => ({
    version,
    resources: servedIn(catalog, group, version).map(aggregatedResource),
    freshness: 'Current',
  }));

function aggregatedResource({ info }: CatalogEntry): object {
  const whole = info.dynamic === true;
  const shortNames = some(info.shortNames);
  const categories = some(info.categories);
  const subresources = some(
    subresourcesOf(info).map(sub => ({
      subresource: sub.name,
      responseKind: { ...(whole ? groupVersionOf(sub) : (foreign(info, sub) ?? UNSAID)), kind: sub.kind },
      verbs: sub.verbs,
    })),
  );
  return {
    resource: info.plural,
    responseKind: { ...(whole ? groupVersionOf(info) : UNSAID), kind: info.kind },
    scope: info.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: info.singular,
    verbs: info.advertisedVerbs ?? info.verbs,
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
    ...(subresources === undefined ? {} : { subresources }),
  };
}
