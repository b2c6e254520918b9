import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { lockFolder } from '../../../src/cluster/folder-lock.js';
import { withBackup, writeBackup } from '../../../src/cluster/store-care/backup.js';
import { checkStore } from '../../../src/cluster/store-care/check.js';
import { withStore } from '../../../src/cluster/store-care/place.js';
import { restoreStore } from '../../../src/cluster/store-care/restore.js';
import { openFolderStore } from '../../../src/cluster/store.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { CompactedError } from '../../../src/storage/kv-store.js';

const clock = new FakeClock(Date.UTC(2026, 0, 1));
const keyOf = (name: string): string => `/registry/configmaps/default/${name}`;
const mapOf = (name: string, data: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name, namespace: 'default', uid: name },
      data: { data },
    }),
  );

async function put(dataDir: string, ...names: string[]): Promise<number> {
  const store = await openFolderStore(dataDir, { clock: realClock });
  for (const name of names)
    await store.commit([], [{ type: 'put', key: keyOf(name), value: mapOf(name, 'x'.repeat(50)) }]);
  const revision = store.observed();
  await store.close();
  return revision;
}

const contentOf = async (dataDir: string): Promise<{ revision: number; items: string[] }> => {
  const store = await openFolderStore(dataDir, { clock: realClock });
  const { items } = await store.range('/');
  const revision = store.observed();
  await store.close();
  return {
    revision,
    items: items.map(kv => `${kv.key}@${kv.createRevision}/${kv.modRevision} ${Buffer.from(kv.value).toString()}`),
  };
};

const findings = async (dataDir: string): Promise<string[]> => {
  const lines: string[] = [];
  await withStore(dataDir, place => checkStore(place, { found: one => lines.push(`${one.about}: ${one.problem}`) }));
  return lines;
};

const backup = (dataDir: string, file: string) => withBackup(dataDir, clock, chunks => writeBackup(file, chunks));

t.test(
  'a backup of a folder is restored into an empty one: same objects, later revisions, nothing before them',
  async t => {
    const base = t.testdir();
    const [from, to, file] = [join(base, 'from'), join(base, 'to'), join(base, 'backup')];
    const revision = await put(from, 'a', 'b', 'a', 'c');
    const before = await contentOf(from);
    t.same(await backup(from, file), { revision, takenAt: '2026-01-01T00:00:00Z', objects: 3 });
    t.same(await contentOf(from), before, 'and nothing is changed by it');
    t.same(await restoreStore(to, createReadStream(file)), {
      objects: 3,
      takenAt: '2026-01-01T00:00:00Z',
      was: 4,
      revision: 1_000_000_004,
    });
    t.same(await contentOf(to), { revision: 1_000_000_004, items: before.items });
    t.same(await findings(to), []);
    const store = await openFolderStore(to, { clock: realClock });
    const handlers = { events: () => undefined, lost: () => undefined };
    for (const known of [4, 5, 999_999_999])
      await t.rejects(store.watch('/', known, handlers), CompactedError, `a client that knows ${known} lists anew`);
    const { revision: next } = await store.commit([], [{ type: 'delete', key: keyOf('a') }]);
    t.equal(next, 1_000_000_005);
    await store.close();
  },
);

t.test('a store that is there is refused, or kept aside with all that it needs to be put back', async t => {
  const base = t.testdir();
  const [dataDir, file] = [join(base, 'data'), join(base, 'backup')];
  await put(dataDir, 'a');
  await backup(dataDir, file);
  const newest = await put(dataDir, 'b', 'c');
  const before = await contentOf(dataDir);
  await t.rejects(restoreStore(dataDir, createReadStream(file)), {
    message: `there is a store in ${dataDir}; --force keeps it aside`,
  });
  t.same(await contentOf(dataDir), before);
  const { kept = '', revision } = await restoreStore(dataDir, createReadStream(file), { force: true });
  t.equal(revision, newest + 1_000_000_000, 'behind all that was given out, and not only what the backup knows');
  t.equal(kept, join(dataDir, 'store-before-restore-1'));
  t.equal((await contentOf(dataDir)).items.length, 1);
  const again = await restoreStore(dataDir, createReadStream(file), { force: true });
  t.match(again, { kept: join(dataDir, 'store-before-restore-2'), revision: newest + 2_000_000_000 });
  t.match(await readFile(join(kept, 'newest-revision'), 'utf8'), new RegExp(`^0+${newest} `));
});

t.test('a file that is refused changes nothing', async t => {
  const base = t.testdir();
  const [dataDir, file] = [join(base, 'data'), join(base, 'backup')];
  await put(dataDir, 'a', 'b');
  await backup(dataDir, file);
  const whole = await readFile(file, 'utf8');
  const before = await contentOf(dataDir);
  for (const text of ['', whole.slice(0, -80), whole.replace('xxx', 'xyx')]) {
    await writeFile(file, text);
    await t.rejects(restoreStore(dataDir, createReadStream(file), { force: true }), { name: 'BackupError' });
    t.same((await readdir(dataDir)).sort(), ['lock', 'newest-revision', 'store']);
    t.same(await contentOf(dataDir), before);
  }
  const lock = await lockFolder(dataDir);
  await t.rejects(restoreStore(dataDir, createReadStream(file), { force: true }), {
    code: 'locked',
    message: /stop it first/,
  });
  await lock.release();
});

t.test('a damaged store is not backed up, and leaves no file', async t => {
  const base = t.testdir();
  const [dataDir, file] = [join(base, 'data'), join(base, 'backup')];
  await put(dataDir, 'a', 'b');
  await rm(join(dataDir, 'newest-revision'));
  await t.rejects(backup(dataDir, file), {
    code: 'damaged',
    message: /^the store is damaged: newest-revision: is missing/,
  });
  t.same(
    (await readdir(base)).filter(name => name.startsWith('backup')),
    [],
  );
});
