import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { seededRandom } from '../../../src/machinery/random.js';
import { fileProblem } from '../../../src/storage/leveldb/files/check-files.js';
import { readFolder } from '../../../src/storage/leveldb/files/read-folder.js';
import { inspectStore, type Finding, type Summary } from '../../../src/storage/leveldb/inspect.js';
import { currentKey, encodeChange, encodeCurrent, logKey } from '../../../src/storage/leveldb/layout.js';
import { openLevelStore } from '../../../src/storage/leveldb/level-store.js';
import { openRaw, type Db } from '../../../src/storage/leveldb/raw.js';
import { until } from '../../support/until.js';

async function inspect(dir: string): Promise<{ findings: string[]; summary: Summary }> {
  const findings: string[] = [];
  const found = ({ about, problem }: Finding): void => void findings.push(`${about}: ${problem}`);
  const summary = await inspectStore(dir, join(dir, 'newest-revision'), { found });
  return { findings, summary };
}

t.test('the files are read as LevelDB reads them, over several levels and a log', async t => {
  const base = t.testdir();
  const [live, copy] = [join(base, 'live'), join(base, 'copy')];
  const random = seededRandom(5);
  for (let start = 0; start < 3; start++) {
    const db = await openRaw(live);
    for (let batch = 0; batch < 60; batch++)
      await db.batch(
        Array.from({ length: 100 }, () => {
          const key = `k${random.below(2_000)}`;
          if (random.below(5) === 0) return { type: 'del', key } as const;
          return { type: 'put', key, value: Buffer.from(`${start} ${'v'.repeat(random.below(2_000))}`) } as const;
        }),
      );
    // As a kill leaves it: what is newest is in the log.
    if (start === 2) await until('a copy between two compactions', () => copied(live, copy));
    await db.close();
  }
  const read: string[] = [];
  for await (const { key, value } of readFolder(copy, damage => t.fail(JSON.stringify(damage))))
    read.push(`${key.toString()} ${value?.toString() ?? ''}`);
  const db = await openRaw(copy);
  const known = (await db.iterator().all()).map(([key, value]) => `${key} ${value.toString()}`);
  await db.close();
  t.ok(known.length > 1_000, `${known.length} keys`);
  t.strictSame(read, known);
});

/** Whether a copy of a folder that LevelDB works in is whole. */
async function copied(live: string, copy: string): Promise<boolean> {
  await rm(copy, { recursive: true, force: true });
  try {
    await cp(live, copy, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return (await fileProblem(copy)) === undefined;
}

const VALUE = Buffer.from('value');

/** Each breaks a store that has /a at revision 3, /b at 2, and /c deleted at 5. */
const ROWS: readonly { name: string; harm: (db: Db) => Promise<void>; expect: readonly string[] }[] = [
  { name: 'nothing', harm: async () => undefined, expect: [] },
  {
    name: 'a value vanished',
    harm: db => db.del(currentKey('/a')),
    expect: ['the store: holds 1 objects where it held 2', '/a: was written at revision 3, and there is none'],
  },
  {
    name: 'a value came back',
    harm: db => db.put(currentKey('/c'), encodeCurrent('/c', 4, 4, VALUE)),
    expect: [
      'the store: holds 3 objects where it held 2',
      '/c: was deleted at revision 5, and there is that of revision 4',
    ],
  },
  {
    name: 'a value is older',
    harm: db => db.put(currentKey('/a'), encodeCurrent('/a', 1, 1, VALUE)),
    expect: [
      'the store: holds values that are older than the newest',
      '/a: was written at revision 3, and there is that of revision 1',
    ],
  },
  {
    name: 'a value is damaged',
    harm: db => db.put(currentKey('/b'), Buffer.alloc(30)),
    expect: [
      '/b: the value of /b is damaged: it does not match its checksum',
      'the store: holds 1 objects where it held 2',
      '/b: was written at revision 2, and there is none',
    ],
  },
  {
    name: 'a value of the future',
    harm: db => db.put(currentKey('/b'), encodeCurrent('/b', 2, 9, VALUE)),
    expect: [
      'the store: holds values that are older than the newest',
      '/b: is of revision 9, and the store of 5',
      '/b: was written at revision 2, and there is that of revision 9',
    ],
  },
  {
    name: 'written before it was created',
    harm: db => db.put(currentKey('/b'), encodeCurrent('/b', 3, 2, VALUE)),
    expect: [
      '/b: was written at revision 2, before it was created at 3',
      'the store: holds values that are older than the newest',
    ],
  },
  {
    name: 'a revision is gone',
    harm: db => db.del(logKey(2, 0, '/b')),
    expect: ['the history: has no revision 2', '/b: is of revision 2, which the history has not'],
  },
  {
    name: 'the newest revision is gone',
    harm: db => db.del(logKey(5, 0, '/c')),
    expect: ['the history: has no revision 5', '/c: was written at revision 4, and there is none'],
  },
  {
    name: 'a change that was none',
    harm: db =>
      db.put(
        logKey(3, 0, '/a'),
        encodeChange(logKey(3, 0, '/a'), { type: 'put', previous: encodeCurrent('/a', 1, 2, VALUE) }),
      ),
    expect: ['/a: at revision 3 replaced that of revision 2, and there was that of revision 1'],
  },
  {
    name: 'a change is damaged',
    harm: db => db.put(logKey(3, 0, '/a'), Buffer.from('xxxxxxxx')),
    expect: [
      '"l0000000000000003000000/a": the value of l0000000000000003000000/a is damaged: it does not match its checksum',
      '/a: was written at revision 1, and there is that of revision 3',
    ],
  },
  {
    name: 'a key of nobody',
    harm: db => db.put('x', VALUE),
    expect: ['"x": is no key of a store'],
  },
  {
    name: 'another format',
    harm: db => db.put('mformat', Buffer.from('kubette-9')),
    expect: ['the store: has the unknown format version kubette-9'],
  },
  {
    name: 'the old format',
    harm: db => db.put('mformat', Buffer.from('kubette-1')),
    expect: ['the store: has the format kubette-1, which has no checksums: an API server adds them when it opens it'],
  },
];

for (const { name, harm, expect } of ROWS)
  t.test(`check: ${name}`, async t => {
    const dir = t.testdir();
    const store = await openLevelStore(dir);
    for (const key of ['/a', '/b', '/a', '/c']) await store.commit([], [{ type: 'put', key, value: VALUE }]);
    await store.commit([], [{ type: 'delete', key: '/c' }]);
    await store.close();
    const db = await openRaw(dir);
    await harm(db);
    await db.close();
    t.strictSame((await inspect(dir)).findings, expect);
  });

t.test('check: what a store says of itself', async t => {
  const dir = t.testdir();
  const store = await openLevelStore(dir);
  for (const key of ['/a', '/b', '/a', '/c']) await store.commit([], [{ type: 'put', key, value: VALUE }]);
  await store.compact(2);
  await store.close();
  const { findings, summary } = await inspect(dir);
  t.strictSame(findings, []);
  t.match(summary, { revision: 4, compacted: 2, objects: 3, changes: 2 });
});
