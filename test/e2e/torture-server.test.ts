import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { noDisk } from '../torture/faults/disk.js';
import { fullDisk } from '../torture/faults/full-disk.js';
import { slowWatchers } from '../torture/faults/slow-watchers.js';
import { runKills } from '../torture/kills/run.js';
import { THOROUGH } from '../support/share.js';

/** The short form of `make torture`, for an API server: a few rounds, whose choices are the same each time. */
t.setTimeout(900_000);

t.test(
  'kill -9 under writers: nothing acknowledged is lost, nobody is told of anything twice or not at all',
  async t => {
    const dataDir = mkdtempSync(join(tmpdir(), 'kubette-torture-'));
    const { problems, figures } = await runKills({ seed: 7, rounds: THOROUGH ? 6 : 4, writers: 16, dataDir });
    t.same(problems, []);
    // Nothing was proven where nothing was done.
    for (const what of ['acknowledged', 'unanswered', 'events checked']) t.ok((figures[what] ?? 0) > 0, what);
  },
);

const why = noDisk();
t.test(
  'a disk that fills up: writers are refused by name, nothing acknowledged is lost',
  { skip: why ?? false },
  async t => {
    t.same(await fullDisk(), []);
  },
);

t.test('watchers that do not read are ended, the others are told everything once, and memory is bounded', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-torture-'));
  t.same((await slowWatchers(dataDir)).problems, []);
});
