import type { Catalog } from '../../api/catalog.js';
import { resourcePrefix, ROOT } from '../../storage/keys.js';
import type { GroupResource } from './configuration.js';

/** Where nothing but our own bookkeeping is kept. */
const OWN = /^ranges\//;

/**
 * Whose a storage key is. Keys of built-in resources begin with their prefix; what else there is are custom ones, whose keys
 * begin with group and resource.
 */
export function createResourceOfKey(catalog: Pick<Catalog, 'entries'>): (key: string) => GroupResource | undefined {
  const known = new Map<string, GroupResource>();
  for (const { info } of catalog.entries())
    if (info.stored)
      known.set(resourcePrefix(info.storage), { group: info.storage.group, resource: info.storage.resource });
  return key => {
    const rest = key.slice(ROOT.length);
    if (!key.startsWith(ROOT) || OWN.test(rest)) return undefined;
    const first = rest.indexOf('/');
    if (first < 0) return undefined;
    const one = known.get(`${ROOT}${rest.slice(0, first)}/`);
    if (one !== undefined) return one;
    const second = rest.indexOf('/', first + 1);
    if (second < 0) return undefined;
    const two = known.get(`${ROOT}${rest.slice(0, second)}/`);
    return two ?? { group: rest.slice(0, first), resource: rest.slice(first + 1, second) };
  };
}
