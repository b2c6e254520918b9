import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { clusters, forget, remember } from '../../../../src/cmd/clusters/registry.js';

const home = t.testdir();
process.env['XDG_STATE_HOME'] = home;

t.test('clusters are known by their folders, as long as those are there', async t => {
  const [a, b] = [join(home, 'a'), join(home, 'b')];
  for (const dir of [a, b]) mkdirSync(dir);
  t.same(await clusters(), [], 'none was ever started');
  await remember({ name: 'two', dataDir: b });
  await remember({ name: undefined, dataDir: a });
  await remember({ name: 'again', dataDir: b });
  t.same(await clusters(), [
    { name: undefined, dataDir: a },
    { name: 'again', dataDir: b },
  ]);
  rmSync(b, { recursive: true });
  t.same(await clusters(), [{ name: undefined, dataDir: a }]);
  t.equal(readdirSync(join(home, 'kubette', 'clusters')).length, 1, 'what is gone is forgotten');
  await forget(a);
  t.same(await clusters(), []);
  writeFileSync(join(home, 'kubette', 'clusters', 'x.json'), '{');
  await t.rejects(clusters(), /x\.json cannot be read/);
});
