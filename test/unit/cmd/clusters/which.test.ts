import { resolve } from 'node:path';
import t from 'tap';
import { contextOf, whichCluster } from '../../../../src/cmd/clusters/which.js';

process.env['XDG_STATE_HOME'] = '/state';

t.test('a cluster is found by its name from anywhere, else by its folder', t => {
  const rows = [
    { name: 'neither', flags: {}, expect: { name: undefined, dataDir: resolve('.kubette') } },
    { name: 'a name', flags: { name: 'dev' }, expect: { name: 'dev', dataDir: '/state/kubette/dev' } },
    { name: 'a folder', flags: { dataDir: 'x' }, expect: { name: undefined, dataDir: resolve('x') } },
    { name: 'both', flags: { name: 'dev', dataDir: '/x' }, expect: { name: 'dev', dataDir: '/x' } },
  ];
  for (const { name, flags, expect } of rows) t.same(whichCluster(flags), expect, name);
  for (const name of ['', 'Dev', '../x', 'a/b', 'a'.repeat(33)])
    t.throws(() => whichCluster({ name }), /invalid argument .* for "--name" flag/, JSON.stringify(name));
  t.same([contextOf(undefined), contextOf('dev')], ['kubette', 'kubette-dev']);
  t.end();
});
