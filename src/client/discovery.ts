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

export interface Discovered {
  /** Each once, in its group's preferred version where it is there, without subresources. */
  readonly resources: readonly DiscoveredResource[];
  /** Group-versions whose server does not say what it serves. */
  readonly failing: readonly string[];
}

/** What client-go says of them. */
export const failingText = (failing: readonly string[]): string =>
  `unable to retrieve the complete list of server APIs: ${failing.map(gv => `${gv}: stale GroupVersion discovery: ${gv}`).join(', ')}`;

/** undefined: there is no such group-version, whatever the list of groups says. @throws StatusError, ConnectionError */
async function resourcesAt(client: Client, path: string): Promise<ResourceList | undefined> {
  try {
    const list = (await client.request('GET', path)) as ResourceList | null;
    // Whoever is behind the API server may answer anything.
    if (!Array.isArray(list?.resources)) throw new Error(`${path} is no list of resources`);
    return list;
  } catch (error) {
    if (isStatusError(error) && error.status.code === 404) return undefined;
    throw error;
  }
}

/**
 * Every resource that is served. A server of an aggregated API that is down keeps only its own from being known.
 * @throws StatusError, ConnectionError
 */
export async function discoverPreferred(client: Client): Promise<Discovered> {
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
  const failing: string[] = [];
  const lists = await Promise.all(
    groupVersions.map(async gv => {
      try {
        return { gv, list: (await resourcesAt(client, gv.path)) ?? { resources: [] } };
      } catch (error) {
        // Without its own, the API server is not there.
        if (gv.group === '') throw error;
        failing.push(`${gv.group}/${gv.version}`);
        return { gv, list: { resources: [] } };
      }
    }),
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
  return { resources: [...found.values()], failing: failing.sort() };
}
