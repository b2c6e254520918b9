import { isStatusError } from '../machinery/status.js';
import type { Client, ResourceRef } from './types.js';

/** One served resource, as discovery tells. */
export interface DiscoveredResource {
  readonly ref: ResourceRef;
  readonly kind: string;
  /** Every version it is served in, the preferred one first. */
  readonly versions: readonly string[];
  readonly verbs: readonly string[];
  /** "po", "deploy"; absent: it has none. */
  readonly shortNames?: readonly string[];
}

interface GroupList {
  groups: {
    name: string;
    versions: { groupVersion: string; version: string }[];
    preferredVersion: { groupVersion: string; version: string };
  }[];
}
interface ResourceList {
  resources: {
    name: string;
    kind: string;
    namespaced: boolean;
    verbs: string[];
    shortNames?: string[];
    group?: string;
    version?: string;
  }[];
}

/** What a server says of all its groups at once. */
interface AggregatedList {
  readonly kind: 'APIGroupDiscoveryList';
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    /** The preferred one first. */
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: string;
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
      }[];
    }[];
  }[];
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

/** What is served of a group-version; undefined: whoever serves it does not say. */
interface Served {
  readonly group: string;
  readonly version: string;
  readonly resources:
    | readonly Pick<ResourceList['resources'][number], 'name' | 'kind' | 'namespaced' | 'verbs' | 'shortNames'>[]
    | undefined;
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

const isAggregated = (answer: unknown): answer is AggregatedList => {
  const { kind, items } = (answer ?? {}) as Partial<AggregatedList>;
  return kind === 'APIGroupDiscoveryList' && Array.isArray(items);
};

const fromAggregated = ({ items }: AggregatedList): Served[] =>
  items.flatMap(({ metadata, versions = [] }) =>
    versions.map(({ version, freshness, resources = [] }) => ({
      ...{ group: metadata?.name ?? '', version },
      resources:
        freshness === 'Stale'
          ? undefined
          : resources.flatMap(({ resource: name, responseKind, scope, verbs, shortNames }) =>
              responseKind === undefined
                ? []
                : [
                    {
                      ...{ name, kind: responseKind.kind, namespaced: scope === 'Namespaced', verbs: [...verbs] },
                      ...(shortNames && { shortNames: [...shortNames] }),
                    },
                  ],
            ),
    })),
  );

/** A group-version at a time, from a server that does not tell of all at once. */
async function oneByOne(client: Client, { groups }: GroupList): Promise<Served[]> {
  const groupVersions = [
    { group: '', version: 'v1', path: '/api/v1' },
    ...groups.flatMap(group =>
      [group.preferredVersion, ...group.versions.filter(v => v.version !== group.preferredVersion.version)].map(v => ({
        group: group.name,
        version: v.version,
        path: `/apis/${v.groupVersion}`,
      })),
    ),
  ];
  return Promise.all(
    groupVersions.map(async ({ group, version, path }) => {
      try {
        return { group, version, resources: (await resourcesAt(client, path))?.resources ?? [] };
      } catch (error) {
        // Without its own, the API server is not there.
        if (group === '') throw error;
        return { group, version, resources: undefined };
      }
    }),
  );
}

/** With two requests, however many group-versions there are, as client-go does it. */
async function everything(client: Client): Promise<Served[]> {
  const groups = await client.request('GET', '/apis', undefined, { accept: AGGREGATED });
  if (!isAggregated(groups)) return oneByOne(client, groups as GroupList);
  const core = await client.request('GET', '/api', undefined, { accept: AGGREGATED });
  if (!isAggregated(core)) throw new Error('/api is no aggregated discovery');
  return [...fromAggregated(core), ...fromAggregated(groups)];
}

/**
 * Every resource that is served. A server of an aggregated API that is down keeps only its own from being known.
 * @throws StatusError, ConnectionError
 */
export async function discoverPreferred(client: Client): Promise<Discovered> {
  const failing: string[] = [];
  const found = new Map<string, DiscoveredResource & { versions: string[] }>();
  for (const { group, version, resources } of await everything(client)) {
    if (resources === undefined) failing.push(`${group}/${version}`);
    for (const { name, kind, namespaced, verbs, shortNames } of resources ?? []) {
      const id = `${name}.${group}`;
      if (name.includes('/')) continue;
      const known = found.get(id);
      if (known !== undefined) known.versions.push(version);
      else {
        const ref = { group, version, resource: name, namespaced };
        found.set(id, { ref, kind, versions: [version], verbs, ...(shortNames && { shortNames }) });
      }
    }
  }
  return { resources: [...found.values()], failing: failing.sort() };
}
