import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { KvStore } from '../../src/storage/kv-store.js';
import { inspectStore, type Finding } from '../../src/storage/leveldb/inspect.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';
import { currentKey, logKey } from '../../src/storage/leveldb/layout.js';
import { openDb } from '../../src/storage/leveldb/open.js';
import { openRaw } from '../../src/storage/leveldb/raw.js';
import { seededRandom } from '../../src/machinery/random.js';

t.jobs = 1;
// Every case is several starts, each with its syncs.
t.setTimeout(300_000);

/** What was acknowledged: the newest state as `key=value@revision`, and every value that a key ever had. */
interface Acknowledged {
  readonly newest: number;
  readonly state: readonly string[];
  readonly ever: ReadonlySet<string>;
}

const show = (key: string, value: Uint8Array, revision: number): string =>
  `${key}=${Buffer.from(value).toString('latin1')}@${revision}`;

const stateOf = async (store: KvStore): Promise<string[]> =>
  (await store.range('/')).items.map(kv => show(kv.key, kv.value, kv.modRevision));

/** Several starts, so that there are tables and a log, and a copy taken while the store is open: as a kill leaves it. */
async function makeStore(dir: string): Promise<Acknowledged> {
  const random = seededRandom(11).below;
  const live = join(dir, '..', 'live');
  const now = new Map<string, string>();
  const ever = new Set<string>();
  let newest = 0;
  for (let start = 0; start < 4; start++) {
    const store = await openLevelStore(live);
    for (let i = 0; i < 60; i++) {
      const key = `/k/${random(40)}`;
      if (random(6) === 0 && now.has(key)) {
        newest = (await store.commit([], [{ type: 'delete', key }])).revision;
        now.delete(key);
        continue;
      }
      const value = Buffer.from(`${start}-${i}-${'xy'.repeat(random(120))}`);
      newest = (await store.commit([], [{ type: 'put', key, value }])).revision;
      now.set(key, show(key, value, newest));
      ever.add(show(key, value, newest));
    }
    if (start === 1) await store.compact(newest - 20);
    if (start === 3) await cp(live, dir, { recursive: true });
    await store.close();
  }
  return { newest, state: [...now.values()].sort(), ever };
}

/** What a check finds, which must not change what it looks at. */
async function findingsOf(dir: string): Promise<string[]> {
  const findings: string[] = [];
  const before = (await readdir(dir)).sort();
  const found = ({ about, problem }: Finding): void => void findings.push(`${about}: ${problem}`);
  await inspectStore(dir, join(dir, 'newest-revision'), { found });
  const after = (await readdir(dir)).sort();
  return before.join() === after.join()
    ? findings
    : [...findings, `the check made ${after.join()} of ${before.join()}`];
}

const HARMS: readonly { name: string; do: (file: string, size: number, seed: number) => Promise<boolean> }[] = [
  { name: 'removed', do: file => rm(file).then(() => true) },
  { name: 'emptied', do: file => truncate(file, 0).then(() => true) },
  ...[0.1, 0.5, 0.9].map(part => ({
    name: `cut to ${part}`,
    do: (file: string, size: number) => truncate(file, Math.floor(size * part)).then(() => size > 1),
  })),
  { name: 'cut by a byte', do: (file, size) => truncate(file, Math.max(0, size - 1)).then(() => size > 0) },
  ...Array.from({ length: 14 }, (_, n) => ({
    name: `bit flipped (${n})`,
    async do(file: string, size: number, seed: number) {
      if (size === 0) return false;
      const random = seededRandom(seed * 100 + n).below;
      const bytes = await readFile(file);
      const at = n < 2 ? n * (size - 1) : random(size);
      bytes[at] = (bytes[at] as number) ^ (1 << random(8));
      await writeFile(file, bytes);
      return true;
    },
  })),
];

t.test('a harmed file: everything acknowledged is there, or named as damaged', { timeout: 240_000 }, async t => {
  const base = t.testdir();
  const whole = join(base, 'whole');
  const acknowledged = await makeStore(whole);
  const files = await readdir(whole);
  for (const kind of [/^\d+\.ldb$/, /^\d+\.log$/, /^MANIFEST/, /^CURRENT$/, /^newest-revision$/])
    t.ok(
      files.some(file => kind.test(file)),
      `there is a file like ${kind.source}`,
    );
  const outcomes = { served: 0, refused: 0 };
  for (const [seed, file] of files.entries()) {
    for (const harm of HARMS) {
      const dir = join(base, 'harmed');
      await rm(dir, { recursive: true, force: true });
      await cp(whole, dir, { recursive: true });
      if (!(await harm.do(join(dir, file), (await stat(join(dir, file))).size, seed))) continue;
      const what = `${file} ${harm.name}`;
      const findings = await findingsOf(dir);
      const served = await openLevelStore(dir).catch((error: unknown) => error as Error & { code: string });
      if (!(served instanceof Error)) {
        outcomes.served++;
        await servesAll(what, served, acknowledged);
        await served.close();
        if (findings.length > 0) t.fail(`${what}: is served, and a check finds ${findings.join('; ')}`);
        continue;
      }
      outcomes.refused++;
      if (findings.length === 0) t.fail(`${what}: is refused, and a check finds nothing: ${served.message}`);
      if (served.code !== 'damaged' || !/ is damaged: [^\n]+$/.test(served.message))
        t.fail(`${what}: ${served.message}`);
      const second = await openLevelStore(dir).catch((error: unknown) => error as Error & { code: string });
      if (!(second instanceof Error) || second.code !== 'damaged') t.fail(`${what}: the second start does not say so`);
      if (outcomes.refused % 3 === 0) await goesOn(what, dir, acknowledged);
    }
  }
  t.ok(outcomes.served > 20 && outcomes.refused > 60, JSON.stringify(outcomes));

  async function servesAll(what: string, store: KvStore, { newest, state }: Acknowledged): Promise<void> {
    const found = (await stateOf(store)).sort();
    if (store.observed() !== newest) t.fail(`${what}: serves revision ${store.observed()}, not ${newest}`);
    if (found.join('\n') !== state.join('\n')) t.strictSame(found, state, what);
    const events: number[] = [];
    await store.watch('/', store.compactedRevision(), {
      events: batch => void events.push(...batch.map(e => e.revision)),
      lost: () => t.fail(`${what}: lost its watch`),
    });
    if (events.length !== newest - store.compactedRevision()) t.fail(`${what}: history has ${events.length} events`);
    for (const line of state) {
      const [key = ''] = line.split('=');
      const kv = await store.get(key);
      if (kv === undefined || show(kv.key, kv.value, kv.modRevision) !== line) t.fail(`${what}: ${key} is not ${line}`);
    }
  }

  async function goesOn(what: string, dir: string, { newest, ever }: Acknowledged): Promise<void> {
    let losses: readonly string[] = [];
    const store = await openLevelStore(dir, { acceptDataLoss: lines => (losses = lines) });
    if (losses.length < 3) t.fail(`${what}: says what was lost: ${losses.join('; ')}`);
    for (const line of await stateOf(store)) if (!ever.has(line)) t.fail(`${what}: serves ${line}, which never was`);
    if (store.observed() <= newest) t.fail(`${what}: revision ${store.observed()} was given out before`);
    const { revision } = await store.commit([], [{ type: 'put', key: '/new', value: Buffer.from('x') }]);
    await store.close();
    const again = await openLevelStore(dir);
    if (again.observed() !== revision) t.fail(`${what}: the start after that has ${again.observed()}`);
    await again.close();
    const findings = await findingsOf(dir);
    if (findings.length > 0) t.fail(`${what}: after that a check finds ${findings.join('; ')}`);
    const copies = (await readdir(base)).filter(name => name.startsWith('harmed-damaged'));
    if (copies.length !== 1) t.fail(`${what}: a copy of what was there`);
    for (const copy of copies) await rm(join(base, copy), { recursive: true });
  }
});

t.test('a value that is damaged while the store is open is named, and others are served', async t => {
  const dir = t.testdir();
  const store = await openLevelStore(dir);
  for (const key of ['/a', '/b']) await store.commit([], [{ type: 'put', key, value: Buffer.from('value') }]);
  await store.close();
  const { db } = await openDb(dir);
  const bytes = Buffer.from(db.getSync(currentKey('/a')) as Buffer);
  bytes[bytes.length - 1] = 0;
  await db.put(currentKey('/a'), bytes);
  await db.close();
  await t.rejects(openLevelStore(dir), { code: 'damaged', message: /the value of \/a is damaged/ });
  let losses: readonly string[] = [];
  const left = await openLevelStore(dir, { acceptDataLoss: lines => (losses = lines) });
  t.ok(losses.includes('lost: /a, whose value is damaged'), losses.join('; '));
  t.same(
    (await left.range('/')).items.map(kv => kv.key),
    ['/b'],
  );
  await left.close();
});

t.test('a value that vanished, came back from an older time or was never written shows', async t => {
  const rows: { name: string; harm: (db: Awaited<ReturnType<typeof openRaw>>) => Promise<void>; says: RegExp }[] = [
    { name: 'vanished', harm: db => db.del(currentKey('/a')), says: /it holds 1 objects where it held 2/ },
    {
      name: 'came back',
      async harm(db) {
        const entry = db.getSync(logKey(3, 0, '/a')) as Buffer;
        await db.put(currentKey('/a'), entry.subarray(5));
      },
      says: /older than the newest/,
    },
    {
      name: 'state record lost',
      harm: db => db.del('mrevision'),
      says: /it says that revision 0 is the newest, and has a log up to 3/,
    },
    {
      name: 'state record changed',
      harm: db => db.put('mrevision', Buffer.from('2 2 2 00000000')),
      says: /its newest revision is damaged/,
    },
  ];
  for (const { name, harm, says } of rows)
    await t.test(name, async t => {
      const dir = t.testdir();
      const store = await openLevelStore(dir);
      for (const key of ['/a', '/b', '/a'])
        await store.commit([], [{ type: 'put', key, value: Buffer.from(`of ${key}`) }]);
      await store.close();
      const db = await openRaw(dir);
      await harm(db);
      await db.close();
      await t.rejects(openLevelStore(dir), { code: 'damaged', message: says });
    });
});

t.test('the whole folder emptied: the file beside it tells', async t => {
  const base = t.testdir();
  const options = { newestRevisionFile: join(base, 'newest-revision') };
  const dir = join(base, 'store');
  const store = await openLevelStore(dir, options);
  for (let i = 0; i < 3; i++) await store.commit([], [{ type: 'put', key: '/a', value: Buffer.of(i) }]);
  await store.close();
  await rm(dir, { recursive: true });
  await mkdir(dir);
  await t.rejects(openLevelStore(dir, options), { code: 'damaged', message: /revisions 1 to 3 are missing/ });
});

t.test('a folder of the format without checksums opens, keeps its objects, and has them from then on', async t => {
  const dir = t.testdir();
  const db = await openRaw(dir);
  const old = (create: number, mod: number, value: string): Buffer => {
    const bytes = Buffer.alloc(12 + value.length);
    bytes.writeUIntBE(create, 0, 6);
    bytes.writeUIntBE(mod, 6, 6);
    bytes.write(value, 12);
    return bytes;
  };
  await db.put('mformat', Buffer.from('kubette-1'));
  await db.put('mrevision', Buffer.from('3'));
  await db.put(currentKey('/a'), old(1, 3, 'new'));
  await db.put(currentKey('/b'), old(2, 2, 'b'));
  await db.put(logKey(1, 0, '/a'), Buffer.of(1));
  await db.put(logKey(2, 0, '/b'), Buffer.of(1));
  await db.put(logKey(3, 0, '/a'), Buffer.concat([Buffer.of(3), old(1, 1, 'old')]));
  await db.close();
  for (let start = 0; start < 2; start++) {
    const store = await openLevelStore(dir);
    t.equal(store.observed(), 3);
    t.equal(store.compactedRevision(), 3);
    t.match(await store.get('/a'), { createRevision: 1, modRevision: 3 });
    t.same(await stateOf(store), ['/a=new@3', '/b=b@2']);
    await store.close();
  }
  await rm(join(dir, 'newest-revision'));
  await t.rejects(openLevelStore(dir), { code: 'damaged', message: /its newest-revision file is missing/ });
});
