import type { JsonSchemaProps } from '../json-schema-props.js';
import { isMap } from '../walk.js';

/** The item of a list with keys that an item replaces; other lists do not tell. Source: apiserver pkg/cel/common/maplist.go. */
export function oldItems(schema: JsonSchemaProps, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (schema['x-kubernetes-list-type'] !== 'map' || keys.length === 0 || !Array.isArray(old)) return () => undefined;
  let byKey: Map<string, unknown> | undefined;
  return item => {
    const key = keyOf(item, keys);
    if (key === undefined) return undefined;
    byKey ??= index(old, keys);
    return byKey.get(key);
  };
}

function index(list: readonly unknown[], keys: readonly string[]): Map<string, unknown> {
  const byKey = new Map<string, unknown>();
  for (const item of list) {
    const key = keyOf(item, keys);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, item);
  }
  return byKey;
}

/** undefined: a key is absent, or no scalar. */
function keyOf(item: unknown, keys: readonly string[]): string | undefined {
  if (!isMap(item)) return undefined;
  const values = keys.map(key => (Object.hasOwn(item, key) ? item[key] : undefined));
  if (values.some(value => value === undefined || value === null || typeof value === 'object')) return undefined;
  return JSON.stringify(values);
}
