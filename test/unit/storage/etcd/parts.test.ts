import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { createCatchUp } from '../../../../src/storage/etcd/catch-up.js';
import { keySpace } from '../../../../src/storage/etcd/key-space.js';
import { createNewest } from '../../../../src/storage/etcd/newest.js';
import { OwnWrites } from '../../../../src/storage/etcd/own-writes.js';
import { isSupported, parseVersion, tellsProgress } from '../../../../src/storage/etcd/server-version.js';

t.test('servers that answer progress requests rightly', async t => {
  const rows: [version: string, supported: boolean, progress: boolean][] = [
    ['3.3.27', false, false],
    ['3.4.23', true, false],
    ['3.4.30', true, false],
    ['3.4.31', true, true],
    ['3.5.12', true, false],
    ['3.5.13', true, true],
    ['3.6.0', true, true],
    ['3.6.0-rc.1', true, true],
    ['4.0.0', false, false],
    ['what', false, false],
  ];
  for (const [text, supported, progress] of rows) {
    const version = parseVersion(text);
    t.same([isSupported(version), tellsProgress(version)], [supported, progress], text);
  }
});

t.test('keys and spans of keys', async t => {
  const keys = keySpace({ prefix: '/mine/', replaces: '/registry/' });
  for (const [ours, stored] of [
    ['/registry/pods/ns/a', '/mine/pods/ns/a'],
    ['compact_rev_key', 'compact_rev_key'],
  ] as const) {
    t.equal(keys.stored(ours), stored);
    t.equal(keys.ours(stored), ours);
  }
  for (const [prefix, after, key, end] of [
    ['', undefined, '/mine/', '/mine0'],
    ['/registry/pods/', undefined, '/mine/pods/', '/mine/pods0'],
    ['/registry/pods/', '/registry/pods/ns/a', '/mine/pods/ns/a\0', '/mine/pods0'],
    ['/registry/pods/', '/registry/a', '/mine/pods/', '/mine/pods0'],
  ] as const)
    t.same(keys.under(prefix, after), { key, end }, `${prefix} after ${after ?? 'nothing'}`);
  t.same(keySpace({ prefix: '', replaces: '' }).under(''), { key: '\0', end: '\0' }, 'all there is');
});

t.test('who asks while a question is under way gets the answer to a later one', async t => {
  const asked: ((revision: number) => void)[] = [];
  const newest = createNewest(() => new Promise(resolve => asked.push(resolve)));
  const first = newest();
  const [second, third] = [newest(), newest()];
  t.equal(asked.length, 1);
  asked[0]?.(1);
  t.equal(await first, 1);
  await new Promise(resolve => setImmediate(resolve));
  t.equal(asked.length, 2, 'once for both');
  asked[1]?.(2);
  t.same(await Promise.all([second, third]), [2, 2]);
  const fourth = newest();
  asked[2]?.(3);
  t.equal(await fourth, 3);
});

t.test('a revision that does not come by itself is asked for, and asked for again', async t => {
  const clock = new FakeClock();
  let [observed, asked] = [5, 0];
  const catchUp = createCatchUp({ clock, observed: () => observed, ask: () => void asked++ });
  catchUp.want(5);
  t.equal(clock.waiting, 0, 'nothing to wait for');
  catchUp.want(7);
  observed = 7;
  clock.step(1_000);
  t.same([asked, clock.waiting], [0, 0], 'it came');
  catchUp.want(8);
  clock.step(10);
  t.equal(asked, 1);
  clock.step(99);
  t.equal(asked, 1);
  clock.step(1);
  t.equal(asked, 2);
  observed = 9;
  clock.step(1_000);
  t.same([asked, clock.waiting], [2, 0]);
});

t.test('own writes are known when they are told', async t => {
  const kv = (value: string, modRevision: number) => ({
    ...{ key: '/a', value: Buffer.from(value), modRevision, createRevision: 1 },
  });
  const put = (value: string, decoded: string) =>
    ({ type: 'put', key: '/a', value: Buffer.from(value), decoded }) as const;
  const own = new OwnWrites();
  own.begin([put('1', 'first')]).answered(2);
  t.equal(own.take(kv('1', 2)), 'first', 'answered before');
  t.equal(own.take(kv('1', 2)), undefined, 'once');
  const late = own.begin([put('2', 'second')]);
  t.equal(own.take(kv('x', 3)), undefined, 'another process was first');
  t.equal(own.take(kv('2', 4)), 'second', 'told before it was answered');
  late.answered(4);
  own.begin([put('3', 'refused')]).answered(undefined);
  t.equal(own.take(kv('3', 5)), undefined, 'somebody else wrote the same');
  own.begin([put('4', 'compacted')]).answered(6);
  t.equal(own.take(kv('5', 7)), undefined);
  t.equal(own.take(kv('4', 6)), undefined, 'what is older than what was told does not stay');
});
