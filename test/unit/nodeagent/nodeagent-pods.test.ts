import t from 'tap';
import { PODS } from '../../../src/client/resources.js';
import type { ContainerStatus, Pod } from '../../../src/machinery/types.js';
import { pod, startNode } from '../../support/simulated-node.js';
import { container, first } from '../../support/node-pods.js';

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
