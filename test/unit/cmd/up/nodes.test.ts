import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { initialNodes, readNodes, writeNodes } from '../../../../src/cmd/up/nodes.js';

const node = (number: number, stopped = false) => ({ number, stopped });

t.test('as many as are asked for, else those that there were, else three', async t => {
  const dir = t.testdir();
  t.same(await initialNodes(dir, undefined), [node(1), node(2), node(3)]);
  await writeNodes(dir, [node(2), node(4, true)]);
  t.same(await initialNodes(dir, undefined), [node(2), node(4, true)]);
  t.same(await initialNodes(dir, 1), [node(1)]);
  t.same(await readNodes(dir), [node(1)], 'and it is kept');
});

t.test('a file that says nothing of nodes is refused', async t => {
  const dir = t.testdir();
  t.equal(await readNodes(dir), undefined);
  for (const text of [
    '{}',
    '[1]',
    '[{"number":0,"stopped":false}]',
    '[{"number":251,"stopped":false}]',
    '[{"number":1}]',
  ]) {
    writeFileSync(join(dir, 'nodes.json'), text);
    await t.rejects(readNodes(dir), /says nothing of nodes/, text);
  }
});
