import { seededRandom } from '../../src/machinery/random.js';
import type { Test } from 'tap';
import { compareKeys } from '../../src/storage/key-order.js';
import {
  CompactedError,
  FutureRevisionError,
  StorageError,
  type KeyValue,
  type KvStore,
  type Lost,
  type Op,
  type WatchEvent,
} from '../../src/storage/kv-store.js';
import { following, fromZero, type Following } from '../support/stores.js';
import { until } from '../support/until.js';

/** Nothing here takes long. */
const { signal } = new AbortController();
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (kv: KeyValue | undefined): string | undefined =>
  kv === undefined ? undefined : Buffer.from(kv.value).toString();
const put = (key: string, value: string): Op => ({ type: 'put', key, value: bytes(value) });
const del = (key: string): Op => ({ type: 'delete', key });

/** A KeyValue in one line: key=value@create/mod. */
const show = (kv: KeyValue | undefined): string =>
  kv === undefined ? '-' : `${kv.key}=${text(kv)}@${kv.createRevision}/${kv.modRevision}`;
const showEvent = (e: WatchEvent): string =>
  `${e.revision} ${e.type} ${e.key} now ${show(e.kv)} was ${show(e.previous)}`;

async function commit(store: KvStore, ...ops: Op[]): Promise<number> {
  const result = await store.commit([], ops);
  if (!result.ok) throw new Error('a commit without preconditions was refused');
  return result.revision;
}

/**
 * What every KvStore driver promises, whoever else writes. `open` gives a new, empty store; the suite closes it.
 * Revisions are relative to the first.
 */
export function storageSuite(t: Test, name: string, open: (t: Test) => Promise<KvStore>): void {
  const test = (what: string, run: (t: Test, store: KvStore, follow: Following) => Promise<void>): void => {
    t.test(`${name}: ${what}`, async t => {
      const store = fromZero(await open(t));
      t.teardown(() => store.close());
      await run(t, store, following(store));
    });
  };

  test('counts commits', async (t, store, { told }) => {
    t.equal(store.observed(), 0);
    t.equal(await store.latest(signal), 0);
    t.equal(store.compactedRevision(), 0);
    t.same(await store.range(''), { revision: 0, items: [], more: false, remaining: 0 });
    t.equal(await commit(store, put('/a', '1')), 1);
    t.equal(await commit(store, put('/b', '1'), put('/c', '1')), 2);
    t.equal(await store.latest(signal), 2, 'the newest is known at once');
    await told();
    t.equal(store.observed(), 2, 'and observed in time');
    t.equal(show(await store.get('/a')), '/a=1@1/1');
    t.equal(show(await store.get('/c')), '/c=1@2/2');
    t.equal(await commit(store, put('/a', '2'), del('/b')), 3);
    t.equal(show(await store.get('/a')), '/a=2@1/3');
    t.equal(await store.get('/b'), undefined);
    t.equal(await commit(store, put('/b', 'again')), 4);
    t.equal(show(await store.get('/b')), '/b=again@4/4', 'a deleted key starts anew');
  });

  test('a scan is one state in order of key, whatever is written meanwhile', async (t, store) => {
    if (store.scan === undefined) return t.comment('it has tools of its own for backups');
    const keys = Array.from({ length: 1_200 }, (_, i) => `/k/${String(i).padStart(4, '0')}`);
    const value = 'x'.repeat(2_000);
    const revision = await commit(store, ...keys.map(key => put(key, value)));
    const found: string[] = [];
    const pages = new Set<number>();
    for await (const page of store.scan(signal)) {
      pages.add(found.length);
      t.equal(page.revision, revision);
      found.push(...page.items.map(({ key }) => key));
      await commit(store, del(keys[1_100] ?? ''), put('/k/0000', 'later'), put('/z', 'new'));
    }
    t.ok(pages.size > 1, `in ${pages.size} pieces`);
    t.strictSame(found, keys);
    const stopped = store.scan(signal);
    await stopped.next();
    await stopped.return(undefined);
    const gone = new AbortController();
    const aborted = store.scan(gone.signal);
    await aborted.next();
    gone.abort(new Error('the client is gone'));
    await t.rejects(aborted.next(), { message: 'the client is gone' });
  });

  test('a commit that changes nothing takes no revision', async (t, store) => {
    await commit(store, put('/a', '1'));
    t.same(await store.commit([], [del('/none')]), { ok: true, revision: 1 });
    t.same(await store.commit([{ key: '/a', modRevision: 1 }], []), { ok: true, revision: 1 });
    t.equal(await store.latest(signal), 1);
  });

  test('preconditions are checked together and refuse the whole commit', async (t, store) => {
    await commit(store, put('/a', '1'), put('/b', '1'));
    await commit(store, put('/b', '2'));
    const refused = await store.commit(
      [
        { key: '/a', modRevision: 1 },
        { key: '/b', modRevision: 1 },
      ],
      [put('/a', 'x'), put('/n', 'x')],
    );
    t.match(refused, { ok: false, revision: 2, failed: { key: '/b', modRevision: 1 } });
    t.equal(refused.ok ? '' : show(refused.current), '/b=2@1/2');
    t.equal(show(await store.get('/a')), '/a=1@1/1');
    t.equal(await store.get('/n'), undefined);
    const exists = await store.commit([{ key: '/a', modRevision: 0 }], [put('/a', 'x')]);
    t.equal(exists.ok, false, '0 means: does not exist');
    const gone = await store.commit([{ key: '/n', modRevision: 1 }], [put('/n', 'x')]);
    t.equal(gone.ok, false);
    t.notOk('current' in gone);
    t.match(await store.commit([{ key: '/n', modRevision: 0 }], [put('/n', 'x')]), { ok: true, revision: 3 });
    await t.rejects(store.commit([], [put('/a', '1'), del('/a')]), TypeError, 'a key is written once per commit');
  });

  test('ops of one commit may have revisions of their own', async (t, store, { watch }) => {
    await commit(store, put('/held', '0')); // 1
    const seen: string[] = [];
    await watch('/', 1, events => {
      seen.push(...events.map(({ type, key, revision }) => `${type} ${key}@${revision}`));
    });
    const own = { ownRevision: true } as const;
    const ops = [{ ...put('/x', '1'), ...own }, { ...put('/y', '1'), ...own }, put('/held', '2'), del('/none')];
    const refused = await store.commit([{ key: '/held', modRevision: 7 }], ops);
    t.same([refused.ok, await store.latest(signal)], [false, 1], 'all or nothing');
    if (!store.supports.ownRevision) {
      t.equal(await commit(store, ...ops), 2, 'or all have the same, where that is not supported');
      t.equal(await commit(store, { ...del('/none'), ...own }, { ...del('/x'), ...own }), 3);
      await until('they are told', () => seen.length === 4);
      t.same(seen, ['put /x@2', 'put /y@2', 'put /held@2', 'delete /x@3']);
      return;
    }
    t.equal(await commit(store, ...ops), 4, 'the last is told');
    t.equal(
      await commit(store, { ...del('/none'), ...own }, { ...del('/x'), ...own }),
      5,
      'what changes nothing has none',
    );
    const range = async (revision?: number): Promise<string[]> =>
      (await store.range('/', revision === undefined ? {} : { revision })).items.map(show);
    t.same(await range(2), ['/held=0@1/1', '/x=1@2/2']);
    t.same(await range(3), ['/held=0@1/1', '/x=1@2/2', '/y=1@3/3']);
    t.same(await range(4), ['/held=2@1/4', '/x=1@2/2', '/y=1@3/3']);
    t.same(await range(), ['/held=2@1/4', '/y=1@3/3']);
    await until('they are told', () => seen.length === 4);
    t.same(seen, ['put /x@2', 'put /y@3', 'put /held@4', 'delete /x@5']);
  });

  test('of concurrent compare-and-sets exactly one wins', async (t, store) => {
    await commit(store, put('/n', '0'));
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.commit([{ key: '/n', modRevision: 1 }], [put('/n', String(i))])),
    );
    t.equal(results.filter(r => r.ok).length, 1);
    for (const r of results) if (!r.ok) t.equal(show(r.current), show(await store.get('/n')), 'losers see the winner');
    const many = await Promise.all(Array.from({ length: 200 }, (_, i) => commit(store, put(`/k${i}`, 'v'))));
    const counted = Array.from({ length: 200 }, (_, i) => 3 + i);
    t.same(
      [...many].sort((a, b) => a - b),
      counted,
      'each has its revision',
    );
    if (store.supports.soleWriter) t.same(many, counted, 'in the order of calls');
  });

  test('ranges: prefix, order, limit, after', async (t, store) => {
    // Bytewise order puts U+FF5E before the astral U+1F600, UTF-16 order would not.
    const keys = ['/p', '/p/', '/p/a', '/p/a/x', '/p/b', '/p/z', '/p/é', '/p/\uff5e', '/p/\u{1f600}', '/q', '/o/z'];
    await commit(store, ...keys.map(key => put(key, key)));
    const range = async (prefix: string, options = {}): Promise<[string[], number]> => {
      const result = await store.range(prefix, options);
      t.equal(result.more, result.remaining > 0);
      return [result.items.map(kv => kv.key), result.remaining];
    };
    const under = ['/p/', '/p/a', '/p/a/x', '/p/b', '/p/z', '/p/é', '/p/\uff5e', '/p/\u{1f600}'];
    t.same(await range('/p/'), [under, 0]);
    t.same(await range('/p/', { limit: 3 }), [under.slice(0, 3), 5]);
    t.same(await range('/p/', { limit: 3, after: '/p/a/x' }), [under.slice(3, 6), 2]);
    t.same(await range('/p/', { limit: 8 }), [under, 0]);
    t.same(await range('/p/', { limit: 0, after: '/p/a0' }), [under.slice(3), 0], 'after need not exist');
    t.same(await range('/p/', { after: '/a' }), [under, 0], 'after before the prefix');
    t.same(await range('/p/', { after: '/q' }), [[], 0], 'after beyond the prefix');
    t.same(await range(''), [['/o/z', '/p', ...under, '/q'], 0]);
    t.same(await range('/none/'), [[], 0]);
  });

  test('old revisions are readable until compacted', async (t, store) => {
    await commit(store, put('/a', '1'), put('/b', '1')); // 1
    await commit(store, put('/a', '2')); // 2
    await commit(store, del('/b'), put('/c', '3')); // 3
    await commit(store, put('/b', '4')); // 4
    const at = async (revision: number): Promise<string[]> => {
      const result = await store.range('/', { revision });
      t.equal(result.revision, revision);
      return result.items.map(show);
    };
    t.same(await at(1), ['/a=1@1/1', '/b=1@1/1']);
    t.same(await at(2), ['/a=2@1/2', '/b=1@1/1']);
    t.same(await at(3), ['/a=2@1/2', '/c=3@3/3']);
    t.same(await at(4), ['/a=2@1/2', '/b=4@4/4', '/c=3@3/3']);
    t.equal(show(await store.get('/b', { revision: 2 })), '/b=1@1/1');
    t.equal(await store.get('/b', { revision: 3 }), undefined);
    t.equal(await store.get('/c', { revision: 1 }), undefined);
    await t.rejects(store.range('/', { revision: 5 }), FutureRevisionError);
    await t.rejects(store.get('/a', { revision: 5 }), FutureRevisionError);
    await t.rejects(store.compact(5), FutureRevisionError);

    await store.compact(2);
    t.equal(store.compactedRevision(), 2);
    await t.rejects(store.range('/', { revision: 2 }), CompactedError);
    await t.rejects(store.get('/a', { revision: 1 }), CompactedError);
    t.same(await at(3), ['/a=2@1/2', '/c=3@3/3']);
    await store.compact(1);
    t.equal(store.compactedRevision(), 2, 'compaction never goes back');
    await store.compact(4);
    t.same(await at(4), ['/a=2@1/2', '/b=4@4/4', '/c=3@3/3'], 'the newest revision is not an old one');
    t.equal(await store.latest(signal), 4);
    t.equal(await commit(store, put('/d', '5')), 5);
    await t.rejects(store.range('/', { revision: 4 }), CompactedError);
  });

  test('pages of one revision stay consistent under writes', async (t, store) => {
    await commit(store, ...Array.from({ length: 50 }, (_, i) => put(`/k/${String(i).padStart(3, '0')}`, 'old')));
    const seen: string[] = [];
    let after: string | undefined;
    for (let page = 0; ; page++) {
      const result = await store.range('/k/', { revision: 1, limit: 7, ...(after === undefined ? {} : { after }) });
      seen.push(...result.items.map(kv => `${kv.key}=${text(kv)}`));
      t.equal(result.remaining, 50 - seen.length);
      if (!result.more) break;
      after = result.items.at(-1)?.key;
      await commit(store, del(`/k/${String(page * 5).padStart(3, '0')}`), put(`/k/0${page}x`, 'new'));
      await commit(store, put(`/k/${String(49 - page).padStart(3, '0')}`, 'new'));
    }
    t.same(
      seen,
      Array.from({ length: 50 }, (_, i) => `/k/${String(i).padStart(3, '0')}=old`),
    );
  });

  test('watches: order, prefix, previous values, decoded', async (t, store, { watch, told }) => {
    const all: string[] = [];
    const some: string[] = [];
    const decoded: unknown[] = [];
    await watch('', 0, events => {
      t.ok(store.observed() >= (events.at(-1)?.revision ?? 0), 'what is announced is visible');
      all.push(...events.map(showEvent));
      decoded.push(...events.map(e => e.decoded));
    });
    const stop = await watch('/a/', 0, events => some.push(...events.map(showEvent)));
    const object = { parsed: true };
    await store.commit([], [{ type: 'put', key: '/a/x', value: bytes('1'), decoded: object }, put('/b', '1')]);
    if (store.supports.soleWriter) t.equal(all.length, 2, 'events are there when the commit resolves');
    await commit(store, put('/a/x', '2'));
    await told();
    stop();
    await commit(store, del('/a/x'), del('/none'));
    await told();
    t.same(all, [
      '1 put /a/x now /a/x=1@1/1 was -',
      '1 put /b now /b=1@1/1 was -',
      '2 put /a/x now /a/x=2@1/2 was /a/x=1@1/1',
      '3 delete /a/x now - was /a/x=2@1/2',
    ]);
    t.same(some, [all[0], all[2]]);
    t.equal(decoded[0], object, 'carried by identity');
    t.equal(decoded[1], undefined);
  });

  test('watches: missed history first, then what follows', async (t, store, { watch, told }) => {
    for (let i = 1; i <= 20; i++) await commit(store, put(`/k${i % 3}`, String(i)), put('/x', String(i)));
    await told();
    const live: string[] = [];
    const from0: string[] = [];
    await watch('/k', 20, events => live.push(...events.map(showEvent)));
    const opening = watch('/k', 0, events => from0.push(...events.map(showEvent)));
    const during = Array.from({ length: 20 }, (_, i) => commit(store, put(`/k${i % 3}`, String(21 + i))));
    await opening;
    await Promise.all(during);
    await told();
    t.equal(from0.length, 40);
    t.same(from0.slice(20), live);
    t.equal(from0[0], '1 put /k1 now /k1=1@1/1 was -');
    t.equal(from0[4], '5 put /k2 now /k2=5@2/5 was /k2=2@2/2');

    await store.compact(10);
    await t.rejects(store.watch('/k', 9, { events: () => undefined, lost: () => undefined }), CompactedError);
    const from10: string[] = [];
    await watch('/k', 10, events => from10.push(...events.map(showEvent)));
    t.same(from10, from0.slice(10), 'previous values survive the compaction of the revision that wrote them');

    const future: string[] = [];
    await watch('/k', 42, events => future.push(...events.map(showEvent)));
    for (let i = 41; i <= 44; i++) await commit(store, put('/k', String(i)));
    await told();
    t.same(
      future.map(line => line.slice(0, 2)),
      ['43', '44'],
      'nothing at or below fromRevision',
    );
  });

  test('a watcher may commit from its callback, and all watchers see one order', async (t, store, { watch, told }) => {
    const first: number[] = [];
    const second: number[] = [];
    const nested: Promise<unknown>[] = [];
    await watch('/', 0, events => {
      first.push(...events.map(e => e.revision));
      if (first.length < 5) nested.push(commit(store, put('/n', String(first.length))));
    });
    await watch('/', 0, events => second.push(...events.map(e => e.revision)));
    await commit(store, put('/n', '0'));
    await told();
    for (let i = 0; i < nested.length; i++) {
      await nested[i];
      await told();
    }
    t.same(first, [1, 2, 3, 4, 5]);
    t.same(second, first);
  });

  test('a watcher that throws is told, and costs nobody else', async (t, store, { watch, told }) => {
    const fault = new Error('a watcher with a bug');
    const lost: Lost[] = [];
    const seen: number[] = [];
    await store.watch('/', 0, {
      events(events) {
        if (events.some(e => e.revision >= 2)) throw fault;
      },
      lost: told => void lost.push(told),
    });
    await watch('/', 0, events => seen.push(...events.map(e => e.revision)));
    for (let i = 1; i <= 4; i++) {
      await commit(store, put('/a', String(i)));
      await told();
    }
    t.same(seen, [1, 2, 3, 4]);
    t.same(lost, [{ after: 1, fault }], 'once, with what it had taken');
  });

  test('agrees with a plain model over a random history', async (t, store, { watch, told }) => {
    const random = seededRandom(42).below;
    const model = new Map<string, KeyValue>();
    const states: KeyValue[][] = [[]];
    const log: string[] = [];
    const seen: string[] = [];
    await watch('', 0, events => seen.push(...events.map(showEvent)));
    const pickKey = (): string => `/${'abc'[random(3)] ?? ''}/${random(60)}`;
    while (states.length <= 400) {
      const revision = states.length;
      const ops = new Map<string, Op>();
      for (let i = random(3); i >= 0; i--) {
        const key = pickKey();
        ops.set(key, random(3) === 0 ? del(key) : put(key, `v${revision}`));
      }
      const lines: string[] = [];
      for (const op of ops.values()) {
        const previous = model.get(op.key);
        if (op.type === 'delete') {
          if (previous === undefined) continue;
          model.delete(op.key);
          lines.push(showEvent({ type: 'delete', key: op.key, revision, previous }));
        } else {
          const kv = { ...op, modRevision: revision, createRevision: previous?.createRevision ?? revision };
          model.set(op.key, kv);
          lines.push(showEvent({ type: 'put', key: op.key, revision, kv, ...(previous && { previous }) }));
        }
      }
      const committed = await commit(store, ...ops.values());
      if (lines.length === 0) continue;
      if (committed !== revision) t.equal(committed, revision);
      log.push(...lines);
      states.push([...model.values()].sort((a, b) => compareKeys(a.key, b.key)));
    }
    await told();
    t.same(seen, log, 'events');
    await store.compact(100);
    const wrong: string[] = [];
    for (let i = 0; i < 300; i++) {
      const revision = 101 + random(300);
      const prefix = ['', '/', '/a/', '/b/', '/c/1'][random(5)] ?? '';
      const limit = random(3) === 0 ? 0 : 1 + random(30);
      const after = random(2) === 0 ? undefined : pickKey();
      const expected = (states[revision] ?? []).filter(
        kv => kv.key.startsWith(prefix) && (after === undefined || compareKeys(kv.key, after) > 0),
      );
      const page = limit === 0 ? expected : expected.slice(0, limit);
      const got = await store.range(prefix, { revision, limit, ...(after === undefined ? {} : { after }) });
      const ok =
        got.items.map(show).join() === page.map(show).join() && got.remaining === expected.length - page.length;
      if (!ok) wrong.push(JSON.stringify({ revision, prefix, limit, after }));
      const key = pickKey();
      const kv = states[revision]?.find(kv => kv.key === key);
      if (show(await store.get(key, { revision })) !== show(kv)) wrong.push(`get ${key} at ${revision}`);
    }
    t.same(wrong, [], 'ranges and gets at old revisions');
    const replayed: string[] = [];
    await watch('', 100, events => replayed.push(...events.map(showEvent)));
    t.same(
      replayed,
      log.filter(line => Number.parseInt(line) > 100),
      'replay',
    );
  });

  test('after close everything is refused', async (t, store) => {
    const last = store.commit([], [put('/a', '1')]);
    await store.close();
    t.match(await last, { ok: true, revision: 1 }, 'a commit under way is finished');
    const calls: (() => Promise<unknown>)[] = [
      () => store.get('/a'),
      () => store.range('/'),
      () => store.commit([], [put('/a', '2')]),
      () => store.watch('/', 0, { events: () => undefined, lost: () => undefined }),
      () => store.compact(1),
    ];
    for (const call of calls) {
      await t.rejects(
        call().then(() => undefined),
        { name: 'StorageError', code: 'closed' },
      );
    }
    await store.close();
    t.ok(new StorageError('closed', 'x') instanceof Error);
  });
}
