import t from 'tap';
import { CONFIG_MAPS, PODS, SECRETS } from '../../../src/client/resources.js';
import type { ContainerStatus, Pod, Service } from '../../../src/machinery/types.js';
import { captured } from '../../../src/containers/io.js';
import { makeEnvironment, serviceEnvironment } from '../../../src/nodeagent/pods/environment.js';
import { hostsFile, resolverConfig } from '../../../src/nodeagent/pods/etc-files.js';
import { planPod } from '../../../src/nodeagent/pods/plan.js';
import { statusPatch } from '../../../src/nodeagent/pods/status/status-writer.js';
import { newRecord, type ContainerRecord } from '../../../src/nodeagent/pods/types.js';
import { pod, startNode } from '../../support/simulated-node.js';

const container = (name: string, script: string, extra: object = {}) => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', script],
  ...extra,
});
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
const first = (statuses: readonly ContainerStatus[] | undefined): ContainerStatus => {
  const [status] = statuses ?? [];
  if (status === undefined) throw new Error('no container status');
  return status;
};

t.test('nothing of a Pod goes on when its agent has stopped', async t => {
  const node = startNode();
  node.load(
    pod('busy', {
      containers: [container('c', 'while true; do sleep 1; done', { readinessProbe: { tcpSocket: { port: 80 } } })],
    }),
  );
  node.start();
  await node.until('it runs', () => node.status('busy').phase === 'Running');
  const record = node.manager?.find('default', 'busy')?.records[0];
  t.not(record?.running, undefined);
  node.stop();
  await node.until('its container has ended', () => record?.running === undefined);
  t.match(record?.state, { kind: 'terminated', exitCode: 137 });
});

t.test('a Pod runs, becomes ready and is deleted', async t => {
  const node = startNode();
  node.load(pod('web', { containers: [{ name: 'web', image: 'echo' }] }));
  node.start();
  await node.until('Ready', () => node.condition('web', 'Ready')?.status === 'True');
  const status = node.status('web');
  t.match(status, {
    phase: 'Running',
    observedGeneration: 1,
    hostIP: '172.18.0.2',
    podIP: '10.244.1.2',
    podIPs: [{ ip: '10.244.1.2' }],
    containerStatuses: [
      {
        name: 'web',
        ready: true,
        started: true,
        restartCount: 0,
        image: 'docker.io/library/echo:latest',
        imageID: /^docker\.io\/library\/echo@sha256:[0-9a-f]{64}$/,
        containerID: /^kubette:\/\/[0-9a-f]{64}$/,
        state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        lastState: {},
      },
    ],
  });
  t.same((status.conditions ?? []).map(c => `${c.type}=${c.status}`).sort(), [
    'ContainersReady=True',
    'Initialized=True',
    'PodReadyToStartContainers=True',
    'PodScheduled=True',
    'Ready=True',
  ]);
  t.same(
    node.events.map(e => `${e.type} ${e.reason} ${e.message}`),
    [
      'Normal Pulling Pulling image "echo"',
      'Normal Pulled Successfully pulled image "echo" in 0s (0s including waiting). Image size: 0 bytes.',
      'Normal Created Container created',
      'Normal Started Container started',
    ],
  );
  t.equal(node.events[0]?.fieldPath, 'spec.containers{web}');
  const patches = node.cluster.actions.filter(a => a.verb === 'patch').length;
  t.equal(patches, 1, 'one write from Pending to Ready');

  const stream = await node.network.node.connect({ address: '10.244.1.2', port: 80 });
  stream.destroy();
  node.remove('web', 30);
  await node.until('deleted', () => node.get('web') === undefined);
  t.match(node.events.at(-1), { reason: 'Killing', message: 'Stopping container web' });
  const action = node.cluster.actions.at(-1);
  t.same([action?.verb, action?.key], ['delete', 'default/web']);
  await t.rejects(node.network.node.connect({ address: '10.244.1.2', port: 80 }), { code: 'EHOSTUNREACH' });
  node.stop();
});

t.test('grace period: SIGTERM, then SIGKILL; a second deletion shortens it', async t => {
  const node = startNode();
  const deaf = container('c', 'trap "" TERM; sleep infinity & while true; do wait; done');
  node.load(pod('slow', { containers: [deaf] }), pod('cut', { containers: [deaf] }));
  node.start();
  for (const name of ['slow', 'cut']) await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
  node.remove('slow', 30);
  node.remove('cut', 30);
  await node.until('both are told', () => node.reasons().filter(r => r === 'Killing').length === 2);
  node.clock.step(5_000);
  t.ok(node.get('slow') !== undefined && node.get('cut') !== undefined);
  node.remove('cut', 0);
  await node.until('cut is shortened', () => node.get('cut')?.metadata.deletionGracePeriodSeconds === 0);
  node.clock.step(1_000);
  await node.until('cut is gone', () => node.get('cut') === undefined);
  t.ok(node.get('slow') !== undefined);
  node.clock.step(24_000);
  await node.until('slow is gone', () => node.get('slow') === undefined);
  node.stop();
});

t.test('preStop and postStart hooks', async t => {
  const node = startNode();
  const hooks = {
    postStart: { exec: { command: ['sh', '-c', 'echo started > /tmp/x'] } },
    preStop: { sleep: { seconds: 5 } },
  };
  const failing = { postStart: { exec: { command: ['false'] } } };
  node.load(
    pod('good', { containers: [container('c', 'sleep infinity', { lifecycle: hooks })] }),
    pod('bad', { containers: [container('c', 'sleep infinity', { lifecycle: failing })], restartPolicy: 'Never' }),
  );
  node.start();
  await node.until('good runs', () => node.condition('good', 'Ready')?.status === 'True');
  await node.until('bad fails', () => node.status('bad').phase === 'Failed');
  t.ok(node.events.some(e => e.reason === 'FailedPostStartHook' && e.message === 'PostStartHook failed'));
  node.remove('good', 30);
  await node.until('stopping', () => node.reasons().includes('Killing') && node.clock.waiting > 0);
  node.clock.step(4_000);
  t.ok(node.get('good') !== undefined, 'the hook still runs');
  node.clock.step(1_000);
  await node.until('good is gone', () => node.get('good') === undefined);
  node.stop();
});

t.test('restart policies and exit codes', async t => {
  const rows: { policy: string; script: string; phase: string; reason: string; code: number; ready?: string }[] = [
    { policy: 'Never', script: 'exit 0', phase: 'Succeeded', reason: 'Completed', code: 0, ready: 'PodCompleted' },
    { policy: 'Never', script: 'exit 3', phase: 'Failed', reason: 'Error', code: 3, ready: 'PodFailed' },
    { policy: 'OnFailure', script: 'exit 0', phase: 'Succeeded', reason: 'Completed', code: 0, ready: 'PodCompleted' },
    { policy: 'Never', script: 'echo why > /dev/termination-log; exit 1', phase: 'Failed', reason: 'Error', code: 1 },
    { policy: 'Never', script: 'kill -9 $$$$', phase: 'Failed', reason: 'Error', code: 137 },
  ];
  const node = startNode();
  node.load(
    ...rows.map(({ policy, script }, i) =>
      pod(`p${i}`, { restartPolicy: policy, containers: [container('c', script)] }),
    ),
  );
  node.start();
  for (const [i, row] of rows.entries()) {
    const name = `p${i}`;
    await node.until(`${name} ends`, () => ['Succeeded', 'Failed'].includes(node.status(name).phase ?? ''));
    t.equal(node.status(name).phase, row.phase, row.script);
    t.match(first(node.status(name).containerStatuses), {
      state: { terminated: { exitCode: row.code, reason: row.reason } },
      restartCount: 0,
      ready: false,
      started: false,
    });
    if (row.ready !== undefined) t.match(node.condition(name, 'Ready'), { status: 'False', reason: row.ready });
  }
  t.match(first(node.status('p3').containerStatuses).state?.terminated, { message: 'why\n' });
  node.stop();
});

t.test('crash loop: restarts with growing back-off', async t => {
  const node = startNode();
  node.load(pod('crash', { containers: [container('c', 'exit 1')] }));
  node.start();
  const status = (): ContainerStatus => first(node.status('crash').containerStatuses);
  const waits = (count: number, delay: string): Promise<unknown> =>
    node.until(
      `back-off ${delay}`,
      () =>
        node.status('crash').containerStatuses?.[0]?.restartCount === count &&
        status().state?.waiting?.reason === 'CrashLoopBackOff' &&
        status().state?.waiting?.message ===
          `back-off ${delay} restarting failed container=c pod=crash_default(uid-crash)`,
    );
  await waits(1, '10s');
  t.equal(node.status('crash').phase, 'Running');
  t.match(status().lastState?.terminated, { exitCode: 1, reason: 'Error' });
  t.ok(node.events.some(e => e.message === 'Back-off restarting failed container c in pod crash_default(uid-crash)'));
  node.clock.step(9_000);
  node.clock.step(1_000);
  await waits(2, '20s');
  node.clock.step(20_000);
  await waits(3, '40s');
  node.clock.step(40_000);
  await waits(4, '1m20s');
  node.stop();
});

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
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers: [
        container('one', 'sleep 5; echo one > /work/log', { volumeMounts: [{ name: 'work', mountPath: '/work' }] }),
        container('side', 'sleep infinity', { restartPolicy: 'Always' }),
        container('two', 'echo two >> /work/log', { volumeMounts: [{ name: 'work', mountPath: '/work' }] }),
      ],
      restartPolicy: 'Never',
      containers: [
        container('main', 'cat /work/log; sleep 3', { volumeMounts: [{ name: 'work', mountPath: '/work' }] }),
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

t.test('deadline, readiness gates, hostNetwork, force deletion', async t => {
  const node = startNode();
  node.load(
    pod('late', { activeDeadlineSeconds: 10, containers: [container('c', 'sleep infinity')] }),
    pod('gated', { readinessGates: [{ conditionType: 'example.com/go' }], containers: [{ name: 'c', image: 'echo' }] }),
    pod('host', { hostNetwork: true, containers: [{ name: 'c', image: 'echo', ports: [{ containerPort: 9000 }] }] }),
    pod('forced', { containers: [container('c', 'sleep infinity')] }),
  );
  node.start();
  for (const name of ['late', 'gated', 'host', 'forced'])
    await node.until(`${name} runs`, () => node.status(name).phase === 'Running');
  t.match(node.condition('gated', 'Ready'), {
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: 'corresponding condition of pod readiness gate "example.com/go" does not exist.',
  });
  t.equal(node.condition('gated', 'ContainersReady')?.status, 'True');
  const gated = node.get('gated') as Pod;
  const conditions = [...(gated.status?.conditions ?? []), { type: 'example.com/go', status: 'True' }];
  node.load({ ...gated, status: { ...gated.status, conditions } });
  await node.until('gate open', () => node.condition('gated', 'Ready')?.status === 'True');
  t.ok(node.condition('gated', 'example.com/go') !== undefined, 'the other writer’s condition stays');

  t.equal(node.status('host').podIP, '172.18.0.2');
  (await node.network.node.connect({ address: '172.18.0.2', port: 9000 })).destroy();

  node.clock.step(10_000);
  await node.until('deadline', () => node.status('late').phase === 'Failed');
  t.match(node.status('late'), {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  });

  await node.cluster.context().client.resource(PODS).delete({ namespace: 'default', name: 'forced' });
  await node.until('its worker ends', () => node.manager?.find('default', 'forced') === undefined);
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

t.test('after a restart of the agent Pods keep their address and start again', async t => {
  const node = startNode();
  const ran = {
    phase: 'Running',
    podIP: '10.244.1.7',
    podIPs: [{ ip: '10.244.1.7' }],
    startTime: '2025-12-31T00:00:00Z',
    initContainerStatuses: [
      {
        name: 'init',
        restartCount: 0,
        ready: true,
        image: 'busybox',
        imageID: 'x',
        containerID: 'kubette://i',
        state: {
          terminated: {
            exitCode: 0,
            reason: 'Completed',
            finishedAt: '2025-12-31T00:00:00Z',
            containerID: 'kubette://i',
          },
        },
        lastState: {},
      },
    ],
    containerStatuses: [
      {
        name: 'c',
        restartCount: 2,
        ready: true,
        started: true,
        image: 'echo',
        imageID: 'x',
        containerID: 'kubette://abc',
        state: { running: { startedAt: '2025-12-31T00:00:00Z' } },
        lastState: {},
      },
    ],
  };
  const spec = { initContainers: [container('init', 'echo again')], containers: [{ name: 'c', image: 'echo' }] };
  node.load(
    pod('old', spec, {}, ran),
    pod('once', { ...spec, initContainers: [], restartPolicy: 'Never' }, {}, { ...ran, podIP: '10.244.1.8' }),
    pod('new', { containers: [{ name: 'c', image: 'echo' }] }),
  );
  node.start();
  await node.until(
    'old runs again',
    () =>
      first(node.status('old').containerStatuses).restartCount === 3 &&
      node.condition('old', 'Ready')?.status === 'True',
  );
  t.match(node.status('old'), { podIP: '10.244.1.7', startTime: '2025-12-31T00:00:00Z' });
  t.match(first(node.status('old').containerStatuses).lastState?.terminated, {
    exitCode: 255,
    reason: 'Unknown',
    containerID: 'kubette://abc',
  });
  t.equal(node.status('old').initContainerStatuses?.[0]?.restartCount, 1, 'the volumes are new, so it ran again');
  await node.until('once fails', () => node.status('once').phase === 'Failed');
  await node.until('new runs', () => node.status('new').phase === 'Running');
  t.not(node.status('new').podIP, '10.244.1.7');
  t.ok(node.events.some(e => e.message === 'Pod sandbox changed, it will be killed and re-created.'));
  node.stop();
});

t.test('planPod', t => {
  const record = (
    name: string,
    kind: ContainerRecord['kind'],
    change: Partial<ContainerRecord> = {},
  ): ContainerRecord => Object.assign(newRecord({ name }, kind), { startedHere: true }, change);
  const running = { state: { kind: 'running', startedAt: 0, containerID: 'x' }, started: true } as const;
  const exit = (exitCode: number) =>
    ({ state: { kind: 'terminated', exitCode, reason: '', finishedAt: 0, containerID: 'x' } }) as const;
  const fresh = { startedHere: false };
  const spec = { containers: [{ name: 'a' }, { name: 'b' }] };
  const rows = [
    {
      name: 'all new',
      policy: 'Always',
      records: [record('a', 'regular', fresh), record('b', 'regular', fresh)],
      start: ['a', 'b'],
    },
    {
      name: 'one ended',
      policy: 'Always',
      records: [record('a', 'regular', exit(0)), record('b', 'regular', running)],
      start: ['a'],
    },
    {
      name: 'one ended, OnFailure',
      policy: 'OnFailure',
      records: [record('a', 'regular', exit(0)), record('b', 'regular', exit(1))],
      start: ['b'],
    },
    {
      name: 'all ended, Never',
      policy: 'Never',
      records: [record('a', 'regular', exit(0)), record('b', 'regular', exit(1))],
      start: [],
      finished: true,
    },
    {
      name: 'init first',
      policy: 'Always',
      records: [record('i', 'init', fresh), record('a', 'regular', fresh)],
      start: ['i'],
    },
    {
      name: 'init running',
      policy: 'Always',
      records: [record('i', 'init', running), record('a', 'regular', fresh)],
      start: [],
    },
    {
      name: 'init failed, Never',
      policy: 'Never',
      records: [record('i', 'init', exit(1)), record('a', 'regular', fresh)],
      start: [],
      finished: true,
    },
    {
      name: 'init failed, Always',
      policy: 'Always',
      records: [record('i', 'init', exit(1)), record('a', 'regular', fresh)],
      start: ['i'],
    },
    {
      name: 'sidecar not started',
      policy: 'Always',
      records: [record('s', 'sidecar', { ...running, started: false }), record('a', 'regular', fresh)],
      start: [],
    },
    {
      name: 'sidecar started',
      policy: 'Always',
      records: [record('s', 'sidecar', running), record('a', 'regular', fresh)],
      start: ['a'],
    },
    {
      name: 'sidecar died later',
      policy: 'Never',
      records: [record('s', 'sidecar', exit(0)), record('a', 'regular', running)],
      start: ['s'],
    },
    {
      name: 'only the sidecar is left',
      policy: 'Never',
      records: [record('s', 'sidecar', running), record('a', 'regular', exit(0))],
      start: [],
      finished: true,
    },
  ];
  for (const { name, policy, records, start, finished = false } of rows)
    t.same(planPod(pod('p', { ...spec, restartPolicy: policy }), records), { start, finished }, name);
  t.end();
});

t.test('small parts', async t => {
  const service = (name: string, namespace: string, ports: object[], clusterIP = '10.96.1.1') =>
    ({ metadata: { name, namespace }, spec: { clusterIP, ports } }) as unknown as Service;
  const services = [
    service('kubernetes', 'default', [{ name: 'https', port: 443, protocol: 'TCP' }], '10.96.0.1'),
    service('my-app', 'shop', [{ port: 80, protocol: 'TCP' }]),
    service('other', 'elsewhere', [{ port: 80 }]),
    service('headless', 'shop', [{ port: 80 }], 'None'),
  ];
  t.same(serviceEnvironment(services, 'shop', true), {
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
    MY_APP_SERVICE_HOST: '10.96.1.1',
    MY_APP_SERVICE_PORT: '80',
    MY_APP_PORT: 'tcp://10.96.1.1:80',
    MY_APP_PORT_80_TCP: 'tcp://10.96.1.1:80',
    MY_APP_PORT_80_TCP_PROTO: 'tcp',
    MY_APP_PORT_80_TCP_PORT: '80',
    MY_APP_PORT_80_TCP_ADDR: '10.96.1.1',
  });
  t.equal(
    Object.keys(serviceEnvironment(services, 'shop', false)).some(k => k.startsWith('MY_APP')),
    false,
  );
  await t.rejects(
    makeEnvironment({
      pod: pod('p', {}),
      container: { name: 'c', envFrom: [{ configMapRef: { name: 'nope' } }] },
      addresses: { podIPs: [], nodeIPs: [] },
      services: [],
      sources: {
        configMap: async () => undefined,
        secret: async () => undefined,
        resourceClaim: async () => undefined,
        volumeClaim: async () => undefined,
        volume: async () => undefined,
        token: async () => '',
      },
      allocatable: {},
      volumes: new Map(),
      base: {},
    }),
    { message: 'configmap "nope" not found' },
  );

  const dns = { address: '10.96.0.10', domain: 'cluster.local', hostNameservers: ['172.18.0.1'] };
  const resolv = (spec: object) => {
    const { config, options } = resolverConfig(pod('p', spec), dns);
    return [config.nameservers, config.search, options];
  };
  const search = ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];
  t.same(resolv({}), [['10.96.0.10'], search, ['ndots:5']]);
  t.same(resolv({ dnsPolicy: 'Default' }), [['172.18.0.1'], [], []]);
  t.same(resolv({ hostNetwork: true }), [['172.18.0.1'], [], []]);
  t.same(resolv({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), [['10.96.0.10'], search, ['ndots:5']]);
  t.same(
    resolv({
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['x'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    }),
    [['1.1.1.1'], ['x'], ['ndots:2', 'edns0']],
  );
  const options = (...pairs: readonly (readonly [string, string?])[]) =>
    resolverConfig(pod('p', { dnsConfig: { options: pairs.map(([name, value]) => ({ name, value })) } }), dns);
  t.match(options(['use-vc'], ['edns0', ''], ['rotate'], ['no-aaaa'], ['timeout', '1'], ['attempts', '3']), {
    config: { useTcp: true, edns0: true, rotate: true, noAaaa: true, timeoutMs: 1000, attempts: 3, ndots: 5 },
    options: ['ndots:5', 'use-vc', 'edns0', 'rotate', 'no-aaaa', 'timeout:1', 'attempts:3'],
  });
  t.match(options(['ndots', '99'], ['timeout', '99'], ['attempts', '99']).config, {
    ...{ ndots: 15, timeoutMs: 30_000, attempts: 5 },
  });
  t.match(options(['ndots', 'x'], ['timeout', '0'], ['attempts', '-1']).config, {
    ...{ ndots: 0, timeoutMs: 1000, attempts: 1 },
  });
  const hosts = hostsFile(
    pod('p', { subdomain: 'peers', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] }),
    { hostname: 'h', domain: 'peers.default.svc.cluster.local', nodename: 'h' },
    ['10.0.0.9', 'fd00::9'],
  );
  t.match(hosts, /10\.0\.0\.9\th\.peers\.default\.svc\.cluster\.local\th\n/);
  t.match(hosts, /fd00::9\th\.peers\.default\.svc\.cluster\.local\th\n/, 'a line for each address');
  t.match(hosts, /# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);

  const time = '2026-01-01T00:00:00Z';
  const old = {
    phase: 'Pending',
    reason: 'x',
    conditions: [{ type: 'Ready', status: 'False', reason: 'Why', lastTransitionTime: time }],
  };
  t.same(
    statusPatch(
      old,
      { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }] },
      'u',
    ),
    {
      metadata: { uid: 'u' },
      status: {
        phase: 'Running',
        reason: null,
        '$setElementOrder/conditions': [{ type: 'Ready' }],
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time, reason: null }],
      },
    },
  );
  t.equal(statusPatch(old as never, old as never, 'u'), undefined);
});
