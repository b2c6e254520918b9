import type { Account } from '../../machine/memory.js';

/** A key with its value, as bytes one per character, and etcd's revisions of it. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** From a key up to another one; end absent: that key alone, "\0": everything from it on. */
export interface Range {
  readonly key: string;
  readonly end?: string | undefined;
}

export interface EtcdStore {
  readonly revision: number;
  put(key: string, value: string): void;
  /** In the order of their keys. */
  range(range: Range): KeyValue[];
  /** How many there were. */
  delete(range: Range): number;
}

const ENTRY_BYTES = 160;
/** Keys, which are all looked at where a range is asked for. */
const MAX_KEYS = 20_000;

/** There is no room for another key. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}

const within = ({ key, end }: Range, one: string): boolean => one >= key && (end === '\0' || one < (end ?? ''));

export function createEtcdStore(memory: Account): EtcdStore {
  const entries = new Map<string, KeyValue>();
  let revision = 1;
  const weigh = ({ key, value }: { key: string; value: string }): number => ENTRY_BYTES + key.length + value.length;
  const range = (asked: Range): KeyValue[] => {
    if (asked.end === undefined || asked.end === '') {
      const one = entries.get(asked.key);
      return one === undefined ? [] : [one];
    }
    return [...entries.values()].filter(one => within(asked, one.key)).sort((a, b) => (a.key < b.key ? -1 : 1));
  };
  return {
    get revision() {
      return revision;
    },
    put(key, value) {
      const old = entries.get(key);
      if (old === undefined && entries.size >= MAX_KEYS)
        throw new StoreFull('etcdserver: mvcc: database space exceeded');
      memory.add(weigh({ key, value }));
      if (old !== undefined) memory.remove(weigh(old));
      revision++;
      const createRevision = old?.createRevision ?? revision;
      entries.set(key, { key, value, createRevision, modRevision: revision, version: (old?.version ?? 0) + 1 });
    },
    range,
    delete(asked) {
      const gone = range(asked);
      if (gone.length > 0) revision++;
      for (const one of gone) {
        entries.delete(one.key);
        memory.remove(weigh(one));
      }
      return gone.length;
    },
  };
}
