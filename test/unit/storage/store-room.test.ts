import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { seededRandom } from '../../../src/machinery/random.js';
import type { Op } from '../../../src/storage/kv-store.js';
import { openLevelStore } from '../../../src/storage/leveldb/level-store.js';

async function sizeOf(dir: string): Promise<number> {
  let bytes = 0;
  for (const file of await readdir(dir)) bytes += (await stat(join(dir, file))).size;
  return bytes;
}

t.test('a compaction gives the room of old revisions back, and leaves what is kept of them', async t => {
  const dir = t.testdir();
  const random = seededRandom(3).below;
  const store = await openLevelStore(dir, { fsync: false });
  const value = (): Buffer => Buffer.from(Array.from({ length: 1_000 }, () => random(256)));
  const keys = Array.from({ length: 100 }, (_, i) => `/k/${i}`);
  for (let round = 0; round < 120; round++)
    await store.commit(
      [],
      keys.map((key): Op => ({ type: 'put', key, value: value(), ownRevision: true })),
    );
  const newest = store.observed();
  t.equal(newest, 12_000);
  const before = await sizeOf(dir);
  await store.compact(newest - 200);
  const after = await sizeOf(dir);
  t.ok(before > 10e6 && after < 5e6, `${before} bytes before, ${after} after`);
  t.equal((await store.range('/k/', { revision: newest - 199 })).items.length, 100);
  const revisions: number[] = [];
  await store.watch('/k/', newest - 200, {
    events: events => void revisions.push(...events.map(({ revision }) => revision)),
    lost: () => t.fail('the watch is lost'),
  });
  t.equal(revisions.length, 200);
  await store.close();
});
