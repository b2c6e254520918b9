import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { cachedObject, encodeForStorage } from '../../../src/storage/cached-object.js';
import { objectKey, resourcePrefix } from '../../../src/storage/keys.js';
import type { WatchEvent } from '../../../src/storage/kv-store.js';
import { openLevelStore } from '../../../src/storage/leveldb/level-store.js';
import { CONFIG_MAPS, configMapCache } from '../../support/watch-caches.js';

const at = (name: string): string => objectKey(resourcePrefix(CONFIG_MAPS), { namespace: 'ns', name });

t.test('a start reads again only as much history as fits', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-replay-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const value = (i: number): Buffer =>
    encodeForStorage({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'ns', uid: 'u' },
      data: { i: String(i), text: 'x'.repeat(1 << 20) },
    });
  const before = await openLevelStore(dir);
  for (let i = 1; i <= 30; i++)
    await before.commit(
      [],
      [
        { type: 'put', key: at('a'), value: value(i) },
        { type: 'put', key: at(`b${i}`), value: encodeForStorage({ metadata: { name: `b${i}` } }) },
      ],
    );
  await before.close();

  const store = await openLevelStore(dir);
  t.teardown(() => store.close());
  const rows: { name: string; bytes: number | undefined; expect: readonly number[]; cut: number | undefined }[] = [
    { name: 'no bound', bytes: undefined, expect: Array.from({ length: 60 }, (_, i) => 1 + (i >> 1)), cut: undefined },
    {
      name: 'all of it fits',
      bytes: 64 << 20,
      expect: Array.from({ length: 60 }, (_, i) => 1 + (i >> 1)),
      cut: undefined,
    },
    { name: 'three commits fit', bytes: 3.5 * (1 << 20), expect: [28, 28, 29, 29, 30, 30], cut: 27 },
    { name: 'none fits', bytes: 1000, expect: [], cut: 30 },
  ];
  for (const { name, bytes, expect, cut } of rows) {
    const seen: WatchEvent[] = [];
    let told: number | undefined;
    const bound = bytes === undefined ? undefined : { bytes, onCut: (revision: number) => void (told = revision) };
    const handlers = {
      events: (events: readonly WatchEvent[]) => void seen.push(...events),
      lost: () => t.fail('lost'),
    };
    const stop = await store.watch('/registry/', 0, handlers, bound);
    stop();
    t.same(
      seen.map(event => event.revision),
      expect,
      name,
    );
    t.equal(told, cut, `${name}: what is left out`);
  }

  const cache = configMapCache(store);
  await cache.loaded();
  t.equal(cache.list('ns').length, 31, 'every object is there');
  t.equal(cache.since(0), undefined, 'a watch from the beginning is told that it is too late');
  const known = cache.since(cache.oldest()) ?? [];
  t.ok(known.length > 0 && known.every(event => event.revision > cache.oldest()), 'the newest changes are known');
  t.equal(known.at(-1)?.revision, 30);
  t.equal(
    cachedObject({ namespace: 'ns', name: 'a' }, 30, value(30)).encode().length,
    cache.get({ namespace: 'ns', name: 'a' })?.encode().length,
  );
  cache.close();
});

t.test('watches that begin in the same moment get what each would get alone', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-replay-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const value = (text: string): Buffer => encodeForStorage({ metadata: { name: 'a' }, data: { text } });
  const before = await openLevelStore(dir);
  for (let i = 1; i <= 20; i++)
    await before.commit(
      [],
      [
        { type: 'put', key: `/a/${i % 3}`, value: value(`a${i}`) },
        i % 4 === 0
          ? { type: 'delete', key: '/ab/1' }
          : { type: 'put', key: `/ab/1`, value: value(`ab${i} ${'x'.repeat(1000)}`) },
      ],
    );
  await before.close();
  const store = await openLevelStore(dir);
  t.teardown(() => store.close());

  interface Asked {
    readonly prefix: string;
    readonly from: number;
    readonly bytes?: number;
  }
  const replayOf = async ({ prefix, from, bytes }: Asked): Promise<object> => {
    const seen: string[] = [];
    let cut: number | undefined;
    const handlers = {
      events: (events: readonly WatchEvent[]) => {
        for (const { type, key, revision, kv, previous } of events)
          seen.push(`${revision} ${type} ${key} ${kv?.modRevision ?? '-'} ${previous?.modRevision ?? '-'}`);
      },
      lost: () => t.fail('lost'),
    };
    const bound = bytes === undefined ? undefined : { bytes, onCut: (revision: number) => void (cut = revision) };
    (await store.watch(prefix, from, handlers, bound))();
    return { seen, cut };
  };
  const asked: readonly Asked[] = [
    { prefix: '/a/', from: 0 },
    { prefix: '/a/', from: 12 },
    { prefix: '/ab/', from: 0 },
    { prefix: '/ab/', from: 0, bytes: 5000 },
    { prefix: '/a', from: 5 },
    { prefix: '/a', from: 0, bytes: 3000 },
    { prefix: '/nothing/', from: 0 },
    { prefix: '', from: 19 },
    { prefix: '', from: 0, bytes: 10 },
  ];
  const alone: object[] = [];
  for (const one of asked) alone.push(await replayOf(one));
  t.same(await Promise.all(asked.map(replayOf)), alone);
  t.match(alone[1], { seen: ['13 put /a/1 13 10', '14 put /a/2 14 11', '15 put /a/0 15 12'], cut: undefined });
  t.match(alone[6], { seen: [], cut: undefined });
  t.match(alone[8], { seen: [], cut: 20 });
});
