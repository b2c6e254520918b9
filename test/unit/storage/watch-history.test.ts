import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { atRevision, cachedObject, encodeForStorage, pendingObject } from '../../../src/storage/cached-object.js';
import { createEventHistory, type CacheEvent } from '../../../src/storage/event-history.js';
import { createHistoryBudget } from '../../../src/storage/history-budget.js';
import { objectKey, resourcePrefix } from '../../../src/storage/keys.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { CONFIG_MAPS, configMapCache } from '../../support/watch-caches.js';

const key = { namespace: 'ns', name: 'a' };
const object = (data: string): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'a', namespace: 'ns', uid: 'u' },
  data: { data },
});
const event = (revision: number, size: number): CacheEvent => ({
  type: 'MODIFIED',
  revision,
  object: cachedObject(key, revision, Buffer.alloc(size, 0x20)),
});

t.test('history is bounded in bytes and in age, not in events alone', async t => {
  const rows: {
    name: string;
    bounds: Parameters<typeof createEventHistory>[1];
    count: number;
    size: number;
    stepMs: number;
    expect: number;
  }[] = [
    { name: 'bytes', bounds: { bytes: 10 << 20 }, count: 1500, size: 900 << 10, stepMs: 1, expect: 11 },
    { name: 'events', bounds: { events: 50 }, count: 1500, size: 10, stepMs: 1, expect: 50 },
    { name: 'age', bounds: { ageMs: 75_000 }, count: 1500, size: 10, stepMs: 100, expect: 751 },
    { name: 'a quiet resource keeps the newest few', bounds: {}, count: 1500, size: 10, stepMs: 60_000, expect: 100 },
    { name: 'but not many bytes of them', bounds: {}, count: 50, size: 900 << 10, stepMs: 60_000, expect: 2 },
  ];
  for (const { name, bounds, count, size, stepMs, expect } of rows) {
    const history = createEventHistory(0, bounds);
    for (let i = 1; i <= count; i++) history.push(event(i, size), i * stepMs);
    const kept = history.since(history.oldest()) ?? [];
    t.equal(kept.length, expect, name);
    t.equal(kept.at(-1)?.revision, count, `${name}: the newest is kept`);
    t.equal(history.since(history.oldest() - 1), undefined, `${name}: what is gone is said to be gone`);
    t.ok(history.bytes() < expect * (size + 1024), `${name}: bytes are counted`);
  }
});

t.test('a busy resource takes from its own history when all of them are too large', async t => {
  const [quiet, busy] = [createEventHistory(0), createEventHistory(0)];
  const budget = createHistoryBudget(10_000);
  budget.add(quiet);
  budget.add(busy);
  quiet.push(event(1, 1000), 0);
  for (let i = 2; i < 50; i++) {
    busy.push(event(i, 1000), 0);
    budget.settle();
  }
  t.equal(quiet.since(0)?.length, 1, 'the quiet one keeps all');
  t.ok(quiet.bytes() + busy.bytes() <= 10_000, 'together they fit');
});

t.test('the bytes of an object are kept once', async t => {
  const stored = encodeForStorage(object('x'.repeat(1000)));
  const cached = cachedObject(key, 7, stored);
  t.equal(cached.size, stored.length, 'as they were stored');
  const sent = cached.encode();
  t.equal(cached.encode(), sent, 'encoded once');
  t.equal(cached.size, sent.length, 'then as they are sent');
  t.equal(sent.indexOf('"metadata"'), cached.itemStart(), 'an item of a list shares them');
  const deleted = atRevision(cached, 9);
  t.equal(deleted.encode().toString(), sent.toString().replace('"7"', '"9"'), 'a deletion carries the same content');
  const again = cachedObject(key, 11, pendingObject(key, object('x'.repeat(1000))).value);
  t.equal(again.encode().length, sent.length + 1, 'what was sent can be stored again');
  t.equal(atRevision(again, 7).encode().toString(), sent.toString());
});

t.test('what was replaced forgets its parsed form, and can be read again', async t => {
  const store = createMemoryStore();
  const cache = configMapCache(store);
  await cache.loaded();
  const at = objectKey(resourcePrefix(CONFIG_MAPS), key);
  for (const data of ['1', '2']) {
    const pending = pendingObject(key, object(data));
    await store.commit([], [{ type: 'put', key: at, value: pending.value, decoded: pending }]);
  }
  const [first, second] = cache.since(0) ?? [];
  const parsed = first?.object.object;
  t.match(parsed, { data: { data: '1' }, metadata: { resourceVersion: '1' } });
  t.equal(second?.previous, first?.object, 'one object for both events');
  t.equal(cache.get(key)?.object, cache.get(key)?.object, 'the present one is parsed once');
  cache.close();
});
