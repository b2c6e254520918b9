import t, { type Test } from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { cloneJson } from '../../../src/machinery/json-equal.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { pendingObject, type CachedObject } from '../../../src/storage/cached-object.js';
import { createConvertedCache, type ConvertedCache } from '../../../src/storage/converted-cache.js';
import type { CacheEvent } from '../../../src/storage/event-history.js';
import { objectKey, resourcePrefix } from '../../../src/storage/keys.js';
import type { KvStore } from '../../../src/storage/kv-store.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { createProgress } from '../../../src/storage/progress.js';
import { createWatchCache } from '../../../src/storage/watch-cache.js';
import type { Subscription } from '../../../src/storage/subscriptions.js';
import { eventually } from '../../support/registries.js';

const location = { group: 'example.org', version: 'v1', resource: 'widgets' };
const at = (name: string): string => objectKey(resourcePrefix(location), { namespace: 'ns', name });
const signal = new AbortController().signal;

async function put(store: KvStore, name: string, size: number): Promise<void> {
  const metadata = { name, namespace: 'ns', uid: name };
  const object: KubeObject = { kind: 'Widget', apiVersion: 'example.org/v1', metadata, spec: { size } };
  const pending = pendingObject({ namespace: 'ns', name }, object);
  await store.commit([], [{ type: 'put', key: at(name), value: pending.value, decoded: pending }]);
}
const remove = (store: KvStore, name: string) => store.commit([], [{ type: 'delete', key: at(name) }]);

const toV2 = ({ object }: CachedObject): KubeObject => {
  const { spec, ...rest } = cloneJson(object) as KubeObject;
  return { ...rest, apiVersion: 'example.org/v2', spec: { bytes: (spec as { size: number }).size } };
};

/** A cache in v2, whose conversions wait until they are let go. */
async function open(t: Test, store: KvStore = createMemoryStore()) {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const clock = new FakeClock();
  const cache = createWatchCache({
    store,
    location,
    namespaced: true,
    clock,
    progress: createProgress(store),
    onError,
  });
  await cache.loaded();
  const calls: { readonly names: string[]; settle(error?: Error): void }[] = [];
  const convert = (objects: readonly CachedObject[]): Promise<readonly KubeObject[]> =>
    new Promise((resolve, reject) => {
      const names = objects.map(({ key, revision }) => `${key.name}@${revision}`);
      calls.push({ names, settle: error => (error === undefined ? resolve(objects.map(toV2)) : reject(error)) });
    });
  const converted = createConvertedCache({ cache, convert, clock, onError });
  t.teardown(() => {
    converted.close();
    cache.close();
  });
  const next = async (error?: Error): Promise<string[]> => {
    await eventually('a conversion', () => calls.length > 0);
    const call = calls.shift();
    call?.settle(error);
    return call?.names ?? [];
  };
  return { store, cache, converted, calls, next, errors };
}

const sizes = (converted: ConvertedCache): string[] =>
  converted.list('').map(({ key, object }) => `${key.name} ${JSON.stringify(object['spec'])}`);

const lines = (events: readonly CacheEvent[]): string[] =>
  events.map(({ type, revision, object, previous }) => {
    const before = previous === undefined ? '' : ` was ${JSON.stringify(previous.object['spec'])}`;
    return `${type} ${object.key.name}@${revision} ${JSON.stringify(object.object['spec'])}${before}`;
  });

/** The lines of what a subscriber is told, as it is told. */
function seenBy(cache: ConvertedCache, what: Subscription): string[] {
  const seen: string[] = [];
  const events = (batch: readonly CacheEvent[]): void => void seen.push(...lines(batch));
  cache.subscribe(what, { events, ended: () => undefined });
  return seen;
}

t.test('readers wait until what is stored is converted, once', async t => {
  const { store, converted, calls, next } = await open(t);
  await put(store, 'a', 1);
  await put(store, 'b', 2);
  t.equal(calls.length, 0, 'nothing is converted before somebody asks');
  const first = converted.fresh({ signal });
  const second = converted.fresh({ signal });
  const names = await next();
  await Promise.all([first, second]);
  t.same(names, ['a@1', 'b@2']);
  t.same(sizes(converted), ['a {"bytes":1}', 'b {"bytes":2}']);
  t.equal(converted.get({ namespace: 'ns', name: 'a' })?.object.apiVersion, 'example.org/v2');
  t.equal(converted.revision(), 2);
  await converted.fresh({ signal });
  t.equal(calls.length, 0);
});

t.test('changes are seen in order, each after it is converted', async t => {
  const { store, cache, converted, calls, next } = await open(t);
  await put(store, 'a', 1);
  const ready = converted.fresh({ signal });
  await next();
  await ready;
  const seen = seenBy(converted, { namespace: 'ns', name: '' });
  await put(store, 'a', 5);
  await put(store, 'b', 6);
  t.equal(converted.revision(), 1, 'the state stays behind');
  t.equal(cache.revision(), 3);
  t.same(sizes(converted), ['a {"bytes":1}']);
  await remove(store, 'a');
  const after = converted.fresh({ signal });
  t.same(await next(), ['a@2'], 'the first change alone: the others came while it was on its way');
  t.same(await next(), ['b@3'], 'all others at once, and nothing of a deletion');
  await after;
  t.same(seen, [
    'MODIFIED a@2 {"bytes":5} was {"bytes":1}',
    'ADDED b@3 {"bytes":6}',
    'DELETED a@4 {"bytes":5} was {"bytes":5}',
  ]);
  t.same(lines(converted.since(2) ?? []), seen.slice(1));
  t.same(sizes(converted), ['b {"bytes":6}']);
  t.equal(converted.revision(), 4);
  t.equal(calls.length, 0);
});

t.test('what happened before the first reader is known to watchers as well', async t => {
  const { store, converted, next } = await open(t);
  await put(store, 'a', 1);
  await put(store, 'a', 2);
  const ready = converted.loaded();
  await next();
  await ready;
  t.same(lines(converted.since(0) ?? []), ['ADDED a@1 {"bytes":1}', 'MODIFIED a@2 {"bytes":2} was {"bytes":1}']);
});

t.test('a conversion that fails is told to who waits for it, and tried again by the next', async t => {
  const { store, converted, next, errors } = await open(t);
  await put(store, 'a', 1);
  const refused = t.rejects(converted.fresh({ signal }), { message: 'no webhook' });
  await next(new Error('no webhook'));
  await refused;
  const ready = converted.fresh({ signal });
  await next();
  await ready;
  const seen = seenBy(converted, { namespace: '', name: '' });
  await put(store, 'a', 2);
  await next(new Error('again'));
  await eventually('the failure is told', () => errors.length > 0);
  t.match(errors, [{ message: 'again' }]);
  t.same(sizes(converted), ['a {"bytes":1}'], 'readers have what was true before');
  t.equal(converted.revision(), 1);
  const later = converted.fresh({ signal });
  t.same(await next(), ['a@2']);
  await later;
  t.same(seen, ['MODIFIED a@2 {"bytes":2} was {"bytes":1}'], 'and watchers miss nothing');
});

t.test('what is to be written again is so in every version', async t => {
  const says = { stale: true };
  const memory = createMemoryStore();
  await put(memory, 'a', 1);
  const { cache, converted, next } = await open(t, {
    ...memory,
    async range(prefix, options) {
      const found = await memory.range(prefix, options);
      return { ...found, items: found.items.map(kv => ({ ...kv, ...says })) };
    },
  });
  const loaded = converted.loaded();
  await next();
  await loaded;
  const stale = (): unknown => converted.get({ namespace: 'ns', name: 'a' })?.stale;
  t.equal(stale(), true, 'from the start');
  for (const now of [false, true]) {
    says.stale = now;
    await cache.refresh();
    t.equal(stale(), now, 'since the store says so, without an event');
    t.same(sizes(converted), ['a {"bytes":1}'], 'and shown as before');
  }
});
