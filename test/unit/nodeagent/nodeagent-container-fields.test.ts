import { createServer } from 'node:http';
import t from 'tap';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS } from '../../../src/client/resources.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { Pod } from '../../../src/machinery/types.js';
import { captured } from '../../../src/containers/io.js';
import type { RunningContainer } from '../../../src/containers/container.js';
import { envFileValue } from '../../../src/nodeagent/pods/env-file.js';
import { memoryCapacity } from '../../../src/nodeagent/pods/volumes/empty-dir.js';
import { runProbe } from '../../../src/nodeagent/probes/probe.js';
import { pod, startNode } from '../../support/simulated-node.js';

type SimulatedNode = ReturnType<typeof startNode>;

const container = (name: string, script: string, extra: object = {}) => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', script],
  ...extra,
});
const exec = async (node: SimulatedNode, name: string, ...command: string[]) => {
  const output = captured();
  const running = node.manager?.container('default', name, 'c')?.running;
  const signal = new AbortController().signal;
  await running?.exec(command, { stdout: output, stderr: output, tty: false, signal });
  return output.text();
};

/** A claim that is bound to a volume of that source. */
const bind = (node: SimulatedNode, name: string, source: object): void => {
  const metadata = { name, namespace: 'default' };
  const claim = { metadata, spec: { volumeName: `pv-${name}` }, status: { phase: 'Bound' } };
  node.cluster.load(PERSISTENT_VOLUME_CLAIMS, claim);
  node.cluster.load(PERSISTENT_VOLUMES, { metadata: { name: `pv-${name}` }, spec: source });
};

t.test('files of environment variables', async t => {
  const rows: { name: string; text: string; key?: string; expect?: string; error?: RegExp }[] = [
    { name: 'a value', text: "A='1'\nB='2'\n", key: 'B', expect: '2' },
    { name: 'blanks before, comments, empty lines', text: "\n  # A='0'\n\t A='1' # one\n", expect: '1' },
    { name: 'no such key', text: "B='2'\n", expect: '' },
    { name: 'the first of a name', text: "A='1'\nA='2'\n", expect: '1' },
    { name: 'a value of several lines', text: "A='one\ntwo'\n", expect: 'one\ntwo' },
    { name: 'nothing is expanded', text: "A='$B \\n'\n", expect: '$B \\n' },
    { name: 'a blank before the value: nothing', text: "A= '1'\n", expect: '' },
    { name: 'a blank before =', text: "A ='1'\n", error: /line 1: whitespace before '=' is not allowed/ },
    { name: 'no =', text: '\nA\n', error: /line 2: missing '='/ },
    { name: 'no name', text: "='1'\n", error: /line 1: empty variable name/ },
    { name: 'no quotes', text: 'A=1\n', error: /value must be enclosed in single quotes/ },
    { name: 'something behind', text: "A='1'2\n", error: /unexpected content after closing quote/ },
    { name: 'never closed', text: "A='1\n\n", error: /line 1: unclosed single quote/ },
    { name: 'long and hostile', text: `${"B='".padEnd(100_000, '\n')}'\n${' '.repeat(100_000)}A='1'`, expect: '1' },
  ];
  for (const { name, text, key = 'A', expect, error } of rows)
    if (error === undefined) t.equal(envFileValue(text, key), expect, name);
    else t.throws(() => envFileValue(text, key), error, name);
});

t.test('an init container makes the environment of the next', async t => {
  const node = startNode();
  const from = (path: string, key: string, optional = false) => ({
    name: 'X',
    valueFrom: { fileKeyRef: { volumeName: 'd', path, key, optional } },
  });
  const init = container('i', `mkdir /d/sub; echo "TOKEN='abc'" > /d/sub/env`, {
    volumeMounts: [{ name: 'd', mountPath: '/d' }],
  });
  const rows = [
    { name: 'there', env: from('sub/env', 'TOKEN'), expect: 'abc\n' },
    { name: 'not-there-optional', env: from('sub/env', 'NONE', true), expect: '' },
    {
      name: 'not-there',
      env: from('sub/env', 'NONE'),
      error:
        'environment variable key "NONE" not found in file "/var/lib/kubelet/pods/uid-not-there/volumes/kubernetes.io~empty-dir/d/sub/env"',
    },
    { name: 'no-file', env: from('../../../etc/passwd', 'NONE'), error: "couldn't parse env file" },
  ];
  for (const { name, env } of rows)
    node.load(
      pod(name, {
        volumes: [{ name: 'd', emptyDir: {} }],
        initContainers: [init],
        containers: [container('c', 'sleep infinity', { env: [env] })],
      }),
    );
  node.start();
  for (const { name, expect, error } of rows)
    if (error === undefined) {
      await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
      t.equal(await exec(node, name, 'printenv', 'X'), expect, name);
    } else {
      const waiting = () => node.status(name).containerStatuses?.[0]?.state?.waiting;
      await node.until(`${name} waits`, () => waiting()?.reason === 'CreateContainerConfigError');
      t.equal(waiting()?.message, error, name);
    }
  node.stop();
});

t.test('mounts: images, read-only claims, recursion; working directories; pull secrets', async t => {
  const node = startNode();
  const volumes = [
    { name: 'image', image: { reference: 'nginx:1.27' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
    { name: 'own', ephemeral: { volumeClaimTemplate: {} } },
    { name: 'e', emptyDir: {} },
  ];
  const volumeMounts = [
    { name: 'image', mountPath: '/image' },
    { name: 'claim', mountPath: '/claim' },
    { name: 'own', mountPath: '/own' },
    { name: 'e', mountPath: '/a', readOnly: true, recursiveReadOnly: 'Enabled' },
    { name: 'e', mountPath: '/b', readOnly: true, recursiveReadOnly: 'IfPossible' },
    { name: 'e', mountPath: '/d', readOnly: true },
    { name: 'e', mountPath: '/w' },
  ];
  bind(node, 'data', { hostPath: { path: '/srv/data' } });
  bind(node, 'p-own', { hostPath: { path: '/var/local-path-provisioner/p-own', type: 'DirectoryOrCreate' } });
  const c = container('c', 'sleep infinity', { volumeMounts, workingDir: '/not/there' });
  node.load(pod('p', { volumes, imagePullSecrets: [{ name: 'absent' }], containers: [c] }));
  const broken = [{ name: 'image', image: { reference: 'example.com/does-not-exist:1' } }];
  node.load(
    pod('broken', {
      volumes: broken,
      containers: [container('c', 'true', { volumeMounts: [{ name: 'image', mountPath: '/i' }] })],
    }),
  );
  node.start();
  await node.until('runs', () => node.status('p').phase === 'Running');
  t.same(
    node
      .status('p')
      .containerStatuses?.[0]?.volumeMounts?.map(m => (m as { recursiveReadOnly?: string }).recursiveReadOnly),
    [undefined, undefined, undefined, 'Enabled', 'Enabled', 'Disabled', undefined],
  );
  t.match(await exec(node, 'p', 'ls', '/image/usr/share/nginx/html'), /index\.html/);
  for (const path of ['/image/x', '/claim/x', '/a/x'])
    t.match(await exec(node, 'p', 'touch', path), /Read-only file system/, path);
  t.equal(await exec(node, 'p', 'touch', '/w/x', '/own/x'), '');
  t.equal(await exec(node, 'p', 'pwd'), '/not/there\n');
  t.ok(
    node.events.some(
      e =>
        e.reason === 'FailedToRetrieveImagePullSecret' &&
        e.message.startsWith('Unable to retrieve some image pull secrets (absent);'),
    ),
  );
  await node.until(
    'an image that is not there',
    () => node.status('broken').containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull',
  );
  node.stop();
});

t.test('an emptyDir in memory takes what it may, and no more', async t => {
  const node = startNode();
  const limit = (memory: string) => ({ name: memory, resources: { limits: { memory } } });
  const capacities = [
    { name: 'nothing limits it', sizeLimit: undefined, containers: [{ name: 'c' }], expect: undefined },
    { name: 'its own limit', sizeLimit: '1Mi', containers: [{ name: 'c' }], expect: 1_048_576 },
    { name: 'a limit of nothing is none', sizeLimit: '0', containers: [{ name: 'c' }], expect: undefined },
    { name: 'what the Pod may use', sizeLimit: undefined, containers: [limit('1Mi'), limit('2Mi')], expect: 3_145_728 },
    { name: 'the smaller of both', sizeLimit: '8Mi', containers: [limit('1Mi')], expect: 1_048_576 },
    {
      name: 'one container without a limit',
      sizeLimit: '8Mi',
      containers: [limit('1Mi'), { name: 'c' }],
      expect: 8_388_608,
    },
  ];
  for (const { name, sizeLimit, containers, expect } of capacities)
    t.equal(memoryCapacity(sizeLimit, pod('p', { containers })), expect, name);
  const rows = [
    { name: 'limited', emptyDir: { medium: 'Memory', sizeLimit: '64Ki' }, full: true },
    { name: 'not-limited', emptyDir: { medium: 'Memory' }, full: false },
  ];
  for (const { name, emptyDir } of rows) {
    const c = container('c', 'sleep infinity', { volumeMounts: [{ name: 'e', mountPath: '/e' }] });
    node.load(pod(name, { volumes: [{ name: 'e', emptyDir }], containers: [c] }));
  }
  node.start();
  for (const { name, full } of rows) {
    await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
    const said = await exec(node, name, 'dd', 'if=/dev/zero', 'of=/e/f', 'bs=1024', 'count=100');
    t.equal(/No space left on device/.test(said), full, `${name}: ${said}`);
  }
  node.stop();
});

t.test('a claim shows the volume that it is bound to', async t => {
  const node = startNode();
  const mounting = (claimName: string, extra: object[] = []) => ({
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }, ...extra],
    securityContext: { runAsUser: 1000 },
    containers: [
      container('c', 'sleep infinity', {
        volumeMounts: [{ name: 'v', mountPath: '/v' }, ...extra.map(() => ({ name: 'host', mountPath: '/host' }))],
      }),
    ],
  });
  bind(node, 'local', { hostPath: { path: '/var/local-path-provisioner/x', type: 'DirectoryOrCreate' } });
  bind(node, 'one', { nfs: { server: 's', path: '/' } });
  node.cluster.load(PERSISTENT_VOLUME_CLAIMS, { metadata: { name: 'unbound', namespace: 'default' } });
  const host = { name: 'host', hostPath: { path: '/var/local-path-provisioner' } };
  node.load(pod('local', mounting('local', [host])), pod('one', mounting('one')));
  node.load(pod('unbound', mounting('unbound')), pod('missing', mounting('missing')));
  node.start();
  for (const name of ['local', 'one']) await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
  t.equal(await exec(node, 'local', 'touch', '/v/here'), '', 'writable for everybody');
  t.equal(await exec(node, 'local', 'ls', '/host/x'), 'here\n', 'it is where the volume says');
  await exec(node, 'one', 'touch', '/v/old');
  const [prefix, failed] = [
    'unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC',
    'FailedMount',
  ];
  for (const why of [
    'default/unbound: PVC is not bound',
    'default/missing: failed to fetch PVC from API server: persistentvolumeclaims "missing" not found',
  ])
    await node.until(why, () => {
      node.clock.step(1_000);
      return node.events.some(e => e.reason === failed && e.message.endsWith(`${prefix} ${why}`));
    });
  // The same claim by name is another when it is bound to another volume.
  bind(node, 'one', { nfs: { server: 's', path: '/' } });
  node.cluster.load(PERSISTENT_VOLUME_CLAIMS, {
    metadata: { name: 'one', namespace: 'default' },
    spec: { volumeName: 'pv-two' },
    status: { phase: 'Bound' },
  });
  node.cluster.load(PERSISTENT_VOLUMES, { metadata: { name: 'pv-two' }, spec: { nfs: { server: 's', path: '/' } } });
  node.clock.step(2_000);
  node.load(pod('again', mounting('one')));
  await node.until('again runs', () => node.status('again').phase === 'Running');
  t.equal(await exec(node, 'again', 'ls', '/v'), '', 'what was in the volume before is not here');
  node.stop();
});

t.test('what this node does not have is said, and the Pod waits', async t => {
  const node = startNode();
  const c = container('c', 'sleep infinity');
  const csi = [{ name: 'v', csi: { driver: 'csi.example.com' } }];
  const claims = [{ name: 'gpu', resourceClaimName: 'mine' }];
  const nameservers = ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'];
  const searches = Array.from({ length: 33 }, (_, i) => `s${i}`);
  const rows = [
    {
      name: 'csi',
      spec: { volumes: csi },
      reason: 'FailedMount',
      message: /driver name csi\.example\.com not found in the list of registered CSI drivers$/,
      phase: 'Pending',
    },
    {
      name: 'claim',
      spec: { resourceClaims: claims },
      reason: 'FailedPrepareDynamicResources',
      message: /fetch ResourceClaim mine: resourceclaims\.resource\.k8s\.io "mine" not found$/,
      phase: 'Pending',
    },
    {
      name: 'servers',
      spec: { dnsPolicy: 'None', dnsConfig: { nameservers } },
      reason: 'DNSConfigForming',
      message: /^Nameserver limits were exceeded, .* line is: 1\.1\.1\.1 1\.1\.1\.2 1\.1\.1\.3$/,
      phase: 'Running',
    },
    {
      name: 'searches',
      spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches } },
      reason: 'DNSConfigForming',
      message: /^Search Line limits were exceeded, .* line is: s0 .* s31$/,
      phase: 'Running',
    },
  ];
  node.load(...rows.map(({ name, spec }) => pod(name, { ...spec, containers: [c] })));
  node.start();
  for (const { name, reason, message, phase } of rows) {
    await node.until(`${name}: ${reason}`, () => node.events.some(e => e.reason === reason && message.test(e.message)));
    await node.until(`${name}: ${phase}`, () => node.status(name).phase === phase);
    t.equal(node.events.filter(e => e.reason === reason && message.test(e.message)).length, 1, name);
  }
  node.stop();
});

t.test('HTTP probes follow redirects on the same host', async t => {
  const { network } = startNode();
  const server = createServer((request, response) => {
    const [, code = '200', location] = /^\/(\d+)(?:\?to=(.*))?$/.exec(request.url ?? '') ?? [];
    response.writeHead(Number(code), location === undefined ? {} : { Location: decodeURIComponent(location) });
    response.end('body');
  });
  const attached = network.attach(['10.244.1.9'], 'pod');
  attached.listen(80, stream => void server.emit('connection', stream));
  const to = (code: number, location: string): string => `/${code}?to=${encodeURIComponent(location)}`;
  const rows = [
    { name: 'success', path: '/200', outcome: 'success', output: '' },
    { name: 'an error', path: '/500', outcome: 'failure', output: 'HTTP probe failed with statuscode: 500' },
    { name: 'to a page that is there', path: to(302, '/204'), outcome: 'success', output: '' },
    {
      name: 'to one that is not',
      path: to(301, '/404'),
      outcome: 'failure',
      output: 'HTTP probe failed with statuscode: 404',
    },
    { name: 'twice', path: to(307, to(308, 'http://10.244.1.9/200')), outcome: 'success', output: '' },
    {
      name: 'to another host',
      path: to(302, 'http://10.244.1.10/404'),
      outcome: 'warning',
      output: 'Probe terminated redirects, Response body: body',
    },
    { name: 'nowhere', path: '/302', outcome: 'warning', output: 'Probe terminated redirects, Response body: body' },
    { name: 'not modified', path: '/304', outcome: 'warning', output: 'Probe terminated redirects, Response body: ' },
    {
      name: 'to a closed port',
      path: to(302, 'http://10.244.1.9:81/'),
      outcome: 'failure',
      output: 'Get "http://10.244.1.9:81/": dial tcp 10.244.1.9:81: connect: connection refused',
    },
    {
      name: 'for ever',
      path: '/302?to=',
      outcome: 'warning',
      output: 'Probe terminated redirects, Response body: body',
    },
  ];
  const target = {
    container: {} as RunningContainer,
    spec: { name: 'c' },
    podIP: '10.244.1.9',
    network: network.node,
    clock: new FakeClock(),
    signal: new AbortController().signal,
  };
  for (const { name, path, outcome, output } of rows)
    t.same(await runProbe({ httpGet: { port: 80, path } }, target), { outcome, output }, name);
  const endless = createServer((_request, response) => response.writeHead(302, { Location: '/again' }).end());
  attached.listen(82, stream => void endless.emit('connection', stream));
  t.match(await runProbe({ httpGet: { port: 82 } }, target), {
    outcome: 'failure',
    output: /stopped after 10 redirects$/,
  });
  endless.closeAllConnections();
  server.closeAllConnections();
});

t.test('a resize waits until the node has room', async t => {
  const node = startNode();
  const asking = (cpu: string) => ({
    containers: [{ ...container('c', 'sleep infinity'), resources: { requests: { cpu } } }],
  });
  node.load(pod('grows', asking('1')), pod('other', asking('2')));
  node.start();
  for (const name of ['grows', 'other']) await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
  const resize = (cpu: string): void => {
    const current = node.get('grows') as Pod;
    node.cluster.load(PODS, { ...current, spec: { ...current.spec, ...asking(cpu) } });
  };
  resize('5');
  await node.until('infeasible', () => node.condition('grows', 'PodResizePending')?.reason === 'Infeasible');
  resize('3');
  await node.until('deferred', () => node.condition('grows', 'PodResizePending')?.reason === 'Deferred');
  t.equal(
    node.condition('grows', 'PodResizePending')?.message,
    "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000",
  );
  const given = () => node.status('grows').containerStatuses?.[0]?.resources?.requests?.['cpu'];
  t.equal(given(), '1');
  node.load(pod('fits', asking('1')));
  await node.until('what is deferred takes nothing', () => node.status('fits').phase === 'Running');
  node.remove('other', 0);
  await node.until('done', () => {
    node.clock.step(1_000);
    return given() === '3';
  });
  const reasons = node.reasons().filter(reason => reason.startsWith('Resize'));
  t.same(reasons, ['ResizeInfeasible', 'ResizeDeferred', 'ResizeStarted', 'ResizeCompleted']);
  node.stop();
});
