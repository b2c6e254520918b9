import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createLogIndex } from '../../../src/storage/leveldb/log-index.js';
import { logKey } from '../../../src/storage/leveldb/layout.js';
import { openRaw } from '../../../src/storage/leveldb/raw.js';

t.test('a folder of keys knows between which revisions it was changed', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-log-index-'));
  const db = await openRaw(dir);
  t.teardown(async () => {
    await db.close();
    rmSync(dir, { recursive: true });
  });
  const old: readonly (readonly [number, string])[] = [
    [2, '/registry/pods/gone/a'],
    [4, '/registry/pods/ns/a'],
    [6, '/registry/nodes/n'],
  ];
  for (const [revision, key] of old) await db.put(logKey(revision, 0, key), Buffer.alloc(0));
  const index = createLogIndex(2);
  index.note('/registry/pods/ns/b', 9);
  await index.ready(db);
  index.note('/registry/g/widgets/ns/a', 11);
  index.note('/registry/pods/ns/a', 12);
  const all = { first: 0, last: Number.MAX_SAFE_INTEGER - 1 };
  const rows = [
    { name: 'before the start and after it', prefix: '/registry/pods/', expect: { first: 4, last: 12 } },
    { name: 'a namespace', prefix: '/registry/pods/ns/', expect: { first: 4, last: 12 } },
    { name: 'what is compacted is not read', prefix: '/registry/pods/gone/', expect: undefined },
    { name: 'one change', prefix: '/registry/g/widgets/', expect: { first: 11, last: 11 } },
    { name: 'nothing', prefix: '/registry/g/gadgets/', expect: undefined },
    { name: 'everything', prefix: '/registry/', expect: { first: 4, last: 12 } },
    { name: 'no folder', prefix: '/registry/po', expect: all },
    { name: 'no prefix', prefix: '', expect: all },
  ];
  for (const { name, prefix, expect } of rows) t.strictSame(index.spanOf(prefix), expect, name);
  index.forget(6);
  t.equal(index.spanOf('/registry/nodes/'), undefined, 'compacted since');
  t.strictSame(index.spanOf('/registry/pods/'), { first: 4, last: 12 }, 'changed since');
});
