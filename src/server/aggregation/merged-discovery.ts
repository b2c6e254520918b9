import { compareText } from '../../machinery/compare-text.js';
import { byKubeVersion } from '../../machinery/kube-versions.js';
import { localPriority } from '../bootstrap/api-services.js';
import type { ReadonlyApiService } from './api-service.js';
import type { RemoteEntry } from './keep-discovered.js';

interface GroupVersion {
  readonly groupVersion: string;
  readonly version: string;
}

/** An entry of an APIGroupList. */
export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly GroupVersion[];
  readonly preferredVersion: GroupVersion;
}

/** The group of APIServices, which has none itself: it comes first, so that nobody's names hide it. */
const REGISTRATION = groupOf('apiregistration.k8s.io', ['v1']);

function groupOf(name: string, versions: readonly string[]): ApiGroup {
  const all = versions.map(version => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] ?? { groupVersion: '', version: '' } };
}

/** /apis/{group}, of the APIServices that a group has. */
export const apiGroupOf = (services: readonly ReadonlyApiService[]): ApiGroup =>
  groupOf(
    services[0]?.spec?.group ?? '',
    services.map(({ spec }) => spec?.version ?? ''),
  );

/** /apis: what the APIServices say, whoever serves it, and whether it is there or not. */
export const apiGroupListOf = (groups: readonly (readonly ReadonlyApiService[])[]): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [REGISTRATION, ...groups.filter(([first]) => (first?.spec?.group ?? '') !== '').map(apiGroupOf)],
});

interface Version {
  readonly version: string;
}
interface Group {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly Version[];
}
export interface GroupDiscoveryList {
  readonly items: readonly Group[];
}

const aggregatedVersion = ({ api, resources, stale }: RemoteEntry): Version => ({
  version: api.version,
  ...(resources === undefined || resources.length === 0 ? {} : { resources }),
  ...{ freshness: stale ? 'Stale' : 'Current' },
});

/**
 * Aggregated discovery of all servers as one document: a group-version is the aggregated server's where there is one
 * (k8s.io/apiserver pkg/endpoints/discovery/aggregated).
 */
export function mergeDiscovery<T extends GroupDiscoveryList>(local: T, remote: readonly RemoteEntry[]): T {
  if (remote.length === 0) return local;
  interface Ranked {
    readonly shown: Version;
    readonly group: number;
    readonly version: number;
  }
  const groups = new Map<string, Map<string, Ranked>>();
  const add = (name: string, shown: Version, rank: { readonly group: number; readonly version: number }): void => {
    const versions = groups.get(name) ?? new Map<string, Ranked>();
    groups.set(name, versions.set(shown.version, { shown, ...rank }));
  };
  for (const { metadata, versions } of local.items) {
    const { name = '' } = metadata;
    for (const shown of versions) add(name, shown, localPriority({ group: name, version: shown.version }));
  }
  for (const entry of remote) {
    const { group, groupPriority, versionPriority } = entry.api;
    add(group, aggregatedVersion(entry), { group: groupPriority, version: versionPriority });
  }
  const items = [...groups].map(([name, versions]) => ({
    priority: [...versions.values()].reduce((highest, { group }) => Math.max(highest, group), 0),
    name,
    versions: [...versions.values()]
      .sort((a, b) => b.version - a.version || byKubeVersion(a.shown.version, b.shown.version))
      .map(({ shown }) => shown),
  }));
  items.sort((a, b) => b.priority - a.priority || compareText(a.name, b.name));
  return { ...local, items: items.map(({ name, versions }) => ({ metadata: { name }, versions })) };
}
