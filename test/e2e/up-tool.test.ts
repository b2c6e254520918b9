import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { eventually, KUBETTE, run, type Finished } from '../support/up.js';

const home = mkdtempSync(join(tmpdir(), 'kubette-tool-'));
const env = { XDG_STATE_HOME: join(home, 'state'), HOME: home, KUBECONFIG: join(home, 'config') };
const kubette = (...args: string[]): Promise<Finished> =>
  run(process.execPath, [KUBETTE, ...args], { env, cwd: home, timeoutMs: 120_000 });
const kubectl = (...args: string[]): Promise<Finished> => run('kubectl', args, { env, cwd: home });

interface Status {
  readonly state: string;
  readonly nodes: readonly { readonly name: string; readonly ready: boolean; readonly nodePortsOn: string }[];
}
const status = async (...which: string[]): Promise<Status> =>
  JSON.parse((await kubette('status', '--json', ...which)).stdout) as Status;

/** What a load balancer of the cluster answers, asked from this machine. */
async function published(context: string): Promise<{ readonly ip: string; readonly body: string }> {
  const asked = (...args: string[]): Promise<Finished> => kubectl('--context', context, ...args);
  const pod = `of-${context}`;
  await asked('run', pod, '--image=echo', '--port=80');
  await asked('expose', 'pod', pod, '--name=web', '--type=LoadBalancer', '--port=8080', '--target-port=80');
  await asked('wait', `pod/${pod}`, '--for=condition=Ready');
  const { stdout: ip } = await eventually(
    'an address',
    () => asked('get', 'svc', 'web', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'),
    ({ stdout }) => stdout !== '',
  );
  const url = `http://${ip.replace(/^\d+/, '127')}:8080/`;
  const { stdout: body } = await eventually(
    'an answer',
    () => run('curl', ['-sS', '-m', '5', url]),
    ({ code }) => code === 0,
  );
  return { ip, body };
}

const BIG = JSON.stringify({
  cpu: '8',
  'ephemeral-storage': '100Gi',
  'example.com/gpu': '1',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  memory: '8Gi',
  pods: '110',
});
const TAINTS = JSON.stringify([{ effect: 'NoSchedule', key: 'dedicated', value: 'db' }]);

t.setTimeout(300_000);

t.test('two clusters in the background, from first to last command', async t => {
  t.teardown(async () => {
    await kubette('delete', '--name', 'one');
    await kubette('delete');
  });
  const one = await kubette(
    'up',
    '-d',
    '--name',
    'one',
    '--nodes',
    '1',
    '--secure-port',
    '0',
    '--kubeconfig-merge',
    '--publish',
  );
  t.equal(one.code, 0, one.stderr);
  t.match(one.stdout, /✓ API server/);
  t.match(one.stdout, /ready in \d+ ms/);
  t.match(one.stdout, /✓ publish +load balancers 172\.18\.\d+\.0\/24 at /);
  const other = await kubette('up', '-d', '--nodes', '1', '--secure-port', '0', '--publish');
  t.equal(other.code, 0, other.stderr);

  const [first, second] = [await status('--name', 'one'), await status()];
  t.same([first.state, second.state], ['running', 'running']);
  t.not(first.nodes[0]?.nodePortsOn, second.nodes[0]?.nodePortsOn, 'node ports on addresses of their own');
  t.match((await kubette('list')).stdout, /one +running +kubette-one +1/);

  const again = await kubette('up', '-d', '--name', 'one', '--nodes', '1', '--secure-port', '0');
  t.equal(again.code, 1, 'it runs already');
  t.match(again.stderr, /^kubette up: data folder .* is in use by process \d+/);
  t.equal((await status('--name', 'one')).state, 'running', 'and goes on');

  t.equal((await kubette('kubeconfig', 'merge')).code, 0);
  const contexts = await kubectl('config', 'get-contexts', '-o', 'name');
  t.same(contexts.stdout.trim().split('\n').sort(), ['kubette', 'kubette-one']);
  t.equal((await kubectl('--context', 'kubette-one', 'get', 'nodes', '-o', 'name')).stdout, 'node/node-1\n');
  t.equal(
    (await kubectl('--context', 'kubette-one', 'get', 'leases', '-n', 'kube-system', '-o', 'name')).stdout,
    'lease.coordination.k8s.io/kube-controller-manager\nlease.coordination.k8s.io/kube-scheduler\n',
    'the scheduler has a Lease of its own',
  );
  if (process.platform === 'linux') {
    const answers = await Promise.all(['kubette', 'kubette-one'].map(published));
    t.match(answers[0]?.body, /of-kubette\b(?!-)/);
    t.match(answers[1]?.body, /of-kubette-one\b/);
    t.not(answers[0]?.ip, answers[1]?.ip, 'the same Service in both, at addresses of their own');
  }
  t.match((await kubette('kubeconfig', 'remove')).stdout, /^kubette is no longer in /);
  t.equal((await kubectl('config', 'get-contexts', '-o', 'name')).stdout, 'kubette-one\n');

  t.equal((await kubette('node', 'add', '2', '--name', 'one')).stdout, 'node-2 is Ready\nnode-3 is Ready\n');
  t.match((await kubette('node', 'stop', 'node-2', '--name', 'one')).stdout, /^node-2 is stopped/);
  t.equal((await kubette('node', 'start', 'node-2', '--name', 'one')).stdout, 'node-2 is Ready\n');
  t.equal((await kubette('node', 'delete', 'node-1', '--name', 'one')).stdout, 'node-1 is deleted\n');
  const nodes = await kubectl('--context', 'kubette-one', 'get', 'nodes', '-o', 'name');
  t.equal(nodes.stdout, 'node/node-2\nnode/node-3\n');
  t.match(
    (await kubette('node', 'stop', 'node-9', '--name', 'one')).stderr,
    /there is no node "node-9"; there is node-2, node-3/,
  );
  t.match((await kubette('logs', 'up', '--name', 'one')).stdout, /node-2 stopped/);

  t.match((await kubette('down', '--name', 'one')).stdout, /^cluster one is stopped/);
  t.equal((await kubette('status', '--name', 'one')).code, 1);
  t.match((await kubette('node', 'add', '--name', 'one')).stderr, /cluster one does not run; "kubette up" starts it/);
  const back = await kubette('up', '-d', '--name', 'one', '--secure-port', '0');
  t.equal(back.code, 0, back.stderr);
  t.same(
    (await status('--name', 'one')).nodes.map(({ name }) => name),
    ['node-2', 'node-3'],
    'with the nodes that it had',
  );

  t.match((await kubette('delete', '--name', 'one')).stdout, /^cluster one is deleted/);
  t.match((await kubette('delete', '--name', 'one')).stderr, /there is no cluster in .*; "kubette list"/);
  t.equal((await kubette('delete')).code, 0);
  t.notMatch((await kubette('list')).stdout, /running|stopped/);
});

t.test('a file says what there is: nodes, flags, objects', async t => {
  t.teardown(() => kubette('delete', '--name', 'filed'));
  mkdirSync(join(home, 'objects'));
  writeFileSync(
    join(home, 'dev.yaml'),
    `
nodes:
- {name: big, zone: a, labels: {node-role.kubernetes.io/worker: ""}, capacity: {cpu: 8, example.com/gpu: 1}}
- {zone: b, proxyMode: nftables, taints: [{key: dedicated, value: db, effect: NoSchedule}]}
images:
  broken/*: {pullError: denied}
objects:
- objects
- {apiVersion: v1, kind: Pod, metadata: {name: denied, namespace: shop}, spec: {containers: [{name: c, image: broken/app}]}}
- {apiVersion: example.com/v1, kind: Shop, metadata: {name: corner, namespace: shop}, spec: {}}
flags: {name: filed, secure-port: 0, v: debug}
`,
  );
  writeFileSync(
    join(home, 'objects', 'all.yaml'),
    `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: c, image: nginx, resources: {limits: {example.com/gpu: 1}}}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: shops, singular: shop, kind: Shop}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}}
`,
  );
  const up = await kubette('up', '-d', '--config', 'dev.yaml', '--v', 'error', '--kubeconfig-merge');
  t.equal(up.code, 0, up.stderr);
  t.match(up.stdout, /✓ big +Ready/);
  t.match(up.stdout, /✓ objects +5 applied/);
  t.notMatch((await kubette('logs', '--name', 'filed')).stdout, / debug /, 'the flag wins');
  const get = async (...args: string[]) => (await kubectl('--context', 'kubette-filed', 'get', ...args)).stdout;
  t.equal(await get('node', 'big', '-o', 'jsonpath={.status.capacity}'), BIG);
  t.match(await get('node', 'big'), /big +Ready +worker/);
  t.equal(await get('node', '-l', 'topology.kubernetes.io/zone=b', '-o', 'jsonpath={.items[*].spec.taints}'), TAINTS);
  t.match(await get('--raw', '/api/v1/nodes/node-2/proxy/rules'), /table ip kube-proxy/);
  t.equal(
    (await kubectl('--context', 'kubette-filed', 'wait', '-n', 'shop', 'pod/web', '--for=condition=Ready')).code,
    0,
  );
  t.equal(await get('-n', 'shop', 'pod/web', '-o', 'jsonpath={.spec.nodeName}'), 'big');
  await eventually(
    'the image that is told to be denied',
    () => get('-n', 'shop', 'pod/denied'),
    pod => /ErrImagePull|ImagePullBackOff/.test(pod),
  );
  t.equal(await get('-n', 'shop', 'shops', '-o', 'name'), 'shop.example.com/corner\n');
  const more = await kubette(
    ...['node', 'add', '--name', 'filed', '--node-name', 'gpu', '--zone', 'c', '--labels', 'a=b'],
    ...['--capacity', 'example.com/gpu=4,pods=7', '--taints', 'gpu=yes:NoExecute'],
  );
  t.equal(more.stdout, 'gpu is Ready\n', more.stderr);
  t.match(await get('node', 'gpu', '-o', 'jsonpath={.status.capacity}'), /"example.com\/gpu":"4".*"pods":"7"/);
  t.equal(await get('node', '-l', 'topology.kubernetes.io/zone=c,a=b', '-o', 'name'), 'node/gpu\n');
  t.equal((await kubette('down', '--name', 'filed')).code, 0);

  writeFileSync(
    join(home, 'broken.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A}\n---\napiVersion: x/v1\nkind: Y\nmetadata: {name: z, namespace: n}\n',
  );
  const failed = await kubette('up', '-d', '--name', 'filed', '--secure-port', '0', '--objects', 'broken.yaml');
  t.equal(failed.code, 1);
  t.match(failed.stderr, /^kubette up: ConfigMap A \(broken\.yaml\): ConfigMap "A" is invalid/);
  t.match(failed.stderr, /\nkubette up: Y n\/z \(broken\.yaml\): the server has no resource Y in x\/v1\n$/);
  t.equal((await status('--name', 'filed')).state, 'stopped');
});

t.test('what was mistyped is told, with what was meant', async t => {
  for (const [args, says] of [
    [['statsu'], /unknown command "statsu" \(Did you mean status\?\)/],
    [['up', '--node', '2'], /unknown option '--node' \(Did you mean --nodes\?\); "kubette up --help"/],
    [['up', '--kubernetes-version', '1.30'], /"--kubernetes-version" flag: only 1\.35\.\d+ is played/],
    [['up', '--name', 'A b'], /invalid argument "A b" for "--name" flag/],
    [['completion', 'tcsh'], /want bash, zsh, fish/],
  ] as const) {
    const { code, stderr } = await kubette(...args);
    t.equal(code, 1, args.join(' '));
    t.match(stderr, says);
  }
});

t.test('shells complete commands and flags', async t => {
  const ask: Record<string, string> = {
    bash: 'source $SCRIPT; COMP_WORDS=(kubette node a); COMP_CWORD=2; _kubette; echo "${COMPREPLY[@]}"',
    zsh: 'autoload -Uz compinit; compinit -u; source $SCRIPT; compadd() { shift; echo "$@" }; _files() { : }; words=(kubette node a); CURRENT=3; _kubette',
    fish: 'source $SCRIPT; complete -C "kubette node a" | string replace -r "\\t.*" ""',
  };
  for (const [shell, script] of Object.entries(ask)) {
    if (spawnSync(shell, ['-c', 'true']).status !== 0) {
      t.comment(`SKIPPED: there is no ${shell}`);
      continue;
    }
    const { stdout, code } = await kubette('completion', shell);
    t.equal(code, 0);
    const file = join(home, `completion.${shell}`);
    writeFileSync(file, stdout);
    const variables = { ...process.env, HOME: home, SCRIPT: file };
    const answer = spawnSync(shell, ['-c', script], { encoding: 'utf8', env: variables });
    t.match(answer.stdout.split(/\s+/), ['add'], `${shell}: ${answer.stderr}`);
  }
});
