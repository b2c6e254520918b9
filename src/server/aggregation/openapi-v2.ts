import type { RemoteApi } from './api-service.js';
import { isObject, type Json } from './json.js';

/** What an aggregated server tells of its group-version in OpenAPI v2. */
export interface RemoteV2 {
  readonly paths: Json;
  readonly definitions: Json;
}

const DEFINITIONS = '#/definitions/';

/** Every definition that something refers to, as a name. */
function references(value: unknown, add: (name: string) => void): void {
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, inner] of Object.entries(next)) {
      if (key === '$ref' && typeof inner === 'string' && inner.startsWith(DEFINITIONS))
        add(inner.slice(DEFINITIONS.length));
      else waiting.push(inner);
    }
  }
}

/** Paths of the group-version, and the definitions that they need (kube-openapi FilterSpecByPathsWithoutSideEffects). */
export function readV2(document: unknown, { group, version }: Pick<RemoteApi, 'group' | 'version'>): RemoteV2 {
  const { paths, definitions } = isObject(document) ? document : {};
  const known = isObject(definitions) ? definitions : {};
  const prefix = `/apis/${group}/${version}/`;
  const own = Object.entries(isObject(paths) ? paths : {}).filter(([path]) => path.startsWith(prefix));
  const needed = new Set<string>();
  const visit: unknown[] = own.map(([, item]) => item);
  for (let next = visit.pop(); next !== undefined; next = visit.pop())
    references(next, name => {
      if (needed.has(name) || !Object.hasOwn(known, name)) return;
      needed.add(name);
      visit.push(known[name]);
    });
  return {
    paths: Object.fromEntries(own),
    definitions: Object.fromEntries([...needed].map(name => [name, known[name]])),
  };
}
