import { isStatusError } from '../machinery/status.js';
import type { Client, ResourceRef } from './types.js';

/** One served resource, as discovery tells. */
export interface DiscoveredResource {
  readonly ref: ResourceRef;
  readonly kind: string;
  /** Every version it is served in, the preferred one first. */
  readonly versions: readonly string[];
  readonly verbs: readonly string[];
}

interface GroupList {
  groups: {
    name: string;
    versions: { groupVersion: string; version: string }[];
    preferredVersion: { groupVersion: string; version: string };
  }[];
}
interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[]; group?: string; version?: string }[];
}

/** Of a group-version: "example.org/v1". */
export type OnFailure = (groupVersion: string, error: Error) => void;

/**
 * Every resource that is served, once, in its group's preferred version where it is there, without subresources. A
 * group-version that cannot be asked is told of and left out; without `onFailure` it fails everything. One that has gone
 * since the groups were listed has nothing.
 * @throws StatusError, ConnectionError
 */
export async function discoverPreferred(client: Client, onFailure?: OnFailure): Promise<DiscoveredResource[]> {
  const groups = (await client.request('GET', '/apis')) as GroupList;
  const groupVersions = [
    { group: '', version: 'v1', path: '/api/v1' },
    ...groups.groups.flatMap(group =>
      [group.preferredVersion, ...group.versions.filter(v => v.version !== group.preferredVersion.version)].map(v => ({
        group: group.name,
        version: v.version,
        path: `/apis/${v.groupVersion}`,
      })),
    ),
  ];
  const resourcesAt = async (path: string): Promise<ResourceList['resources']> => {
    try {
      return ((await client.request('GET', path)) as ResourceList).resources;
    } catch (error) {
      if (isStatusError(error) && error.code === 404) return [];
      if (onFailure === undefined) throw error;
      onFailure(path.replace(/^\/apis?\//, ''), error as Error);
      return [];
    }
  };
  const lists = await Promise.all(groupVersions.map(async gv => ({ gv, resources: await resourcesAt(gv.path) })));
  const found = new Map<string, DiscoveredResource & { versions: string[] }>();
  for (const { gv, resources } of lists)
    for (const resource of resources) {
      const id = `${resource.name}.${gv.group}`;
      if (resource.name.includes('/')) continue;
      const known = found.get(id);
      if (known !== undefined) {
        known.versions.push(gv.version);
        continue;
      }
      const ref = { group: gv.group, version: gv.version, resource: resource.name, namespaced: resource.namespaced };
      found.set(id, { ref, kind: resource.kind, versions: [gv.version], verbs: resource.verbs });
    }
  return [...found.values()];
}
