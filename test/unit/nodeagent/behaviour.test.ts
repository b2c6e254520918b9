import t from 'tap';
import type { Rule } from '../../../src/containers/behaviour/rules.js';
import { httpCall } from '../../../src/containers/network/http-client.js';
import type { ContainerStatus, Pod } from '../../../src/machinery/types.js';
import { PODS } from '../../../src/client/resources.js';
import { pod, startNode } from '../../support/simulated-node.js';

type TestNode = ReturnType<typeof startNode>;

const told = (name: string, said: Record<string, string>, container: object = {}, spec: object = {}): Pod =>
  pod(
    name,
    { containers: [{ name: 'c', image: 'echo', ...container }], ...spec },
    { annotations: Object.fromEntries(Object.entries(said).map(([key, value]) => [`sim.kubette.io/${key}`, value])) },
  );

function started(t: Tap, pods: readonly Pod[], rules: readonly Rule[] = []): TestNode {
  const node = startNode([], { rules, stages: [] });
  t.teardown(() => node.stop());
  node.load(...pods);
  node.start();
  return node;
}

type Tap = { teardown(run: () => void): void };

const statusOf = (node: TestNode, name: string): ContainerStatus | undefined =>
  node.status(name).containerStatuses?.[0];

/** Moves the clock in small steps, with time for what each sets off, until it has happened. */
async function stepUntil(node: TestNode, what: string, check: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !check(); i++) {
    node.clock.step(250);
    for (let turn = 0; turn < 40; turn++) await new Promise(resolve => setImmediate(resolve));
  }
  await node.until(what, check);
}

const runs = (node: TestNode, name: string) => (): boolean => statusOf(node, name)?.state?.running !== undefined;
const said = (node: TestNode, name: string): string =>
  node.manager?.container('default', name, 'c')?.logs?.tail(100, 10_000) ?? '';
const eventsOf = (node: TestNode, reason: string): string[] =>
  node.events.filter(event => event.reason === reason).map(({ message }) => message);

t.test('exits, and stays after some runs', async t => {
  const node = started(t, [told('exits', { 'exit-code': '3', 'exit-after': '30s', 'exit-times': '2' })]);
  await node.until('it runs', runs(node, 'exits'));
  const before = node.clock.now();
  await stepUntil(node, 'it exits', () => statusOf(node, 'exits')?.lastState?.terminated !== undefined);
  t.ok(node.clock.now() - before >= 29_000, 'after its time');
  const waiting = (): string | undefined => statusOf(node, 'exits')?.state?.waiting?.reason;
  await stepUntil(node, 'it is held back', () => waiting() === 'CrashLoopBackOff');
  t.match(statusOf(node, 'exits'), { restartCount: 1, lastState: { terminated: { exitCode: 3, reason: 'Error' } } });
  await stepUntil(node, 'it is restarted', () => statusOf(node, 'exits')?.restartCount === 2);
  await node.until('it runs', runs(node, 'exits'));
  for (let i = 0; i < 100; i++) node.clock.step(1000);
  t.match(statusOf(node, 'exits'), { restartCount: 2, ready: true });
});

t.test('a command that ends before it is told to waits for that, and heeds SIGTERM', async t => {
  const node = started(t, [
    told('waits', { 'exit-code': '4', 'exit-after': '10s' }, { image: 'busybox', command: ['true'] }),
    told(
      'stopped',
      { 'exit-code': '4', 'exit-after': '1h' },
      { image: 'busybox', command: ['true'], lifecycle: {} },
      { terminationGracePeriodSeconds: 5 },
    ),
  ]);
  await node.until('both run', () => runs(node, 'waits')() && runs(node, 'stopped')());
  await stepUntil(node, 'exited', () => statusOf(node, 'waits')?.lastState?.terminated?.exitCode === 4);
  node.manager?.container('default', 'stopped', 'c')?.running?.kill('TERM');
  await node.until('stopped', () => statusOf(node, 'stopped')?.lastState?.terminated !== undefined);
  t.equal(statusOf(node, 'stopped')?.lastState?.terminated?.exitCode, 0);
});

t.test('out of memory', async t => {
  const limits = { resources: { limits: { memory: '64Mi' } } };
  const node = started(t, [
    told('killed', { 'oom-after': '10s' }),
    told('greedy', { memory: '65Mi' }, limits),
    told('modest', { memory: '64Mi' }, limits),
  ]);
  for (const name of ['killed', 'greedy']) {
    await stepUntil(node, name, () => statusOf(node, name)?.lastState?.terminated !== undefined);
    t.match(statusOf(node, name)?.lastState?.terminated, { exitCode: 137, reason: 'OOMKilled' });
  }
  t.ok(runs(node, 'modest')());
});

t.test('pulls', async t => {
  const node = started(t, [
    told('denied', { 'pull-error': 'denied' }, { image: 'acme/app:v1' }),
    told('twice', { 'pull-error': 'not-found', 'pull-failures': '2' }, { image: 'ghcr.io/acme/app:v1' }),
    told('slow', { 'pull-delay': '20s' }),
    told('plain', {}, { image: 'acme/app:v1' }),
  ]);
  await node.until('the others run', runs(node, 'plain'));
  t.match(statusOf(node, 'denied'), {
    image: 'acme/app:v1',
    state: { waiting: { reason: 'ErrImagePull', message: /pull access denied, repository does not exist/ } },
  });
  t.match(statusOf(node, 'slow')?.state, { waiting: { reason: 'ContainerCreating' } });
  await stepUntil(node, 'back-off', () => statusOf(node, 'denied')?.state?.waiting?.reason === 'ImagePullBackOff');
  t.match(
    statusOf(node, 'denied')?.state?.waiting?.message,
    /^Back-off pulling image "acme\/app:v1": ErrImagePull: rpc error: code = Unknown desc = /,
  );
  await stepUntil(node, 'pulled slowly', runs(node, 'slow'));
  t.match(
    eventsOf(node, 'Pulled').find(message => message.includes('"echo"')),
    /^Successfully pulled image "echo" in 20\.?\d*s \(/,
  );
  await stepUntil(node, 'pulled at the third time', runs(node, 'twice'));
  t.equal(eventsOf(node, 'Failed').filter(message => message.startsWith('Failed to pull image "ghcr')).length, 2);
  t.match(statusOf(node, 'denied')?.state, { waiting: { reason: /^(ErrImagePull|ImagePullBackOff)$/ } }, 'for ever');
});

t.test('serves', async t => {
  const probe = { startupProbe: { httpGet: { port: 8081 }, periodSeconds: 5 } };
  const node = started(t, [
    told(
      'api',
      { ports: '8080,8081', 'response-body': '{"ok":true}', 'response-type': 'application/json' },
      { ...probe, image: 'busybox' },
    ),
    told('broken', { 'response-status': '503' }, { ports: [{ containerPort: 80 }], image: 'nginx' }),
    told(
      'late',
      { 'start-delay': '20s' },
      { image: 'nginx', readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 10 } },
    ),
    told('lazy', { 'response-delay': '5s' }),
  ]);
  const get = async (name: string, port: number): Promise<string> => {
    const address = node.status(name).podIP ?? '';
    const network = node.network.node;
    const signal = AbortSignal.timeout(20_000);
    const to = { to: { address, port }, method: 'GET', path: '/', headers: [['Host', address]] as const };
    const { response, stream } = await httpCall(network, to, { signal });
    let body = '';
    for await (const chunk of response) body += String(chunk);
    stream.destroy();
    return `${response.statusCode ?? 0} ${response.headers['content-type'] ?? ''} ${body}`;
  };
  await stepUntil(node, 'ready', () => node.condition('api', 'Ready')?.status === 'True');
  t.equal(await get('api', 8080), '200 application/json {"ok":true}');
  t.equal(await get('broken', 80), '503 text/plain; charset=utf-8 503 Service Unavailable\n');
  await stepUntil(node, 'late', () => statusOf(node, 'late')?.ready === true);
  t.match(eventsOf(node, 'Unhealthy')[0], /^Readiness probe failed: dial tcp [\d.]+:80: connect: connection refused$/);
  let answered = false;
  const answer = get('lazy', 80).finally(() => (answered = true));
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve));
  t.notOk(answered);
  await stepUntil(node, 'answered', () => answered);
  t.match(await answer, /^200 /);
});

t.test('logs', async t => {
  const node = started(t, [
    told('once', { log: 'one\ntwo' }, { image: 'busybox', command: ['sh', '-c', 'echo three; sleep 100'] }),
    told('often', { log: 'tick\ntock', 'log-interval': '1s' }, { image: 'busybox', command: ['sleep', '100'] }),
  ]);
  await node.until('said', () => said(node, 'once') === 'one\ntwo\nthree\n');
  await stepUntil(node, 'said often', () => said(node, 'often').split('\n').length > 3);
  t.match(said(node, 'often'), /^tick\ntock\ntick\n/);
});

t.test('probes', async t => {
  const readinessProbe = { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };
  const livenessProbe = { exec: { command: ['true'] }, periodSeconds: 1, failureThreshold: 1 };
  const node = started(t, [
    told('later', { readiness: 'pass after 20s' }, { readinessProbe }),
    told('dies', { liveness: 'fail after 10s' }, { livenessProbe }),
  ]);
  await stepUntil(node, 'unready', () => eventsOf(node, 'Unhealthy').length > 0);
  t.equal(eventsOf(node, 'Unhealthy')[0], 'Readiness probe failed: HTTP probe failed with statuscode: 503');
  await stepUntil(node, 'restarted', () => statusOf(node, 'dies')?.restartCount === 1);
  t.ok(eventsOf(node, 'Unhealthy').includes('Liveness probe failed: told to fail'));
  await stepUntil(node, 'ready', () => statusOf(node, 'later')?.ready === true);
});

t.test('what a Pod is told while it runs', async t => {
  const node = started(t, [
    told('live', {}, { readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 } }),
  ]);
  await stepUntil(node, 'ready', () => statusOf(node, 'live')?.ready === true);
  const annotate = (annotations: Record<string, string>): Promise<unknown> =>
    node.cluster
      .context()
      .client.resource<Pod>(PODS)
      .patch({ namespace: 'default', name: 'live' }, { metadata: { annotations } }, { type: 'merge' });
  await annotate({ 'sim.kubette.io/readiness': 'fail' });
  await stepUntil(node, 'unready', () => statusOf(node, 'live')?.ready === false);
  await annotate({ 'sim.kubette.io/exit-code': 'three' });
  await node.until('told', () => eventsOf(node, 'InvalidBehaviour').length > 0);
  t.same(eventsOf(node, 'InvalidBehaviour'), [
    'sim.kubette.io/exit-code: want a whole number from 0 to 255, not "three"',
  ]);
  t.ok(runs(node, 'live')());
  await annotate({ 'sim.kubette.io/exit-code': '3' });
  await node.until('exited', () => statusOf(node, 'live')?.lastState?.terminated?.exitCode === 3);
  t.equal(eventsOf(node, 'InvalidBehaviour').length, 1);
});

t.test('a rule of the file', async t => {
  const rules = [{ match: { image: 'acme/*' }, behaviour: { exitCode: 7 } }];
  const node = started(
    t,
    [told('one', {}, { image: 'acme/app' }), told('two', { 'exit-code': '8' }, { image: 'acme/app' })],
    rules,
  );
  await node.until('both exit', () => ['one', 'two'].every(name => statusOf(node, name)?.lastState?.terminated));
  t.same(
    ['one', 'two'].map(name => statusOf(node, name)?.lastState?.terminated?.exitCode),
    [7, 8],
  );
});
