import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { installBundle, installedBundle } from '../../../../src/cmd/build/install-bundle.js';

t.test('a build under a running cluster: what it may still import stays, the entry changes in one step', t => {
  const base = t.testdir({
    dist: { 'kubette.js': 'old entry', 'chunk-A.js': 'a', 'chunk-B.js': 'b' },
    next: { 'kubette.js': 'new entry', 'chunk-B.js': 'b', 'chunk-C.js': 'c' },
  });
  installBundle(join(base, 'next'), join(base, 'dist'), ['kubette']);
  t.same(readdirSync(join(base, 'dist')).sort(), [
    '.npmignore',
    'builds.json',
    'chunk-A.js',
    'chunk-B.js',
    'chunk-C.js',
    'kubette.js',
  ]);
  t.equal(readFileSync(join(base, 'dist/kubette.js'), 'utf8'), 'new entry');
  t.notOk(existsSync(join(base, 'next')));
  t.equal(
    readFileSync(join(base, 'dist/.npmignore'), 'utf8'),
    '*\n!chunk-B.js\n!chunk-C.js\n!kubette.js\n',
    'npm packs the newest build only',
  );
  t.same(installedBundle(join(base, 'dist'), ['kubette']).toSorted(), [
    '.npmignore',
    'builds.json',
    'chunk-B.js',
    'chunk-C.js',
    'kubette.js',
  ]);
  t.same(installedBundle(join(base, 'none'), ['kubette']), ['builds.json', '.npmignore', 'kubette.js']);
  t.end();
});

t.test('old builds go after a while; a first build and a half-made one', t => {
  const base = t.testdir({ broken: { 'chunk-X.js': '' } });
  const dist = join(base, 'dist');
  for (let n = 0; n < 15; n++) {
    const next = join(base, 'next');
    mkdirSync(next);
    writeFileSync(join(next, 'kubette.js'), `entry ${n}`);
    writeFileSync(join(next, `chunk-${n}.js`), '');
    installBundle(next, dist, ['kubette']);
  }
  const chunks = readdirSync(dist).filter(file => file.startsWith('chunk'));
  t.same(chunks.sort(), Array.from({ length: 12 }, (_, n) => `chunk-${n + 3}.js`).sort());
  t.throws(() => installBundle(join(base, 'broken'), dist, ['kubette']), { message: /has no kubette\.js/ });
  t.equal(readFileSync(join(dist, 'kubette.js'), 'utf8'), 'entry 14');
  t.end();
});
