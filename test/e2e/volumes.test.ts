import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually, ROOT, startUp, type RunningUp } from '../support/up.js';

/* Files in volumes of the default class, by kubectl, over Pods, agents and clusters that come and go. */
t.setTimeout(600_000);

const MANIFEST = readFileSync(join(ROOT, 'test/fixtures/volumes.yaml'), 'utf8');
const SNAPSHOT =
  'apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: { name: s }\nspec: { source: { persistentVolumeClaimName: data } }\n';

const read = (up: RunningUp) =>
  eventually(
    'the file',
    () => up.kubectl('exec', 'writer', '--', 'cat', '/data/f'),
    ({ code }) => code === 0,
    120_000,
  );
const started = (up: RunningUp) =>
  eventually(
    'the default ServiceAccount',
    () => up.kubectl('get', 'serviceaccount', 'default'),
    ({ code }) => code === 0,
  );

t.test('files live as long as their claim', async t => {
  let up = await startUp({ args: ['--nodes', '2'] });
  t.teardown(() => up.stop());
  await started(up);
  const applied = await up.kubectlWith({ input: MANIFEST }, 'apply', '-f', '-');
  t.equal(applied.code, 0, applied.stderr);
  t.equal((await read(up)).stdout, 'written by writer\n');
  const node = (await up.ok('get', 'pod', 'writer', '-o', 'jsonpath={.spec.nodeName}')).trim();
  const affinity = await up.ok('get', 'pv', '-o', 'jsonpath={.items[*].spec.nodeAffinity}');
  t.match(affinity, `"values":["${node}"]`, 'the volume is where its first Pod is');

  await up.ok('exec', 'writer', '--', 'sh', '-c', 'echo more >> /data/f; mkdir /data/d; chmod 700 /data/d');
  await up.ok('delete', 'pod', 'writer');
  await up.kubectlWith({ input: MANIFEST }, 'apply', '-f', '-');
  t.equal((await read(up)).stdout, 'written by writer\nmore\n', 'another Pod');

  const dataDir = up.dataDir;
  await up.stop();
  up = await startUp({ dataDir, args: ['--nodes', '2'] });
  t.equal((await read(up)).stdout, 'written by writer\nmore\n', 'another run of the cluster');
  t.match(
    await up.ok('exec', 'writer', '--', 'ls', '-l', '/data'),
    /^total 8\ndrwx------ .* d\n-rw-r--r-- .* 23 .* f\n$/,
  );

  const grow = '{"spec":{"resources":{"requests":{"storage":"128Mi"}}}}';
  const refused = await up.kubectl('patch', 'pvc', 'data', '-p', grow);
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
  await up.ok('patch', 'pvc', 'grows', '-p', grow);
  await eventually(
    'who is waited for',
    () => up.kubectl('describe', 'pvc', 'grows'),
    ({ stdout }) =>
      /ExternalExpanding .* volume_expand +waiting for an external controller to expand this PVC/.test(stdout),
  );
  t.equal(await up.ok('get', 'pvc', 'grows', '-o', 'jsonpath={.status.capacity.storage}'), '64Mi');
  const snapshot = await up.kubectlWith({ input: SNAPSHOT }, 'apply', '-f', '-');
  t.match(snapshot.stderr, 'no matches for kind "VolumeSnapshot" in version "snapshot.storage.k8s.io/v1"');

  const folder = join(dataDir, 'nodes', node, 'volumes');
  t.equal(readdirSync(folder).length, 2);
  await up.ok('delete', 'pod', 'writer');
  await up.ok('delete', 'pvc', 'data', 'grows');
  await eventually(
    'no volumes',
    () => up.kubectl('get', 'pv', '-o', 'name'),
    ({ stdout }) => stdout === '',
    120_000,
  );
  t.same(existsSync(folder) ? readdirSync(folder) : [], [], 'nothing of them is left');

  const inTools = (...command: string[]) => up.ok('exec', 'tools', '--', ...command);
  t.match(await inTools('dig', '+short', '+search', 'kubernetes.default'), /^10\.96\.0\.1\n$/);
  t.match(await inTools('ip', 'route'), /^default via 10\.244\.\d\.1 dev eth0 \n/);
  t.match(await inTools('ping', '-c', '1', node === 'node-1' ? '172.18.0.3' : '172.18.0.2'), / 0% packet loss/);
  await up.ok('debug', 'node/node-1', '--image=nicolaka/netshoot', '--profile=sysadmin', '--', 'sleep', 'infinity');
  const debug = await eventually(
    'the debugging Pod',
    () => up.kubectl('get', 'pods', '-o', 'name'),
    ({ stdout }) => stdout.includes('node-debugger'),
  );
  const name = /pod\/(node-debugger\S+)/.exec(debug.stdout)?.[1] ?? '';
  const rules = await eventually(
    'the rules of the node',
    () => up.kubectl('exec', name, '--', 'iptables', '-t', 'nat', '-L', 'KUBE-SERVICES', '-n'),
    ({ code }) => code === 0,
  );
  t.match(
    rules.stdout,
    /KUBE-SVC-\w{16} {2}6 {4}-- {2}0\.0\.0\.0\/0 {12}10\.96\.0\.1 .*default\/kubernetes:https cluster IP/,
  );
});
