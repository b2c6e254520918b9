import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { changeKubeconfig, merged, userKubeconfig, without } from '../../../../src/cmd/clusters/kubeconfig.js';

const own = (name: string, server: string): string =>
  `apiVersion: v1
kind: Config
clusters: [{ name: ${name}, cluster: { server: "${server}" } }]
users: [{ name: ${name}, user: { token: t } }]
contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} } }]
current-context: ${name}
`;

const THEIRS = `# mine, by hand
apiVersion: v1
kind: Config
clusters:
- name: prod   # careful
  cluster: {server: "https://prod"}
contexts:
- name: prod
  context: {cluster: prod, user: me}
users: []
current-context: prod
`;

t.test('a cluster goes into a file of the user and out again', async t => {
  const both = await merged(THEIRS, own('kubette-a', 'https://a'), 'f');
  t.match(both, /# mine, by hand/);
  t.match(both, /name: prod {1,3}# careful/);
  t.match(both, /current-context: kubette-a/);
  const again = await merged(both, own('kubette-a', 'https://b'), 'f');
  t.notMatch(again, 'https://a', 'what was there of that name is replaced');
  t.match(again, 'https://b');
  const out = await without(again, 'kubette-a', 'f');
  t.match(out, /prod/);
  t.notMatch(out, /kubette-a/, 'in no list, and not chosen');
  t.equal(await without(THEIRS, 'kubette-a', 'f'), undefined, 'what is not there');
});

t.test('a file that is empty, missing or none', async t => {
  t.match(await merged('', own('kubette', 'https://a'), 'f'), /clusters:\n.*\n?.*name: kubette/);
  t.match(
    await merged('clusters: null\nusers:\n', own('kubette', 'https://a'), 'f'),
    /name: kubette/,
    'lists that are null',
  );
  await t.rejects(merged('a: [', own('kubette', 'https://a'), 'f'), /^f is no YAML/);
  await t.rejects(merged('just text', own('kubette', 'https://a'), 'f'), /^f is no kubeconfig/);
});

t.test('a link stays one, and what it stands for is written', async t => {
  const dir = t.testdir({ real: { config: 'old' } });
  const link = join(dir, 'config');
  symlinkSync('real/config', link);
  await changeKubeconfig(link, async text => `${text} and new`);
  t.equal(readFileSync(join(dir, 'real', 'config'), 'utf8'), 'old and new');
  t.ok(lstatSync(link).isSymbolicLink());
  const early = join(dir, 'early');
  symlinkSync('real/later', early);
  await changeKubeconfig(early, async () => 'first');
  t.equal(readFileSync(join(dir, 'real', 'later'), 'utf8'), 'first', 'also one that was not there yet');
  t.ok(lstatSync(early).isSymbolicLink());
});

t.test("kubectl's lock on the file is respected, and let go of", async t => {
  const file = join(t.testdir(), 'config');
  writeFileSync(`${file}.lock`, '');
  await t.rejects(
    changeKubeconfig(file, async () => 'x'),
    /is being changed by another program/,
  );
  t.notOk(existsSync(file));
  const other = join(t.testdir(), 'there', 'config');
  t.ok(await changeKubeconfig(other, async text => `${text}x`));
  t.notOk(await changeKubeconfig(other, async () => undefined), 'nothing to change');
  t.equal(readFileSync(other, 'utf8'), 'x');
  t.notOk(existsSync(`${other}.lock`));
});

t.test('the file of the user', t => {
  t.equal(userKubeconfig({ KUBECONFIG: ':/a:/b' }), '/a');
  t.match(userKubeconfig({}), /\.kube.config$/);
  t.end();
});
