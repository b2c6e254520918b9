import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { inspectStore } from '../../../src/storage/leveldb/inspect.js';
import { currentKey, encodeCurrent, logKey } from '../../../src/storage/leveldb/layout.js';
import { openLevelStore } from '../../../src/storage/leveldb/level-store.js';
import { openRaw, type Db } from '../../../src/storage/leveldb/raw.js';
import { salvage } from '../../../src/storage/leveldb/salvage.js';

const value = (text: string): Buffer => Buffer.from(text);

interface Row {
  readonly name: string;
  readonly harm: (db: Db) => Promise<void>;
  readonly losses: readonly string[];
  readonly left: readonly string[];
}

/** Each harms a store with /a (revisions 1 and 3), /b (2), and /c (4), which was deleted at 5. */
const ROWS: readonly Row[] = [
  {
    name: 'a damaged value with one before it',
    harm: db => db.put(currentKey('/a'), Buffer.alloc(40)),
    losses: ['lost: /a, whose value is damaged; it is as it was at revision 1', 'kept: 2 objects, as of revision 5'],
    left: ['/a=first@1', '/b=only@2'],
  },
  {
    name: 'a damaged value without',
    harm: db => db.put(currentKey('/b'), Buffer.alloc(40)),
    losses: ['lost: /b, whose value is damaged', 'kept: 1 objects, as of revision 5'],
    left: ['/a=second@3'],
  },
  {
    name: 'a value that vanished, with one before it',
    harm: db => db.del(currentKey('/a')),
    losses: ['lost: /a as of revision 3; it is as it was at revision 1', 'kept: 2 objects, as of revision 5'],
    left: ['/a=first@1', '/b=only@2'],
  },
  {
    name: 'a value that vanished',
    harm: db => db.del(currentKey('/b')),
    losses: ['lost: /b as of revision 2', 'kept: 1 objects, as of revision 5'],
    left: ['/a=second@3'],
  },
  {
    name: 'a value that came back from an older time',
    harm: db => db.put(currentKey('/a'), encodeCurrent('/a', 1, 1, value('first'))),
    losses: ['lost: /a as of revision 3; it is as it was at revision 1', 'kept: 2 objects, as of revision 5'],
    left: ['/a=first@1', '/b=only@2'],
  },
  {
    name: 'one that was deleted came back',
    harm: db => db.put(currentKey('/c'), encodeCurrent('/c', 4, 4, value('gone'))),
    losses: ['kept: 2 objects, as of revision 5'],
    left: ['/a=second@3', '/b=only@2'],
  },
  {
    name: 'a part of the history',
    harm: db => db.del(logKey(3, 0, '/a')),
    losses: ['kept: 2 objects, as of revision 5'],
    left: ['/a=second@3', '/b=only@2'],
  },
  {
    name: 'what it says of itself',
    harm: db => db.del('mrevision'),
    losses: ['kept: 2 objects, as of revision 5'],
    left: ['/a=second@3', '/b=only@2'],
  },
];

for (const { name, harm, losses, left } of ROWS)
  t.test(`salvage: ${name}`, async t => {
    const base = t.testdir();
    const dir = join(base, 'store');
    const newestRevisionFile = join(base, 'newest-revision');
    const store = await openLevelStore(dir, { newestRevisionFile });
    for (const [key, text] of [
      ['/a', 'first'],
      ['/b', 'only'],
      ['/a', 'second'],
      ['/c', 'gone'],
    ] as const)
      await store.commit([], [{ type: 'put', key, value: value(text) }]);
    await store.commit([], [{ type: 'delete', key: '/c' }]);
    await store.close();
    const db = await openRaw(dir);
    await harm(db);
    await db.close();
    t.strictSame(await salvage(dir, newestRevisionFile, 'a reason'), [
      'a reason',
      `the folder as it was is in ${dir}-damaged-1`,
      ...losses,
    ]);
    t.strictSame((await readdir(base)).sort(), ['newest-revision', 'store', 'store-damaged-1']);
    await inspectStore(dir, newestRevisionFile, { found: one => t.fail(JSON.stringify(one)) });
    const again = await openLevelStore(dir, { newestRevisionFile });
    t.equal(again.observed(), 6, 'no revision is given out twice');
    t.equal(again.compactedRevision(), 6);
    t.strictSame(
      (await again.range('/')).items.map(kv => `${kv.key}=${Buffer.from(kv.value).toString()}@${kv.modRevision}`),
      left,
    );
    await again.close();
  });
