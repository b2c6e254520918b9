import { compareText } from '../../machinery/compare-text.js';
import { byKubeVersion } from '../../machinery/kube-versions.js';
import type { Objects } from '../../api/strategy.js';
import { API_SERVICES, type ReadonlyApiService } from './api-service.js';

/** Which group-versions there are, and who serves each: what the APIServices say. */
export interface ApiServiceTable {
  /** Moves whenever an APIService changes. */
  generation(): number;
  /** The one that answers for a path: of "/api…" the legacy one. */
  find(prefix: string, group: string, version: string): ReadonlyApiService | undefined;
  /** Of each group, in order of discovery: versions that are preferred come first. */
  groups(): readonly (readonly ReadonlyApiService[])[];
}

interface Index {
  readonly generation: number;
  readonly byName: ReadonlyMap<string, ReadonlyApiService>;
  readonly groups: readonly (readonly ReadonlyApiService[])[];
}

const nameOf = ({ metadata }: ReadonlyApiService): string => metadata.name ?? '';

/** kube-aggregator's SortedByGroupAndVersion: a group stands where its most important version does. */
function grouped(services: readonly ReadonlyApiService[]): ReadonlyApiService[][] {
  const byGroupPriority = [...services].sort(
    (a, b) =>
      (b.spec?.groupPriorityMinimum ?? 0) - (a.spec?.groupPriorityMinimum ?? 0) || compareText(nameOf(a), nameOf(b)),
  );
  const groups = new Map<string, ReadonlyApiService[]>();
  for (const service of byGroupPriority) {
    const group = service.spec?.group ?? '';
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [service]);
    else known.push(service);
  }
  for (const versions of groups.values())
    versions.sort(
      (a, b) =>
        (b.spec?.versionPriority ?? 0) - (a.spec?.versionPriority ?? 0) ||
        byKubeVersion(a.spec?.version ?? '', b.spec?.version ?? ''),
    );
  return [...groups.values()];
}

export function createApiServiceTable(objects: Pick<Objects, 'list' | 'generation'>): ApiServiceTable {
  let index: Index | undefined;
  const current = (): Index => {
    const generation = objects.generation?.(API_SERVICES) ?? 0;
    if (index?.generation === generation) return index;
    const services = [...objects.list(API_SERVICES)] as ReadonlyApiService[];
    index = {
      generation,
      byName: new Map(services.map(service => [nameOf(service), service])),
      groups: grouped(services),
    };
    return index;
  };
  return {
    generation: () => current().generation,
    find: (prefix, group, version) =>
      current().byName.get(prefix === 'api' ? 'v1.' : prefix === 'apis' ? `${version}.${group}` : ''),
    groups: () => current().groups,
  };
}
