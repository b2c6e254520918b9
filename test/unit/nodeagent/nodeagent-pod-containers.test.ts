import t from 'tap';
import { CONFIG_MAPS, SECRETS } from '../../../src/client/resources.js';
import type { Pod } from '../../../src/machinery/types.js';
import { captured } from '../../../src/containers/io.js';
import { pod, startNode } from '../../support/simulated-node.js';
import { container, first } from '../../support/node-pods.js';

/** Moves the clock in small steps, with time for what each sets off, until it has happened. */
const stepUntil = async (node: ReturnType<typeof startNode>, what: string, check: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !check(); i++) {
    node.clock.step(250);
    await settle();
  }
  await node.until(what, check);
};

/** Time for what a step of the clock has set off. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn++) await new Promise(resolve => setImmediate(resolve));
};

t.test('images that cannot be pulled, named or found', async t => {
  const node = startNode();
  node.load(
    pod('missing', { containers: [{ name: 'c', image: 'example.com/does-not-exist:v1' }] }),
    pod('never', { containers: [{ name: 'c', image: 'echo:2', imagePullPolicy: 'Never' }] }),
    pod('odd', { containers: [{ name: 'c', image: 'Not An Image' }] }),
    pod('nocommand', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox', command: ['nosuch'] }] }),
  );
  node.start();
  const waiting = (name: string, reason: string) =>
    node.until(`${name} ${reason}`, () => node.status(name).containerStatuses?.[0]?.state?.waiting?.reason === reason);
  await waiting('missing', 'ErrImagePull');
  t.match(
    first(node.status('missing').containerStatuses).state?.waiting?.message,
    /example\.com\/does-not-exist:v1: not found$/,
  );
  t.equal(node.status('missing').phase, 'Pending');
  node.clock.step(2_000);
  await waiting('missing', 'ImagePullBackOff');
  t.ok(
    node.events.some(
      e => e.reason === 'BackOff' && e.message === 'Back-off pulling image "example.com/does-not-exist:v1"',
    ),
  );
  await waiting('never', 'ErrImageNeverPull');
  await waiting('odd', 'InvalidImageName');
  await node.until('no command', () => node.status('nocommand').phase === 'Failed');
  t.match(first(node.status('nocommand').containerStatuses).state?.terminated, {
    exitCode: 128,
    reason: 'StartError',
    message: /exec: "nosuch": executable file not found in \$PATH$/,
  });
  node.stop();
});

t.test('init containers and sidecars', async t => {
  const node = startNode();
  node.load(
    pod('ordered', {
      volumes: [{ name: 'scratch', emptyDir: {} }],
      initContainers: [
        container('one', 'sleep 5; echo one > /scratch/log', {
          volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
        }),
        container('side', 'sleep infinity', { restartPolicy: 'Always' }),
        container('two', 'echo two >> /scratch/log', { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] }),
      ],
      restartPolicy: 'Never',
      containers: [
        container('main', 'cat /scratch/log; sleep 3', { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] }),
      ],
    }),
    pod('stuck', {
      initContainers: [container('bad', 'exit 4')],
      containers: [container('main', 'true')],
      restartPolicy: 'Never',
    }),
  );
  node.start();
  await node.until('one runs', () => node.status('ordered').initContainerStatuses?.[0]?.state?.running !== undefined);
  t.match(node.status('ordered'), {
    phase: 'Pending',
    containerStatuses: [{ name: 'main', state: { waiting: { reason: 'PodInitializing' } } }],
  });
  t.match(node.condition('ordered', 'Initialized'), {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: 'containers with incomplete status: [one side two]',
  });
  await stepUntil(node, 'main runs', () => node.condition('ordered', 'Ready')?.status === 'True');
  const [one, side, two] = node.status('ordered').initContainerStatuses ?? [];
  t.match(
    [one, side, two],
    [
      { ready: true, started: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
      { ready: true, started: true, state: { running: {} } },
      { ready: true, state: { terminated: { exitCode: 0 } } },
    ],
  );
  const said = () => node.manager?.container('default', 'ordered', 'main')?.logs?.tail(9, 99);
  await node.until('both have run in order', () => said() === 'one\ntwo\n');
  await stepUntil(node, 'completed', () => node.status('ordered').phase === 'Succeeded');
  t.match(node.status('ordered').initContainerStatuses?.[1]?.state, { terminated: { exitCode: 143 } });
  await node.until('stuck fails', () => node.status('stuck').phase === 'Failed');
  t.match(node.status('stuck').containerStatuses?.[0]?.state, { waiting: { reason: 'PodInitializing' } });
  node.stop();
});

t.test('probes', async t => {
  const node = startNode();
  const file = (path: string) => ({ exec: { command: ['test', '-f', path] }, periodSeconds: 1, failureThreshold: 2 });
  node.load(
    pod('ready', {
      containers: [container('c', 'sleep 3; touch /tmp/ok; sleep infinity', { readinessProbe: file('/tmp/ok') })],
    }),
    pod('live', {
      containers: [
        container('c', 'touch /tmp/ok; sleep 3; rm /tmp/ok; sleep infinity', { livenessProbe: file('/tmp/ok') }),
      ],
    }),
    pod('startup', {
      containers: [
        container('c', 'sleep 3; touch /tmp/ok; sleep infinity', {
          startupProbe: { ...file('/tmp/ok'), failureThreshold: 1000 },
          livenessProbe: file('/tmp/ok'),
        }),
      ],
    }),
    pod('http', {
      containers: [
        {
          name: 'c',
          image: 'echo',
          ports: [{ name: 'web', containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/status/503', port: 'web' }, periodSeconds: 1 },
        },
      ],
    }),
    pod('tcp', {
      containers: [{ name: 'c', image: 'echo', readinessProbe: { tcpSocket: { port: 81 }, periodSeconds: 1 } }],
    }),
    pod('grpc', { containers: [{ name: 'c', image: 'echo', readinessProbe: { grpc: { port: 80 } } }] }),
  );
  node.start();
  for (const name of ['ready', 'live', 'startup', 'http', 'tcp', 'grpc'])
    await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
  t.match(node.condition('ready', 'Ready'), {
    status: 'False',
    reason: 'ContainersNotReady',
    message: 'containers with unready status: [c]',
  });
  t.equal(first(node.status('startup').containerStatuses).started, false);
  await stepUntil(node, 'ready', () => node.condition('ready', 'Ready')?.status === 'True');
  await stepUntil(node, 'live restarted', () => first(node.status('live').containerStatuses).restartCount === 1);
  await stepUntil(node, 'started', () => node.condition('startup', 'Ready')?.status === 'True');
  t.equal(first(node.status('startup').containerStatuses).restartCount, 0);
  for (const message of [
    'Container c failed liveness probe, will be restarted',
    'Readiness probe failed: HTTP probe failed with statuscode: 503',
    /^Readiness probe failed: dial tcp 10\.244\.1\.\d+:81: connect: connection refused$/,
    /^Readiness probe failed: timeout: failed to connect service "10\.244\.1\.\d+:\d+" within 1s: context deadline exceeded$/,
  ])
    await stepUntil(node, String(message), () =>
      node.events.some(e => (typeof message === 'string' ? e.message === message : message.test(e.message))),
    );
  t.equal(node.condition('http', 'Ready')?.status, 'False');
  node.stop();
});

t.test('what a container is given: environment, files, names', async t => {
  const node = startNode();
  node.cluster.load(CONFIG_MAPS, {
    metadata: { namespace: 'default', name: 'cm' },
    data: { a: '1', 'f.txt': 'file\n' },
  });
  node.cluster.load(SECRETS, {
    metadata: { namespace: 'default', name: 's' },
    data: { p: Buffer.from('pw').toString('base64') },
  });
  const all = container('c', 'env | sort; cat /cfg/f.txt /cfg/sub; cat /etc/resolv.conf; hostname; sleep infinity', {
    env: [
      { name: 'A', value: 'x' },
      { name: 'B', value: '$(A)-$(NOPE)-$$(A)' },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      { name: 'CM', valueFrom: { configMapKeyRef: { name: 'cm', key: 'a' } } },
      { name: 'OPT', valueFrom: { configMapKeyRef: { name: 'cm', key: 'zz', optional: true } } },
      { name: 'SEC', valueFrom: { secretKeyRef: { name: 's', key: 'p' } } },
    ],
    envFrom: [{ prefix: 'X_', configMapRef: { name: 'cm' } }],
    resources: { limits: { cpu: '1500m' } },
    volumeMounts: [
      { name: 'cfg', mountPath: '/cfg' },
      { name: 'cfg', mountPath: '/cfg/sub', subPath: 'f.txt' },
    ],
  });
  node.load(
    pod('p', { containers: [all], volumes: [{ name: 'cfg', configMap: { name: 'cm' } }] }, { labels: { app: 'demo' } }),
    pod('noref', {
      containers: [
        { name: 'c', image: 'echo', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'nope', key: 'k' } } }] },
      ],
    }),
    pod('nokey', {
      containers: [
        { name: 'c', image: 'echo', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }] },
      ],
    }),
    pod('novol', {
      containers: [{ name: 'c', image: 'echo' }],
      volumes: [{ name: 'v', secret: { secretName: 'nope' } }],
    }),
  );
  node.start();
  await node.until('p runs', () => node.condition('p', 'Ready')?.status === 'True');
  const logs: string[] = [];
  await node.until(
    'it has spoken',
    () => (node.manager?.container('default', 'p', 'c')?.logs?.tail(1, 100) ?? '') === 'p\n',
  );
  for await (const text of node.manager?.container('default', 'p', 'c')?.logs?.read({}) ?? []) logs.push(text);
  const lines = logs.join('').split('\n');
  for (const line of [
    'A=x',
    'B=x-$(NOPE)-$(A)',
    'IP=10.244.1.2',
    'LABEL=demo',
    'CPU=1500',
    'CM=1',
    'SEC=pw',
    'X_a=1',
    'HOSTNAME=p',
    'file',
  ])
    t.ok(lines.includes(line), line);
  t.notOk(lines.some(line => line.startsWith('OPT=')));
  t.ok(lines.includes('search default.svc.cluster.local svc.cluster.local cluster.local'));
  t.ok(lines.includes('nameserver 10.96.0.10'));
  t.ok(lines.includes('options ndots:5'));

  const waiting = (name: string) => node.status(name).containerStatuses?.[0]?.state?.waiting;
  await node.until('noref', () => waiting('noref')?.reason === 'CreateContainerConfigError');
  t.equal(waiting('noref')?.message, 'secret "nope" not found');
  await node.until('nokey', () => waiting('nokey')?.reason === 'CreateContainerConfigError');
  t.equal(waiting('nokey')?.message, "couldn't find key k in ConfigMap default/cm");
  await node.until('novol', () => waiting('novol')?.reason === 'ContainerCreating');
  await node.until('FailedMount', () => node.reasons().includes('FailedMount'));
  t.ok(node.events.some(e => e.message === 'MountVolume.SetUp failed for volume "v" : secret "nope" not found'));
  node.cluster.load(SECRETS, { metadata: { namespace: 'default', name: 'nope' }, data: { k: '' } });
  await stepUntil(
    node,
    'novol runs once the Secret is there',
    () => node.condition('novol', 'Ready')?.status === 'True',
  );
  await stepUntil(node, 'noref too', () => node.condition('noref', 'Ready')?.status === 'True');
  node.stop();
});

t.test('a changed image restarts the container; a changed ConfigMap shows in its volume', async t => {
  const node = startNode();
  const config = (value: string) =>
    node.cluster.load(CONFIG_MAPS, { metadata: { namespace: 'default', name: 'cm' }, data: { key: value } });
  config('old');
  const web = {
    containers: [{ name: 'c', image: 'echo:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    volumes: [{ name: 'v', configMap: { name: 'cm' } }],
  };
  node.load(pod('p', web));
  node.start();
  await node.until('runs', () => node.condition('p', 'Ready')?.status === 'True');
  const read = async (): Promise<string> => {
    const output = captured();
    const signal = new AbortController().signal;
    const running = node.manager?.container('default', 'p', 'c')?.running;
    await running?.exec(['cat', '/v/key'], { stdout: output, tty: false, signal });
    return output.text();
  };
  t.equal(await read(), 'old');
  config('new');
  node.clock.step(60_000);
  await settle();
  t.equal(await read(), 'new');
  const current = node.get('p') as Pod;
  const containers = [{ ...web.containers[0], image: 'echo:2' }];
  node.load({ ...current, spec: { ...current.spec, containers } } as unknown as Pod);
  await node.until('restarted', () => first(node.status('p').containerStatuses).restartCount === 1);
  t.equal(first(node.status('p').containerStatuses).image, 'docker.io/library/echo:2');
  t.ok(node.events.some(e => e.message === 'Container c definition changed, will be restarted'));
  node.stop();
});
