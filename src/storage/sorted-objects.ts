import type { ObjectKey } from '../machinery/types.js';
import type { CachedObject } from './cached-object.js';

/** The current objects of a resource in the order of their storage keys. Lists of a namespace cost what it holds. */
export interface SortedObjects {
  readonly size: number;
  get(key: ObjectKey): CachedObject | undefined;
  set(object: CachedObject): void;
  delete(key: ObjectKey): void;
  clear(): void;
  /** In order of key; '' lists every namespace. */
  list(namespace: string): readonly CachedObject[];
  count(namespace: string): number;
}

interface Bucket {
  readonly byName: Map<string, CachedObject>;
  readonly sorted: CachedObject[];
}

/** The first index at which `before(item)` is false, in a list where all true ones come first. */
export function partition<T>(items: readonly T[], before: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function createSortedObjects(): SortedObjects {
  const buckets = new Map<string, Bucket>();
  const namespaces: string[] = [];
  let size = 0;

  // Keys are "namespace/name": "a-b/x" comes before "a/x", since "-" sorts before "/".
  const namespaceIndex = (namespace: string): number => partition(namespaces, n => `${n}/` < `${namespace}/`);

  return {
    get size() {
      return size;
    },
    get: key => buckets.get(key.namespace)?.byName.get(key.name),
    set(object) {
      const { namespace, name } = object.key;
      let bucket = buckets.get(namespace);
      if (bucket === undefined) {
        bucket = { byName: new Map(), sorted: [] };
        buckets.set(namespace, bucket);
        namespaces.splice(namespaceIndex(namespace), 0, namespace);
      }
      const at = partition(bucket.sorted, o => o.key.name < name);
      const known = bucket.byName.has(name);
      bucket.sorted.splice(at, known ? 1 : 0, object);
      bucket.byName.set(name, object);
      if (!known) size++;
    },
    delete({ namespace, name }) {
      const bucket = buckets.get(namespace);
      if (bucket?.byName.delete(name) !== true) return;
      size--;
      bucket.sorted.splice(
        partition(bucket.sorted, o => o.key.name < name),
        1,
      );
      if (bucket.byName.size > 0) return;
      buckets.delete(namespace);
      namespaces.splice(namespaceIndex(namespace), 1);
    },
    clear() {
      buckets.clear();
      namespaces.length = 0;
      size = 0;
    },
    list(namespace) {
      if (namespace !== '') return buckets.get(namespace)?.sorted.slice() ?? [];
      if (namespaces.length === 1) return buckets.get(namespaces[0] as string)?.sorted.slice() ?? [];
      return namespaces.flatMap(n => buckets.get(n)?.sorted ?? []);
    },
    count: namespace => (namespace === '' ? size : (buckets.get(namespace)?.sorted.length ?? 0)),
  };
}
