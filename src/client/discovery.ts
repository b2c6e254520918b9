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

/**
 * Every resource that is served, once, in its group's preferred version where it is there, without subresources.
 * @throws StatusError, ConnectionError
 */
export async function discoverPreferred(client: Client): Promise<DiscoveredResource[]> {
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
  const lists = await Promise.all(
    groupVersions.map(async gv => ({ gv, list: (await client.request('GET', gv.path)) as ResourceList })),
  );
  const found = new Map<string, DiscoveredResource & { versions: string[] }>();
  for (const { gv, list } of lists)
    for (const resource of list.resources) {
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
