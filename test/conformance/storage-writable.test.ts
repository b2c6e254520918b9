import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock } from '../../src/machinery/clock.js';
import { healthChecks } from '../../src/server/endpoints/health.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';

t.jobs = 1;

/** The checks of an endpoint that fail. */
async function failing(endpoint: string, store: Awaited<ReturnType<typeof openLevelStore>>): Promise<string[]> {
  const checks = healthChecks({
    store,
    ready: () => true,
    stopping: new AbortController().signal,
    reloadsEncryption: false,
  });
  const failed: string[] = [];
  for (const check of checks.filter(c => c.endpoints.includes(endpoint)))
    await Promise.resolve()
      .then(() => check.check())
      .catch(() => failed.push(check.name));
  return failed;
}

t.test('readyz fails while nothing can be written to an idle store, livez does not, and it recovers', async t => {
  const dir = t.testdir();
  const clock = new FakeClock();
  const store = await openLevelStore(dir, { clock });
  t.teardown(() => store.close());
  await store.commit([], [{ type: 'put', key: '/a', value: Buffer.from('x') }]);
  t.same(await failing('readyz', store), []);
  // What cannot be opened for writing is as good as a read-only file system.
  await mkdir(join(dir, 'probe.tmp'));
  clock.step(2_000);
  t.same(await failing('readyz', store), ['etcd-readiness']);
  t.same(await failing('livez', store), []);
  await rmdir(join(dir, 'probe.tmp'));
  t.same(await failing('readyz', store), []);
});

t.test('readyz fails after a commit failed, and recovers by being asked', async t => {
  const dir = t.testdir();
  const clock = new FakeClock();
  const store = await openLevelStore(dir, { clock });
  t.teardown(() => store.close());
  // A folder where LevelDB wants its next table makes the write buffer impossible to flush.
  for (let n = 1; n < 60; n++) await mkdir(join(dir, `${String(n).padStart(6, '0')}.ldb`), { recursive: true });
  const value = Buffer.alloc(500_000, 'x');
  let acknowledged = 0;
  await t.rejects(async () => {
    for (; acknowledged < 100; acknowledged++)
      await store.commit([], [{ type: 'put', key: `/big/${acknowledged}`, value }]);
  });
  clock.step(1_000);
  t.same(await failing('readyz', store), ['etcd-readiness']);
  for (const file of await readdir(dir)) if (file.endsWith('.ldb')) await rm(join(dir, file), { recursive: true });
  clock.step(1_000);
  t.same(await failing('readyz', store), []);
  t.ok((await store.range('/big/')).items.length >= acknowledged);
});
