import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { FakeClock } from '../../src/machinery/clock.js';
import type { KvStore, WatchEvent } from '../../src/storage/kv-store.js';
import { openDb } from '../../src/storage/leveldb/open.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';
import { aesGcm } from '../../src/storage/encryption/aes.js';
import { encryptedStore } from '../../src/storage/encryption/encrypted-store.js';
import { prefixed } from '../../src/storage/encryption/transformer.js';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';
import { seededRandom } from '../../src/machinery/random.js';
import { storageSuite } from './storage.js';
import { lateStore, losingStore } from '../support/stores.js';

t.jobs = 1;
storageSuite(t, 'memory', async () => createMemoryStore());
storageSuite(t, 'leveldb', async t => openLevelStore(t.testdir()));
storageSuite(t, 'memory that starts later', async () => createMemoryStore({ firstRevision: 1_000 }));
storageSuite(t, 'memory, encrypted', async () => {
  const transformer = prefixed(
    [{ prefix: 'k8s:enc:aesgcm:v1:', transformer: aesGcm(Buffer.alloc(32, 1)) }],
    'no prefix',
  );
  return encryptedStore(createMemoryStore(), { transformerOf: () => transformer });
});
storageSuite(t, 'a store that tells late', async () => lateStore(createMemoryStore()));
storageSuite(t, 'a store that loses its watches', async () => losingStore(createMemoryStore(), 3));

const put = async (store: KvStore, key: string, value: string): Promise<number> =>
  (await store.commit([], [{ type: 'put', key, value: Buffer.from(value) }])).revision;

const writerFile = fileURLToPath(new URL(`./storage-writer.${import.meta.url.slice(-2)}`, import.meta.url));
const runtime = writerFile.endsWith('.ts') ? ['--import', 'tsx'] : [];

interface Writer {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves when a line matches, or the process ended. */
  line(pattern: RegExp): Promise<void>;
  readonly ended: Promise<unknown>;
}

function startWriter(dir: string, size: number, wrap: (command: string[]) => string[] = c => c): Writer {
  const [file = '', ...args] = wrap([process.execPath, ...runtime, writerFile, dir, String(size)]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const closed = once(reader, 'close');
  reader.on('line', line => lines.push(line));
  return {
    child,
    lines,
    ended: Promise.all([once(child, 'exit'), closed]),
    async line(pattern) {
      while (!lines.some(line => pattern.test(line))) {
        if ((await Promise.race([once(reader, 'line'), closed])).length === 0) return;
      }
    },
  };
}

t.test('leveldb: a new start serves the same state, history and revision', async t => {
  const dir = t.testdir();
  const first = await openLevelStore(dir);
  for (let i = 1; i <= 10; i++) await put(first, `/k${i % 2}`, String(i));
  await first.compact(3);
  await first.close();

  const second = await openLevelStore(dir);
  t.equal(second.observed(), 10);
  t.equal(second.compactedRevision(), 3);
  t.same(
    (await second.range('/', { revision: 5 })).items.map(kv => [kv.key, Buffer.from(kv.value).toString()]),
    [
      ['/k0', '4'],
      ['/k1', '5'],
    ],
  );
  const events: WatchEvent[] = [];
  await second.watch('/', 3, { events: batch => void events.push(...batch), lost: () => t.fail('lost') });
  t.same(
    events.map(e => e.revision),
    [4, 5, 6, 7, 8, 9, 10],
  );
  t.equal(await put(second, '/k0', 'x'), 11);
  await second.close();
});

t.test('leveldb: kill -9 loses nothing acknowledged', async t => {
  const dir = t.testdir();
  const random = seededRandom(7).below;
  let newest = 0;
  const acked = new Map<string, number>();
  for (let round = 0; round < 4; round++) {
    const writer = startWriter(dir, 200);
    await writer.line(new RegExp(`^ack \\d+ ${newest + 50 + random(300)}$`));
    writer.child.kill('SIGKILL');
    await writer.ended;
    t.equal(writer.lines[0], `open ${newest}`);
    for (const line of writer.lines) {
      const [, n, revision] = /^ack (\d+) (\d+)$/.exec(line) ?? [];
      if (n !== undefined) acked.set(`/k/${n}`, Number(revision));
    }
    const store = await openLevelStore(dir);
    const stored = new Map((await store.range('/k/')).items.map(kv => [kv.key, kv.modRevision]));
    const lost = [...acked].filter(([key, revision]) => stored.get(key) !== revision);
    t.same(lost, [], `round ${round}: ${acked.size} acknowledged, ${stored.size} stored`);
    t.ok(store.observed() >= Math.max(...acked.values()), 'the revision never goes back');
    newest = store.observed();
    await store.close();
  }
});

t.test('leveldb: what cannot be opened says why, in one line', async t => {
  const cases: {
    name: string;
    code: string;
    message: RegExp;
    skip?: string | false;
    break: (dir: string) => Promise<void>;
  }[] = [
    {
      name: 'CURRENT is gone',
      code: 'damaged',
      message: /is damaged: file CURRENT is missing$/,
      break: dir => rm(join(dir, 'CURRENT')),
    },
    {
      name: 'CURRENT is nonsense',
      code: 'damaged',
      message: /is damaged: file CURRENT does not name a manifest$/,
      break: dir => writeFile(join(dir, 'CURRENT'), 'nonsense'),
    },
    {
      name: 'the manifest is gone',
      code: 'damaged',
      message: /is damaged/,
      break: async dir => {
        for (const file of await readdir(dir)) if (file.startsWith('MANIFEST')) await rm(join(dir, file));
      },
    },
    {
      name: 'the manifest is cut short',
      code: 'damaged',
      message: /is damaged: file MANIFEST-\d+: it is cut short$/,
      break: async dir => {
        for (const file of await readdir(dir)) if (file.startsWith('MANIFEST')) await truncate(join(dir, file), 10);
      },
    },
    {
      name: 'a batch in the middle is missing',
      code: 'damaged',
      message: /is damaged: revision 2 is missing$/,
      break: async dir => {
        const { db } = await openDb(dir);
        for (const key of await db.keys().all()) if (/^l0*2\D?/.test(key.slice(0, 17))) await db.del(key);
        await db.close();
      },
    },
    {
      name: 'another format version',
      code: 'format',
      message:
        /has the unknown format version "kubette-99" \(this program knows "kubette-2"\): a newer one may read it$/,
      break: async dir => {
        const { db } = await openDb(dir);
        await db.put('mformat', Buffer.from('kubette-99'));
        await db.close();
      },
    },
    {
      name: 'no right to read it',
      code: 'permission',
      message: /permission denied$/,
      skip: process.getuid?.() === 0 && 'root may read everything',
      break: dir => chmod(dir, 0),
    },
    {
      name: 'a file in its place',
      code: 'io',
      message: /is not a folder$/,
      break: async dir => {
        await rm(dir, { recursive: true });
        await writeFile(dir, '');
      },
    },
  ];
  for (const c of cases) {
    await t.test(c.name, c.skip === undefined || c.skip === false ? {} : { skip: c.skip }, async t => {
      const dir = join(t.testdir(), 'store');
      const store = await openLevelStore(dir);
      for (let i = 0; i < 3; i++) await put(store, '/a', String(i));
      await store.close();
      await c.break(dir);
      const error = (await openLevelStore(dir).catch((e: unknown) => e)) as Error & { code: string };
      t.match(error, { name: 'StorageError', code: c.code });
      t.match(error.message, c.message);
      t.notMatch(error.message, '\n');
    });
  }

  await t.test('open in another process', async t => {
    const dir = t.testdir();
    const store = await openLevelStore(dir);
    t.teardown(() => store.close());
    const other = startWriter(dir, 1);
    await other.ended;
    t.same(other.lines, [`error locked data store ${dir} is in use by another process`]);
    t.equal(other.child.exitCode, 1);
  });

  await t.test('a first start that died at once', async t => {
    const dir = join(t.testdir(), 'store');
    await mkdir(dir);
    await writeFile(join(dir, 'LOCK'), '');
    await writeFile(join(dir, 'MANIFEST-000001'), '');
    const store = await openLevelStore(dir);
    t.equal(await put(store, '/a', '1'), 1);
    await store.close();
  });
});

t.test('leveldb: a full disk fails commits, keeps reads, and heals', async t => {
  const dir = join(t.testdir(), 'store');
  // A limit on the size of files is as good as a full disk: LevelDB's log cannot grow, nor can it be opened anew.
  const writer = startWriter(dir, 60_000, command => [
    '/bin/sh',
    '-c',
    `ulimit -f 4000 && exec ${command.map(part => `'${part}'`).join(' ')}`,
  ]);
  await writer.ended;
  const [failed = '', reads = '', again = ''] = writer.lines.filter(line => !/^(open|ack)/.test(line));
  t.match(failed, /^failed disk-full data store \S+ cannot be written: no space left on device$/);
  const acked = writer.lines.filter(line => line.startsWith('ack')).length;
  t.ok(acked > 10);
  t.equal(reads, `reads ${acked} ${acked}`, 'everything acknowledged is still served, and nothing else');
  t.equal(again, 'again disk-full');

  const store = await openLevelStore(dir);
  t.equal((await store.range('/k/')).items.length, acked, 'nothing half-written');
  t.equal(await put(store, '/k/more', 'x'), acked + 1);
  await store.close();
});

t.test('leveldb: recovers in place after a failed write', async t => {
  const dir = t.testdir();
  const clock = new FakeClock();
  const store = await openLevelStore(dir, { clock });
  t.teardown(() => store.close());
  await put(store, '/a', '1');
  // A folder where LevelDB wants its next table makes the write buffer impossible to flush.
  const seen: number[] = [];
  await store.watch('/', 1, {
    events: events => void seen.push(...events.map(e => e.revision)),
    lost: () => t.fail('lost'),
  });
  for (let n = 1; n < 60; n++) await mkdir(join(dir, `${String(n).padStart(6, '0')}.ldb`), { recursive: true });
  let failed: unknown;
  const value = 'x'.repeat(500_000);
  for (let i = 0; i < 100 && failed === undefined; i++) {
    failed = await put(store, `/big/${i}`, value).then(
      () => undefined,
      (e: unknown) => e,
    );
  }
  t.match(failed, { name: 'StorageError', code: 'io' });
  const before = store.observed();
  t.equal((await store.range('/big/', { limit: 1 })).remaining, before - 2, 'reads go on');
  for (const file of await readdir(dir)) {
    if (file.endsWith('.ldb')) await rm(join(dir, file), { recursive: true });
  }
  await t.rejects(
    put(store, '/b', '1').then(() => undefined),
    { code: 'io' },
    'not tried again at once',
  );
  clock.step(1000);
  const revision = await put(store, '/b', '1');
  t.ok(revision > before);
  t.equal(store.observed(), revision);
  t.equal(seen.at(-1), revision);
  t.same(
    seen,
    Array.from({ length: revision - 1 }, (_, i) => i + 2),
    'watchers miss nothing',
  );
});

t.test('memory: a first revision counts as compacted', async t => {
  const store = createMemoryStore({ firstRevision: 1_000 });
  t.equal(store.observed(), 1_000);
  await t.rejects(store.watch('/', 10, { events: () => undefined, lost: () => undefined }), { name: 'CompactedError' });
  const result = await store.commit([], [{ type: 'put', key: '/a', value: Buffer.from('x') }]);
  t.match(result, { ok: true, revision: 1_001 });
  await store.close();
});
