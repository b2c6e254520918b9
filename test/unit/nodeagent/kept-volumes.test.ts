import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createFileSystem, createTree, newDirectory, type Tree } from '../../../src/containers/file-system.js';
import { realClock } from '../../../src/machinery/clock.js';
import { createKeptVolumes } from '../../../src/nodeagent/pods/volumes/kept-volumes.js';
import { parseIndex } from '../../../src/nodeagent/pods/volumes/volume-archive/format.js';
import { until } from '../../support/until.js';

const AT = '/var/local-path-provisioner/pvc-1_default_data';
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The agent of a node that has just started. */
async function agent(folder: string | undefined) {
  const tree = createTree();
  const volumes = createKeptVolumes({ tree, folder, clock: realClock, log });
  await volumes.load(AT);
  if (!tree.directories.has(AT)) tree.directories.set(AT, newDirectory(0o777));
  const files = createFileSystem([{ path: '', tree, readOnly: false }], undefined, () => 1_700_000_000_000);
  return { tree, volumes, files };
}

const told = (tree: Tree): unknown => ({
  files: [...tree.files].map(([path, { content, mode, uid, names }]) => [path, String(content), mode, uid, names]),
  directories: [...tree.directories].map(([path, { mode, gid }]) => [path, mode, gid]),
  links: [...tree.links].map(([path, { target }]) => [path, target]),
});

t.test('what is in a volume outlives the agent', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'volumes-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const first = await agent(folder);
  const { files } = first;
  await files.write(`${AT}/a`, Buffer.from('one'));
  files.makeDirectory(`${AT}/d/e`, { parents: true });
  await files.write(`${AT}/d/e/b`, Buffer.from('two'));
  await files.write(`${AT}/d/e/b`, Buffer.from(' three'), { append: true });
  files.symlink('../a', `${AT}/d/link`);
  files.link(`${AT}/a`, `${AT}/second`);
  files.chmod(`${AT}/a`, 0o600);
  files.chown(`${AT}/a`, { uid: 999, gid: 998 });
  await files.write('/elsewhere', Buffer.from('not in a volume'));
  await first.volumes.close();
  const second = await agent(folder);
  second.tree.files.set('/elsewhere', { content: Buffer.from('not in a volume'), mode: 0o644, uid: 0, gid: 0 });
  const sorted = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_key, each: unknown) => (Array.isArray(each) ? each.sort() : each));
  t.same(sorted(told(second.tree)), sorted(told(first.tree)));
  await second.files.write(`${AT}/second`, Buffer.from('by its other name'));
  t.equal(String(await second.files.read(`${AT}/a`)), 'by its other name', 'two names of one file');
  second.files.remove(`${AT}/d`, { recursive: true });
  await second.volumes.close();
  const third = await agent(folder);
  t.same([...third.tree.files.keys()].sort(), [`${AT}/a`, `${AT}/second`]);
  const kept = join(folder, 'pvc-1_default_data');
  t.equal((await readdir(kept)).length, 2, 'an index, and one file: what is replaced is not kept');
  await third.volumes.remove('pvc-1_default_data');
  t.same([...third.tree.files.keys()], []);
  t.same(await readdir(folder), []);
  await third.volumes.close();
});

t.test('it is written without being told to', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'volumes-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const { files, volumes } = await agent(folder);
  await files.write(`${AT}/a`, Buffer.from('one'));
  const index = join(folder, 'pvc-1_default_data', 'index.json');
  await until('the file is in the index', async () => {
    try {
      return parseIndex(await readFile(index, 'utf8')).entries.some(({ path }) => path === '/a');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  });
  await volumes.close();
});

t.test('names that lead out of the folder are none, and without a folder memory is all there is', async t => {
  const { files, tree, volumes } = await agent(undefined);
  await files.write(`${AT}/a`, Buffer.from('one'));
  await volumes.remove('..');
  await volumes.remove('../pvc-1_default_data');
  t.equal(tree.files.size, 1);
  await volumes.remove('pvc-1_default_data');
  t.equal(tree.files.size, 0);
  await volumes.close();
});

t.test('a broken index is said, and not taken for an empty volume', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'volumes-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const first = await agent(folder);
  await first.volumes.close();
  const index = join(folder, 'pvc-1_default_data', 'index.json');
  for (const text of ['', '{}', '{"version":1,"next":0,"entries":[{"path":"x"}]}']) {
    await writeFile(index, text);
    await t.rejects(agent(folder), text);
  }
});
