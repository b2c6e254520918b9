import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { initialNodes, readNodes, withNodes, writeNodes } from '../../../../src/cmd/up/nodes.js';

const node = (number: number, stopped = false) => ({ number, stopped });

t.test('as many as are asked for, else those that there were, else three', async t => {
  const dir = t.testdir();
  t.same(await initialNodes(dir, undefined, undefined), [node(1), node(2), node(3)]);
  await writeNodes(dir, [node(2), node(4, true)]);
  t.same(await initialNodes(dir, undefined, undefined), [node(2), node(4, true)]);
  t.same(await initialNodes(dir, 1, undefined), [node(1)]);
  t.same(await readNodes(dir), [node(1)], 'and it is kept');
});

t.test('nodes that are described keep their numbers by their names', async t => {
  const dir = t.testdir();
  const a = { name: 'a', zone: 'x' };
  t.same(await initialNodes(dir, undefined, [{ name: 'b' }, a]), [
    { name: 'b', ...node(1) },
    { ...a, ...node(2) },
  ]);
  t.same(await initialNodes(dir, undefined, undefined), [
    { name: 'b', ...node(1) },
    { ...a, ...node(2) },
  ]);
  t.same(await initialNodes(dir, undefined, [{ name: 'a' }]), [{ name: 'a', ...node(2) }], 'a is number 2');
  t.same(await initialNodes(dir, 3, [a]), [{ ...a, ...node(2) }, node(1), node(3)], 'and two more');
});

t.test('a further node has the first number, and a name that nobody has', t => {
  const nodes = [node(2), { name: 'node-1', ...node(3) }];
  t.same(withNodes(nodes, [{ zone: 'a' }]).at(-1), { zone: 'a', ...node(4) });
  t.throws(() => withNodes(nodes, [{ name: 'node-1' }]), /there is a node "node-1" already/);
  t.throws(() => withNodes(nodes, [{ name: 'dns' }]), /or a process of that name/);
  t.end();
});

t.test('a file that says nothing of nodes is refused', async t => {
  const dir = t.testdir();
  t.equal(await readNodes(dir), undefined);
  for (const text of [
    '{}',
    '[1]',
    '[{"number":0,"stopped":false}]',
    '[{"number":5001,"stopped":false}]',
    '[{"number":1}]',
    '[{"number":1,"stopped":false,"name":"../x"}]',
  ]) {
    writeFileSync(join(dir, 'nodes.json'), text);
    await t.rejects(readNodes(dir), /says nothing of nodes/, text);
  }
});
