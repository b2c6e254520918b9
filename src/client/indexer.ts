import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import { keyOf, type Indexer } from './types.js';

export type IndexFunction<T extends KubeObject> = (object: DeepReadonly<T>) => readonly string[];

/** The writable side of an Indexer; the reflector's. */
export interface Store<T extends KubeObject> extends Indexer<T> {
  /** The object that was there before. */
  put(object: DeepReadonly<T>): DeepReadonly<T> | undefined;
  remove(key: string): DeepReadonly<T> | undefined;
  addIndex(name: string, index: IndexFunction<T>): void;
  keys(): IterableIterator<string>;
}

interface Index<T extends KubeObject> {
  readonly of: IndexFunction<T>;
  readonly keys: Map<string, Set<string>>;
}

export function createStore<T extends KubeObject>(): Store<T> {
  const objects = new Map<string, DeepReadonly<T>>();
  const indexes = new Map<string, Index<T>>();

  const file = (key: string, object: DeepReadonly<T>, index: Index<T>): void => {
    for (const value of index.of(object)) {
      const keys = index.keys.get(value);
      if (keys === undefined) index.keys.set(value, new Set([key]));
      else keys.add(key);
    }
  };
  const unfile = (key: string, object: DeepReadonly<T>): void => {
    for (const index of indexes.values())
      for (const value of index.of(object)) {
        const keys = index.keys.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.keys.delete(value);
      }
  };
  const named = (name: string): Index<T> => {
    const index = indexes.get(name);
    if (index === undefined) throw new Error(`no index named ${name}`);
    return index;
  };
  const store: Store<T> = {
    get: key => objects.get(key),
    list: () => objects.values(),
    keys: () => objects.keys(),
    countByIndex: (name, value) => named(name).keys.get(value)?.size ?? 0,
    byIndex(name, value) {
      const index = named(name);
      const found: DeepReadonly<T>[] = [];
      for (const key of index.keys.get(value) ?? []) {
        const object = objects.get(key);
        if (object !== undefined) found.push(object);
      }
      return found;
    },
    put(object) {
      const key = keyOf(object);
      const old = objects.get(key);
      if (old !== undefined) unfile(key, old);
      objects.set(key, object);
      for (const index of indexes.values()) file(key, object, index);
      return old;
    },
    remove(key) {
      const old = objects.get(key);
      if (old === undefined) return undefined;
      unfile(key, old);
      objects.delete(key);
      return old;
    },
    addIndex(name, of) {
      if (indexes.has(name)) return;
      const index = { of, keys: new Map<string, Set<string>>() };
      indexes.set(name, index);
      for (const [key, object] of objects) file(key, object, index);
    },
  };
  store.addIndex('namespace', object => [object.metadata.namespace ?? '']);
  return store;
}
