import type { GroupVersionKind } from '../../../machinery/types.js';
import type { Catalog, CatalogEntry } from '../../../api/catalog.js';
import type { ResourceInfo } from '../../../api/resource-info.js';
import { kindOf, resourceOf, type GroupVersionResource } from './attributes.js';

/** A resource under which the same objects are served. */
export interface Equivalent {
  readonly entry: CatalogEntry;
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

/** Other resources of the same objects: other versions, and other groups (events). */
export type Equivalents = (info: ResourceInfo, subresource: string) => readonly Equivalent[];

const storedAt = ({ storage }: ResourceInfo): string => `${storage.group}/${storage.resource}`;

export function createEquivalents(catalog: Catalog): Equivalents {
  let generation = -1;
  const byStorage = new Map<string, CatalogEntry[]>();
  const refresh = (): void => {
    if (generation === catalog.generation) return;
    generation = catalog.generation;
    byStorage.clear();
    for (const entry of catalog.entries()) {
      const at = storedAt(entry.info);
      const found = byStorage.get(at);
      if (found === undefined) byStorage.set(at, [entry]);
      else found.push(entry);
    }
  };
  return (info, subresource) => {
    refresh();
    return (byStorage.get(storedAt(info)) ?? []).flatMap(entry => {
      const kind = kindOf(entry.info, subresource);
      const same = entry.info.group === info.group && entry.info.version === info.version;
      return kind === undefined || same ? [] : [{ entry, resource: resourceOf(entry.info), kind }];
    });
  };
}
