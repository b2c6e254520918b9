import t from 'tap';
import { encodeForStorage } from '../../../src/storage/cached-object.js';
import { CompactedError, type KeyValue, type KvStore } from '../../../src/storage/kv-store.js';
import { objectKey, resourcePrefix } from '../../../src/storage/keys.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import type { WatchCache } from '../../../src/storage/watch-cache.js';
import { losingStore } from '../../support/stores.js';
import { CONFIG_MAPS, configMapCache } from '../../support/watch-caches.js';

const keyOf = (name: string) => ({ namespace: 'ns', name });
const storageKey = (name: string): string => objectKey(resourcePrefix(CONFIG_MAPS), keyOf(name));
const value = (name: string): Uint8Array =>
  encodeForStorage({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'ns' } });
const put = (store: KvStore, name: string) =>
  store.commit([], [{ type: 'put', key: storageKey(name), value: value(name) }]);
const remove = (store: KvStore, name: string) => store.commit([], [{ type: 'delete', key: storageKey(name) }]);

async function open(store: KvStore): Promise<WatchCache> {
  const cache = configMapCache(store);
  await cache.loaded();
  return cache;
}

/** Whether the generation has moved since the last call. */
function watched(cache: WatchCache): () => boolean {
  let before = cache.generation();
  return () => {
    const moved = cache.generation() !== before;
    before = cache.generation();
    return moved;
  };
}

t.test('the generation of a cache moves with every change, and with nothing else', async t => {
  const store = createMemoryStore();
  const cache = await open(store);
  const moved = watched(cache);
  await put(store, 'a');
  t.ok(moved(), 'created');
  await put(store, 'a');
  t.ok(moved(), 'changed');
  await store.commit([], [{ type: 'put', key: '/registry/secrets/ns/s', value: value('s') }]);
  t.notOk(moved(), 'another resource');
  await cache.refresh();
  t.notOk(moved(), 'the store says what it said');
  await remove(store, 'a');
  t.ok(moved(), 'deleted');
});

t.test('the generation of a cache moves where a deletion was compacted before it was seen', async t => {
  const losing = await losingStore(createMemoryStore(), 3);
  let compacted = 0;
  const store: KvStore = {
    ...losing,
    compactedRevision: () => compacted,
    async watch(prefix, from, ...given) {
      if (from < compacted) throw new CompactedError(from, compacted);
      return losing.watch(prefix, from, ...given);
    },
  };
  const cache = await open(store);
  await put(store, 'a');
  await put(store, 'b');
  const moved = watched(cache);
  compacted = 3;
  await remove(store, 'b');
  await cache.loaded();
  t.strictSame([cache.count(''), cache.revision(), moved()], [1, 3, true]);
});

t.test('what the store says of its values may change without a revision', async t => {
  let says: Pick<KeyValue, 'unreadable' | 'stale'> = {};
  const memory = createMemoryStore();
  const store: KvStore = {
    ...memory,
    async range(prefix, options) {
      const found = await memory.range(prefix, options);
      return { ...found, items: found.items.map(kv => ({ ...kv, ...says })) };
    },
  };
  await put(store, 'a');
  const cache = await open(store);
  const moved = watched(cache);
  const shown = async (): Promise<unknown[]> => {
    const exact = (await cache.page('', 1, '', 0)).items[0];
    t.equal(exact, cache.get(keyOf('a')), 'a list at the exact revision says what get does');
    return [exact?.unreadable, exact?.stale];
  };
  for (const [name, next, expect] of [
    ['cannot be read', { unreadable: 'no key' }, ['no key', false]],
    ['cannot be read for another reason', { unreadable: 'no such key' }, ['no such key', false]],
    ['can be read again', {}, [undefined, false]],
    ['is to be written again', { stale: true }, [undefined, true]],
    ['is as it should be', {}, [undefined, false]],
  ] as const) {
    says = next;
    await cache.refresh();
    t.strictSame(await shown(), expect, name);
    t.ok(moved(), name);
    t.equal(cache.revision(), 1, 'nothing was written');
  }
});
