import type { Api, KindType } from '../load.js';

/** Options and events are kinds of every group-version (metav1.AddToGroupVersion). */
const EVERYWHERE = ['DeleteOptions', 'WatchEvent'];

/** Documents of discovery are kinds of v1. */
const DISCOVERY = ['APIGroup', 'APIGroupList', 'APIVersions'];

/** The group-version-kinds that a type is the body of, by full type name. */
export function bodyKinds(api: Api): ReadonlyMap<string, readonly KindType[]> {
  const kinds = new Map<string, KindType[]>();
  for (const kind of api.kinds) kinds.set(kind.type.name, [...(kinds.get(kind.type.name) ?? []), kind]);
  for (const name of EVERYWHERE) {
    const type = api.type(`meta.v1.${name}`);
    if (type !== undefined)
      kinds.set(
        type.name,
        api.groupVersions.map(gv => ({ ...gv, kind: name, type })),
      );
  }
  for (const name of DISCOVERY) {
    const type = api.type(`meta.v1.${name}`);
    if (type !== undefined) kinds.set(type.name, [{ group: '', version: 'v1', kind: name, type }]);
  }
  return kinds;
}
