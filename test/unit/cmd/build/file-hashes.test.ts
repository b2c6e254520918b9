import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createFileHashes } from '../../../../src/cmd/build/file-hashes.js';

t.test('a file that looks as it did is not read again; one written a moment ago always is', async t => {
  const root = t.testdir({ a: 'one' });
  const written = Number(statSync(join(root, 'a'), { bigint: true }).ctimeMs);
  const at = (ms: number) => (): number => written + ms;
  t.same(createFileHashes(root, {}, at(1_000)).seen(), {}, 'nothing was asked for');

  const young = createFileHashes(root, {}, at(1_000));
  const key = young.keyOf(['a']);
  t.same(young.seen(), {}, 'it may be written again and look the same');

  const old = createFileHashes(root, {}, at(60_000));
  t.equal(old.keyOf(['a']), key);
  const { a } = old.seen();
  t.ok(a, 'remembered');
  const trusting = createFileHashes(root, { a: { look: a?.look ?? '', hash: 'of something else' } }, at(60_000));
  t.not(trusting.keyOf(['a']), key, 'what is remembered is taken');

  writeFileSync(join(root, 'a'), 'two');
  t.not(createFileHashes(root, old.seen(), at(60_000)).keyOf(['a']), key);
});

t.test('a key is of names and contents, in any order', async t => {
  const root = t.testdir({ a: 'x', b: 'x', c: 'y', empty: '' });
  const key = (...files: string[]): string => createFileHashes(root, {}, () => 0).keyOf(files);
  t.equal(key('a', 'c'), key('c', 'a'));
  t.not(key('a'), key('b'));
  t.not(key('a'), key('a', 'b'));
  t.not(key('empty'), key());
  t.not(key('empty'), key('not there'));
});
