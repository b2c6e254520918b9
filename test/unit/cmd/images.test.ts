import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { allFacts } from '../../../src/cmd/images/facts.js';
import { formatImage, formatImages, formatPage } from '../../../src/cmd/images/text.js';
import { IMAGES, knownImage } from '../../../src/containers/images/index.js';
import { ROOT } from '../../support/root.js';

const PAGE = join(ROOT, 'docs/images.md');

t.test('docs/images.md is what `kubette images --output markdown` prints', async t => {
  const made = formatPage(allFacts());
  const stored = readFileSync(PAGE, 'utf8');
  if (stored !== made) writeFileSync(PAGE, made);
  t.equal(stored, made, 'it has been written anew');
});

t.test('every name is one image’s, and every image has a line', async t => {
  const names = IMAGES.flatMap(image => image.names);
  t.same(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
    'names of two images',
  );
  for (const { names, about } of IMAGES) {
    t.ok(about.length > 0 && !about.includes('\n'), `${names[0] ?? ''}: ${about}`);
    t.ok(
      names.every(name => name.split('/').length <= 2),
      'a name is of an owner and a repository at most',
    );
  }
});

t.test('which image a path is', async t => {
  const table = [
    { path: 'library/redis', expect: 'redis' },
    { path: 'mirror/library/redis', expect: 'redis' },
    { path: 'somebody/redis', expect: 'redis' },
    { path: 'bitnami/redis', expect: 'bitnami/redis' },
    { path: 'proxy/bitnami/redis', expect: 'bitnami/redis' },
    { path: 'library/node', expect: 'library/node' },
    { path: 'calico/node', expect: undefined },
    { path: 'team/shop', expect: undefined },
    { path: 'toString', expect: undefined },
  ];
  for (const { path, expect } of table) t.equal(knownImage(path)?.names[0], expect, path);
});

t.test('texts', async t => {
  const facts = allFacts();
  const redis = facts.find(({ names }) => names[0] === 'redis');
  if (redis === undefined) throw new Error('no redis');
  t.match(formatImages(facts), /^IMAGE +PORTS +WHAT IT DOES\n[^]*\nredis +6379 +a RESP server/);
  t.match(
    formatImage(redis),
    /^names {6}redis\n[^]*\nprograms {3}redis-server, redis-cli, and a shell with the usual tools\n/,
  );
});
