import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { FakeClock, realClock } from '../../src/machinery/clock.js';
import { seededRandom } from '../../src/machinery/random.js';
import { ensurePki } from '../../src/cluster/keys/pki.js';
import { runCompactor } from '../../src/storage/compactor.js';
import { openEtcdStore, type EtcdStoreOptions } from '../../src/storage/etcd/etcd-store.js';
import { createProgress } from '../../src/storage/progress.js';
import { CompactedError, type KvStore, type Lost, type WatchEvent } from '../../src/storage/kv-store.js';
import { etcdBinaries, freshStore, startEtcd, type RunningEtcd } from '../support/etcd.js';
import { tcpRelay } from '../support/tcp-relay.js';
import { answered, until } from '../support/until.js';

t.jobs = 1;
t.setTimeout(300_000);

const { signal } = new AbortController();
const portOf = (url: string): number => Number(new URL(url).port);

async function put(store: KvStore, key: string, value = 'x'): Promise<number> {
  const { revision } = await store.commit([], [{ type: 'put', key, value: Buffer.from(value) }]);
  return revision;
}

/** What a store is told from now on, and whether it loses it. */
async function follow(store: KvStore, from = store.observed()): Promise<{ keys: string[]; lost: Lost[] }> {
  const [keys, lost]: [string[], Lost[]] = [[], []];
  await store.watch('', from, {
    events: (events: readonly WatchEvent[]) => void keys.push(...events.map(({ key }) => key)),
    lost: told => void lost.push(told),
  });
  return { keys, lost };
}

interface Over {
  readonly etcd: RunningEtcd;
  readonly version: string;
  open(...more: Parameters<typeof freshStore>): Promise<KvStore>;
}

const binaries = etcdBinaries();
if (binaries.length === 0) t.test('over etcd', { skip: 'etcd is not installed' }, () => undefined);

function test(what: string, run: (t: Test, over: Over) => Promise<void>): void {
  for (const { file, version } of binaries)
    t.test(`etcd ${version}: ${what}`, async t => {
      const etcd = await startEtcd(file);
      const stores: KvStore[] = [];
      t.teardown(async () => {
        for (const store of stores) await store.close();
        await etcd.close();
      });
      const open: Over['open'] = async (url, more) => {
        const store = await freshStore(url, more);
        stores.push(store);
        return store;
      };
      await run(t, { etcd, version, open });
    });
}

test('two processes over one prefix see each other’s writes', async (t, { etcd, open }) => {
  const [a, b] = [await open(etcd.url, { prefix: '/p' }), await open(etcd.url, { prefix: '/p' })];
  const seen = await follow(b);
  for (let i = 0; i < 20; i++) await put(a, `/k${i}`);
  await createProgress(b).reached(await b.latest(signal), signal);
  t.same(
    seen.keys,
    Array.from({ length: 20 }, (_, i) => `/k${i}`),
  );
  const refused = await b.commit([{ key: '/k0', modRevision: 0 }], [{ type: 'delete', key: '/k0' }]);
  t.equal(refused.ok, false);
});

test('what others write beside ours is waited for, and told to nobody', async (t, { etcd, version, open }) => {
  const [ours, others] = [await open(etcd.url, { prefix: '/ours' }), await open(etcd.url, { prefix: '/others' })];
  const all = await open(etcd.url, { prefix: '' });
  const seen = await follow(ours);
  const progress = createProgress(ours);
  for (let i = 0; i < 5; i++) {
    const revision = await put(others, '/k');
    await progress.reached(await ours.latest(signal), signal);
    t.ok(ours.observed() >= revision);
  }
  t.same(seen, { keys: [], lost: [] });
  const fences = (await all.range('/ours')).items.map(({ key }) => key);
  t.same(fences, version === '3.4.23' ? ['/ourskubette.io/fence'] : [], 'a key is written only where it must be');
});

test('a compaction by another process is known', async (t, { etcd, open }) => {
  const [a, b] = [await open(etcd.url, { prefix: '/p' }), await open(etcd.url, { prefix: '/p' })];
  for (let i = 0; i < 5; i++) await put(a, '/k', String(i));
  const newest = await b.latest(signal);
  const compactKey = { type: 'put', key: 'compact_rev_key', value: Buffer.from(String(newest - 1)) } as const;
  // The key has no prefix: who has none writes it.
  await (await open(etcd.url, { prefix: '', replaces: '' })).commit([], [compactKey]);
  await a.compact(newest - 1);
  await until('the other knows', () => b.compactedRevision() === newest - 1);
  await t.rejects(b.range('/', { revision: newest - 1 }), CompactedError);
  await t.rejects(follow(b, newest - 2), CompactedError);
});

test('of several servers one compacts, every five minutes, what is older than that', async (t, { etcd, open }) => {
  const stores = [await open(etcd.url, { prefix: '/registry/', replaces: '/registry/' })];
  stores.push(await open(etcd.url, { prefix: '/registry/', replaces: '/registry/' }));
  const clock = new FakeClock();
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const told: number[][] = stores.map(() => []);
  const running = stores.map((store, i) =>
    runCompactor({
      ...{ store, clock, signal: stopping.signal, onError: error => failures.push(error) },
      onCompacted: revision => told[i]?.push(revision),
    }),
  );
  const [one] = stores;
  if (one === undefined) return;
  for (let round = 0; round < 3; round++) {
    await put(one, '/registry/k', String(round));
    const newest = await one.latest(signal);
    for (const store of stores) await createProgress(store).reached(newest, signal);
    await until('both wait', () => clock.waiting === 2);
    clock.step(5 * 60_000);
    await until('both wait again', () => clock.waiting === 2);
  }
  await until('both know', () => stores.every(store => store.compactedRevision() === one.compactedRevision()));
  const last = one.compactedRevision();
  t.ok((await one.latest(signal)) > last, 'what is newer than five minutes stays');
  await t.rejects(one.range('/', { revision: last }), CompactedError);
  t.equal((await one.range('/registry/', { revision: last + 1 })).items.length, 1);
  t.match((await one.get('compact_rev_key'))?.value.toString(), String(last));
  t.same(failures, []);
  stopping.abort();
  await Promise.all(running);
});

test('a watch that missed what was compacted is lost, and can be opened again', async (t, { etcd, open }) => {
  const relay = await tcpRelay(portOf(etcd.url));
  t.teardown(() => relay.close());
  const a = await open(etcd.url, { prefix: '/p' });
  const b = await open(`http://127.0.0.1:${relay.port}`, { prefix: '/p' });
  const first = await put(a, '/k0');
  await createProgress(b).reached(first, signal);
  const seen = await follow(b);
  relay.cut();
  for (let i = 1; i <= 5; i++) await put(a, `/k${i}`);
  const newest = await a.latest(signal);
  await a.compact(newest);
  t.same(seen, { keys: [], lost: [] }, 'nothing is said while nothing is known');
  relay.mend();
  await until('it is lost', () => seen.lost.length === 1);
  t.same(seen.lost, [{ after: first }]);
  await t.rejects(follow(b, first), CompactedError);
  const again = await follow(b);
  await put(a, '/k6');
  await until('it is told', () => again.keys.length === 1);
  t.same(again.keys, ['/k6']);
});

test('a watch goes on where the connection was lost, and nothing comes twice', async (t, { etcd, open }) => {
  const relay = await tcpRelay(portOf(etcd.url));
  t.teardown(() => relay.close());
  const a = await open(etcd.url, { prefix: '/p' });
  const problems: string[] = [];
  const b = await open(`http://127.0.0.1:${relay.port}`, { prefix: '/p', onProblem: line => problems.push(line) });
  const seen = await follow(b);
  const keys: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 10; i++) keys.push(`/${round}/${i}`);
    for (let i = 0; i < 10; i++) {
      if (i === 5) relay.cut();
      await put(a, `/${round}/${i}`);
    }
    relay.mend();
    await until('it is told', () => seen.keys.length >= keys.length);
  }
  t.same(seen, { keys, lost: [] });
  t.match(problems[0], /^etcd: rpc error: code = Unavailable desc = /);
  t.ok(problems.includes('etcd: the connection stands again'));
});

test('another server is asked when one is gone', async (t, { etcd, open }) => {
  const [one, two] = [await tcpRelay(portOf(etcd.url)), await tcpRelay(portOf(etcd.url))];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const servers = [one, two].map(({ port }) => `http://127.0.0.1:${port}`);
  const store = await open(etcd.url, { servers: ['http://127.0.0.1:1', ...servers] });
  const seen = await follow(store);
  await put(store, '/a');
  one.cut();
  // What was on its way may have been done: only who asked knows whether to ask again.
  await answered(() => put(store, '/b'));
  one.mend();
  two.cut();
  await answered(() => put(store, '/c'));
  await until('all are told', () => seen.keys.includes('/c'));
  t.same(seen.lost, []);
  t.same([...new Set(seen.keys)], ['/a', '/b', '/c']);
});

test('etcd is killed and started again: errors meanwhile, nothing acknowledged is lost', async (t, { etcd, open }) => {
  const store = await open(etcd.url);
  const seen = await follow(store);
  const acknowledged = new Map<string, number>();
  let [errors, stop] = [0, false];
  const writer = async (name: number): Promise<void> => {
    for (let i = 0; !stop; i++) {
      const key = `/${name}/${i}`;
      try {
        acknowledged.set(key, await put(store, key));
      } catch (error) {
        t.match(error, { name: 'StorageError' });
        errors++;
        await realClock.sleep(5);
      }
    }
  };
  const writers = Promise.all([0, 1, 2, 3].map(writer));
  for (let round = 1; round <= 2; round++) {
    const before = acknowledged.size;
    await until('they write', () => acknowledged.size > before + 50);
    const failed = errors;
    await etcd.kill('SIGKILL');
    await until('they are told', () => errors > failed);
    await t.rejects(store.latest(signal), { name: 'StorageError' }, 'nobody says how things are now');
    await etcd.start();
  }
  const before = acknowledged.size;
  await until('they write again', () => acknowledged.size > before + 50);
  stop = true;
  await writers;
  await createProgress(store).reached(await store.latest(signal), signal);
  const stored = new Map((await store.range('/')).items.map(({ key, modRevision }) => [key, modRevision]));
  t.same(
    [...acknowledged].filter(([key, revision]) => stored.get(key) !== revision),
    [],
    `${acknowledged.size} acknowledged, ${stored.size} stored, ${errors} errors`,
  );
  t.same(seen.lost, []);
  t.same([...seen.keys].sort(), [...stored.keys()].sort(), 'each was told once');
});

test('keys are where they belong', async (t, { etcd, open }) => {
  const store = await open(etcd.url, { prefix: '/mine/', replaces: '/registry/' });
  const all = await open(etcd.url, { prefix: '', replaces: '' });
  const seen = await follow(store);
  for (const key of ['/registry/pods/ns/a', '/registry/services/specs/ns/s', 'compact_rev_key']) await put(store, key);
  t.same(
    (await all.range('')).items.map(({ key }) => key),
    ['/mine/pods/ns/a', '/mine/services/specs/ns/s', 'compact_rev_key'],
  );
  t.same(
    (await store.range('')).items.map(({ key }) => key),
    ['/registry/pods/ns/a', '/registry/services/specs/ns/s'],
  );
  t.match(await store.get('compact_rev_key'), { key: 'compact_rev_key' });
  await until('they are told', () => seen.keys.length === 2);
  t.same(seen.keys, ['/registry/pods/ns/a', '/registry/services/specs/ns/s']);
});

test('what etcd does not take is refused, and a list of more than a page is whole', async (t, { etcd, open }) => {
  const store = await open(etcd.url);
  const ops = Array.from({ length: 129 }, (_, i) => ({ type: 'put', key: `/k${i}`, value: Buffer.from('x') }) as const);
  t.equal(store.supports.maxOps, 128);
  await t.rejects(store.commit([], ops), { message: 'etcd takes at most 128 operations in one transaction' });
  t.ok((await store.commit([], ops.slice(0, 128))).ok);
  await t.rejects(put(store, '/large', 'x'.repeat(1_600_000)), { message: 'etcdserver: request is too large' });
  for (let i = 0; i < 1_100; i++) await put(store, `/m/${i}`);
  t.equal((await store.range('/m/')).items.length, 1_100);
  t.match(await store.range('/m/', { limit: 700 }), { more: true, remaining: 400 });
});

t.test('why there is no store, in one line', { skip: binaries.length === 0 && 'etcd is not installed' }, async t => {
  const [binary = { file: '' }] = binaries;
  const etcd = await startEtcd(binary.file);
  t.teardown(() => etcd.close());
  const base = t.testdir({ one: {}, two: {} });
  const pki = await ensurePki(`${base}/one`, { clock: realClock });
  const other = await ensurePki(`${base}/two`, { clock: realClock });
  await pki.servingCertificate('etcd', { commonName: 'etcd' }, ['127.0.0.1']);
  const files = `${base}/one/pki`;
  const secure = await startEtcd(binary.file, [
    ...['--cert-file', `${files}/etcd.crt`, '--key-file', `${files}/etcd.key`],
    ...['--client-cert-auth', '--trusted-ca-file', `${files}/ca.crt`],
  ]);
  t.teardown(() => secure.close());
  const talks = createServer(socket => void socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
  await once(talks, 'listening');
  t.teardown(() => void talks.close());
  const at = (server: typeof talks): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rows: { name: string; url: string; tls?: EtcdStoreOptions['tls']; expect: RegExp }[] = [
    { name: 'nobody listens', url: 'http://127.0.0.1:1', expect: /127\.0\.0\.1:1: connection refused$/ },
    { name: 'no such host', url: 'http://no-such-host.invalid:2379', expect: /no-such-host\.invalid:2379: / },
    { name: 'something else listens', url: at(talks), expect: /does not speak HTTP\/2/ },
    {
      name: 'our CA is not theirs',
      url: secure.url,
      tls: { ca: other.ca.cert },
      expect: /self-signed certificate|unable to/,
    },
    {
      name: 'etcd wants a certificate',
      url: secure.url,
      tls: { ca: pki.ca.cert },
      expect: /^cannot reach etcd: .*: the server wants a client certificate that it knows$/,
    },
    { name: 'etcd has TLS', url: secure.url.replace('https:', 'http:'), expect: /127\.0\.0\.1:\d+: .+/ },
    { name: 'etcd has no TLS', url: etcd.url.replace('http:', 'https:'), expect: /127\.0\.0\.1:\d+: .+/ },
  ];
  const client = await pki.clientCertificate('client', { commonName: 'apiserver' });
  const known = await freshStore(secure.url, { tls: { ca: pki.ca.cert, ...client } });
  t.ok(await put(known, '/k'), 'who has the right certificates is let in');
  await known.close();
  for (const { name, url, tls = {}, expect } of rows)
    await t.test(name, async t => {
      const opening = openEtcdStore({
        ...{ servers: [url], tls, clock: realClock, random: seededRandom(1).number },
        ...{ prefix: '/registry/', replaces: '/registry/', onProblem: () => undefined },
      });
      const error = await opening.then(
        () => undefined,
        (why: Error) => why,
      );
      t.match(error, { name: 'StorageError', code: 'io', message: expect });
      t.notMatch(error?.message, /\n/);
    });
});
