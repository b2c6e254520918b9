import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { storedItem } from '../../../src/server/responses/list-text.js';
import { atRevision, cachedObject, encodeForStorage, pendingObject } from '../../../src/storage/cached-object.js';
import { runCompactor } from '../../../src/storage/compactor.js';
import { createEventHistory, type CacheEvent } from '../../../src/storage/event-history.js';
import { objectKey, parseKey, resourcePrefix } from '../../../src/storage/keys.js';
import { openLevelStore } from '../../../src/storage/leveldb/level-store.js';
import { CompactedError, type KvStore } from '../../../src/storage/kv-store.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { createProgress } from '../../../src/storage/progress.js';
import type { Subscriber } from '../../../src/storage/subscriptions.js';
import type { WatchCache } from '../../../src/storage/watch-cache.js';
import { eventually } from '../../support/registries.js';
import { lateStore, losingStore } from '../../support/stores.js';
import { CONFIG_MAPS, configMapCache } from '../../support/watch-caches.js';

const key = (name: string, namespace = 'ns') => ({ namespace, name });
const object = (name: string, more: object = {}): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, namespace: 'ns', uid: `uid-${name}` },
  ...more,
});

async function put(store: KvStore, name: string, namespace = 'ns', data = {}): Promise<void> {
  const pending = pendingObject(key(name, namespace), object(name, { data }));
  const at = objectKey(resourcePrefix(CONFIG_MAPS), key(name, namespace));
  await store.commit([], [{ type: 'put', key: at, value: pending.value, decoded: pending }]);
}
const remove = (store: KvStore, name: string) =>
  store.commit([], [{ type: 'delete', key: objectKey(resourcePrefix(CONFIG_MAPS), key(name)) }]);

async function open(store: KvStore): Promise<WatchCache> {
  const cache = configMapCache(store);
  await cache.loaded();
  return cache;
}

const show = (events: readonly CacheEvent[] | undefined): string[] | undefined =>
  events?.map(e => `${e.type} ${e.object.key.name}@${e.revision}`);

const into = (lines: string[]): Subscriber => ({
  events: events => void lines.push(...(show(events) ?? [])),
  ended: () => void lines.push('ended'),
});

t.test('keys are upstream’s, since errors show them', async t => {
  const cases: [group: string, resource: string, prefix: string][] = [
    ['', 'pods', '/registry/pods/'],
    ['', 'services', '/registry/services/specs/'],
    ['', 'endpoints', '/registry/services/endpoints/'],
    ['', 'nodes', '/registry/minions/'],
    ['apps', 'deployments', '/registry/deployments/'],
    ['networking.k8s.io', 'ingresses', '/registry/ingress/'],
    ['apiextensions.k8s.io', 'customresourcedefinitions', '/registry/apiextensions.k8s.io/customresourcedefinitions/'],
    ['example.org', 'pods', '/registry/example.org/pods/'],
  ];
  for (const [group, resource, prefix] of cases) {
    t.equal(resourcePrefix({ group, version: 'v1', resource }), prefix);
    t.same(parseKey(prefix, `${prefix}ns/a`, true), key('a'));
    t.same(parseKey(prefix, `${prefix}a`, false), key('a', ''));
  }
});

t.test('the resourceVersion is spliced into stored bytes', async t => {
  const cases: { name: string; metadata: KubeObject['metadata'] }[] = [
    { name: 'after the uid', metadata: { name: 'a', uid: 'u', labels: { '"uid":"': 'x' } } },
    { name: 'no uid', metadata: { name: 'a' } },
    { name: 'nothing', metadata: {} },
    {
      name: 'an owner has a uid',
      metadata: { name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'o', uid: 'theirs' }] },
    },
  ];
  for (const { name, metadata } of cases) {
    const value = encodeForStorage({
      kind: 'K',
      apiVersion: 'v1',
      metadata: { ...metadata, resourceVersion: '3' },
      x: 1,
    });
    t.notMatch(value.toString(), /resourceVersion/, `${name}: not stored`);
    const cached = cachedObject(key('a'), 7, value);
    const expect = { metadata: { ...metadata, resourceVersion: '7' }, x: 1 };
    t.same(JSON.parse(cached.encode().toString()), { kind: 'K', apiVersion: 'v1', ...expect }, name);
    t.match(cached.encode().toString(), /^\{"kind":"K","apiVersion":"v1","metadata":/);
    t.same(storedItem(cached), expect, `${name}: as an item`);
    t.equal(cached.encode(), cached.encode(), 'once');
    t.equal(atRevision(cached, 9).object.metadata.resourceVersion, '9');
    t.ok(Object.isFrozen(cached.object.metadata));
  }
});

t.test('history forgets whole revisions, from the oldest', async t => {
  const event = (revision: number): CacheEvent => ({
    type: 'ADDED',
    revision,
    object: cachedObject(key('a'), revision, Buffer.from('{}')),
  });
  const history = createEventHistory(5, { events: 3 });
  t.equal(history.since(4), undefined);
  t.same(history.since(5), []);
  for (const revision of [6, 6, 7]) history.push(event(revision), 0);
  t.equal(history.since(5)?.length, 3);
  history.push(event(8), 0);
  t.equal(history.since(5), undefined, 'revision 6 is gone with both its events');
  t.same(
    history.since(6)?.map(e => e.revision),
    [7, 8],
  );
  history.forget(7);
  t.equal(history.oldest(), 7);
  for (let i = 9; i < 5000; i++) history.push(event(i), 0);
  t.same(
    history.since(4997)?.map(e => e.revision),
    [4998, 4999],
  );
});

t.test('state, pages of the past, and events', async t => {
  const store = createMemoryStore();
  const cache = await open(store);
  const seen: string[] = [];
  const narrow: string[] = [];
  cache.subscribe({ namespace: '', name: '' }, into(seen));
  const stop = cache.subscribe({ namespace: 'ns', name: 'b' }, into(narrow));
  await put(store, 'b');
  await put(store, 'a');
  await put(store, 'z', 'ns-2');
  await put(store, 'b', 'ns', { k: '1' });
  stop();
  await remove(store, 'b');
  t.same(seen, ['ADDED b@1', 'ADDED a@2', 'ADDED z@3', 'MODIFIED b@4', 'DELETED b@5']);
  t.same(narrow, ['ADDED b@1', 'MODIFIED b@4']);
  t.same(
    cache.list('').map(o => o.key.name),
    ['z', 'a'],
    '"ns-2/" sorts before "ns/"',
  );
  t.same([cache.count(''), cache.count('ns'), cache.count('none')], [2, 1, 0]);
  const past = await cache.page('ns', 3, '', 1);
  t.same([past.items.map(o => `${o.key.name}@${o.revision}`), past.remaining], [['a@2'], 1]);
  t.equal(past.items[0], cache.get(key('a')), 'what has not changed since is not read again');
  t.same(
    (await cache.page('ns', 3, 'a', 0)).items.map(o => `${o.key.name}@${o.revision}`),
    ['b@1'],
  );
  await t.rejects(cache.page('', 99, '', 0), { name: 'FutureRevisionError' });
  await store.compact(3);
  await t.rejects(cache.page('', 3, '', 0), { name: 'CompactedError' });
  const last = cache.since(4)?.[0];
  t.match(last?.object.object, { metadata: { resourceVersion: '5' }, data: { k: '1' } }, 'deleted as it last was');
});

t.test('a restarted server knows what the store still knows', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-watch-cache-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const first = await openLevelStore(dir);
  await put(first, 'a');
  await put(first, 'b');
  await first.compact(1);
  await put(first, 'a', 'ns', { k: '1' });
  await remove(first, 'b');
  await first.close();

  const store = await openLevelStore(dir);
  t.teardown(() => store.close());
  const cache = await open(store);
  t.same(
    cache.list('').map(o => `${o.key.name}@${o.revision}`),
    ['a@3'],
  );
  t.same(show(cache.since(1)), ['ADDED b@2', 'MODIFIED a@3', 'DELETED b@4'], 'watches go on where they were');
  t.equal(cache.since(0), undefined, 'compacted');
  await put(store, 'c');
  t.same(show(cache.since(4)), ['ADDED c@5']);
});

t.test('a lost watch: goes on where it ended, or ends its subscribers', async t => {
  const memory = createMemoryStore();
  const losing = await losingStore(memory, 2);
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
  const seen: string[] = [];
  cache.subscribe({ namespace: '', name: '' }, into(seen));
  await put(store, 'a');
  await put(store, 'b');
  await put(store, 'c');
  await cache.loaded();
  t.same(seen, ['ADDED a@1', 'ADDED b@2', 'ADDED c@3'], 'what was lost is replayed, once');
  t.same(show(cache.since(0)), seen);

  // Lost again, and what happened since is not known any more.
  compacted = 4;
  await put(store, 'd');
  await cache.loaded();
  t.same(seen.slice(3), ['ended']);
  t.same([cache.count('ns'), cache.revision(), cache.since(3)], [4, 4, undefined], 'the state is the newest');
  await put(store, 'e');
  t.same(show(cache.since(4)), ['ADDED e@5']);
});

t.test('a failed load is tried again by whoever comes next', async t => {
  const memory = createMemoryStore();
  let fail = 2;
  const store: KvStore = {
    ...memory,
    range: async (prefix, options) => {
      if (fail-- > 0) throw new Error('not now');
      return memory.range(prefix, options);
    },
  };
  const cache = configMapCache(store);
  await t.rejects(cache.loaded(), { message: 'not now' });
  await t.rejects(cache.fresh({ signal: new AbortController().signal }), { message: 'not now' });
  await put(store, 'a');
  await cache.fresh({ signal: new AbortController().signal });
  t.equal(cache.count(''), 1);
});

t.test('the fault of a subscriber reaches neither the writer nor other subscribers', async t => {
  const store = createMemoryStore();
  const told: string[] = [];
  const cache = configMapCache(store, error => void told.push(String(error)));
  await cache.loaded();
  const seen: string[] = [];
  let ended = 0;
  const broken: Subscriber = {
    events() {
      throw new Error('a bug');
    },
    ended: () => void ended++,
  };
  cache.subscribe({ namespace: 'ns', name: '' }, broken);
  cache.subscribe({ namespace: 'ns', name: '' }, into(seen));
  await put(store, 'a');
  await put(store, 'b');
  t.same(seen, ['ADDED a@1', 'ADDED b@2']);
  t.same([told, ended], [['Error: a bug'], 1], 'it is told once and gets nothing more');
});

t.test('who waits for a revision shares one watch of the store', async t => {
  const memory = createMemoryStore();
  let watches = 0;
  let open = 0;
  const late = await lateStore(memory);
  const store: KvStore = {
    ...late,
    async watch(...given) {
      watches++;
      open++;
      const stop = await late.watch(...given);
      return () => {
        open--;
        stop();
      };
    },
  };
  const progress = createProgress(store);
  await put(memory, 'a');
  await put(memory, 'b');
  const { signal } = new AbortController();
  // A hundred of one request are no leak; outside of a test each has its own.
  setMaxListeners(0, signal);
  const impatient = new AbortController();
  const given = progress.reached(9, impatient.signal);
  await Promise.all(Array.from({ length: 100 }, (_, i) => progress.reached(1 + (i % 2), signal)));
  t.equal(store.observed(), 2);
  t.equal(watches, 1);
  impatient.abort(new Error('given up'));
  await t.rejects(given, { message: 'given up' });
  await eventually('the watch is closed', () => open === 0);
  await progress.reached(2, signal);
  t.equal(watches, 1, 'what has been reached needs none');
});

/** Counts its compactions, and lets the clock go on by rounds of ten seconds. */
function compacting(store: KvStore, clock: FakeClock, onError: (error: unknown) => void) {
  const stopping = new AbortController();
  const told: number[] = [];
  const running = runCompactor({
    store,
    clock,
    signal: stopping.signal,
    keepMs: 60_000,
    keepRevisions: 5,
    intervalMs: 10_000,
    onCompacted: revision => void told.push(revision),
    onError,
  });
  return {
    told,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function round(clock: FakeClock, compactors = 1): Promise<void> {
  await eventually('the compactors sleep', () => clock.waiting === compactors);
  clock.step(10_000);
  await eventually('the compactors sleep again', () => clock.waiting === compactors);
}

t.test('revisions are compacted by age and by count, the newest never', async t => {
  const clock = new FakeClock();
  const store = createMemoryStore();
  const { told, stop } = compacting(store, clock, error => t.fail(String(error)));
  for (const name of ['a', 'b', 'c']) await put(store, name);
  await round(clock);
  t.equal(store.compactedRevision(), 0, 'young and few');
  for (let i = 0; i < 7; i++) await round(clock);
  t.equal(store.compactedRevision(), 2, 'old, but the newest stays');
  t.equal(store.observed(), 4, 'the compaction itself is a commit');
  for (let i = 0; i < 20; i++) await round(clock);
  t.same([store.compactedRevision(), store.observed()], [2, 4], 'which is no reason for another one');
  for (let i = 0; i < 8; i++) await put(store, `n${i}`);
  await round(clock);
  t.equal(store.compactedRevision(), 7, 'too many');
  t.same(told, [2, 7]);
  await stop();
});

t.test('past that grows fast is compacted before its time', async t => {
  const clock = new FakeClock();
  const store = createMemoryStore();
  const { told, stop } = compacting(store, clock, error => t.fail(String(error)));
  const look = async (): Promise<void> => {
    await eventually('the compactor sleeps', () => clock.waiting === 1);
    clock.step(1_000);
    await eventually('the compactor sleeps again', () => clock.waiting === 1);
  };
  for (let i = 0; i < 10; i++) await put(store, `n${i}`);
  await look();
  t.same(told, [], 'twice as much as is kept');
  await put(store, 'more');
  await look();
  t.same(told, [6], 'and one more');
  await stop();
});

t.test('of two servers over one store one compacts, and both are told', async t => {
  const clock = new FakeClock();
  const memory = createMemoryStore();
  let compactions = 0;
  const store: KvStore = {
    ...memory,
    compact(revision) {
      compactions++;
      return memory.compact(revision);
    },
  };
  const fail = (error: unknown): void => void t.fail(String(error));
  const [one, two] = [compacting(store, clock, fail), compacting(store, clock, fail)];
  for (let rounds = 1; rounds <= 5; rounds++) {
    for (let i = 0; i < 10; i++) await put(store, `n${i}`);
    await round(clock, 2);
    await round(clock, 2);
    t.ok(compactions <= rounds, `${compactions} compactions`);
  }
  t.ok(compactions >= 4, 'each server does it sooner or later');
  t.equal(one.told.at(-1), store.compactedRevision());
  t.equal(two.told.at(-1), store.compactedRevision());
  await one.stop();
  await two.stop();
});
