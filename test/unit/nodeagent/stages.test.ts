import t from 'tap';
import { readBehaviourFile, type BehaviourFile } from '../../../src/containers/behaviour/file.js';
import { PODS } from '../../../src/client/resources.js';
import { StatusError } from '../../../src/machinery/status.js';
import { pod, startNode } from '../../support/simulated-node.js';

const stage = (name: string, spec: object): string =>
  JSON.stringify({
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind: 'Pod' }, ...spec },
  });

const where = (key: string, operator: string, ...values: string[]) => ({
  key,
  operator,
  ...(values.length === 0 ? {} : { values }),
});
const ALIVE = where('.metadata.deletionTimestamp', 'DoesNotExist');

/** As kwok's own fast ones: what has no address yet is ready, what belongs to a Job completes. */
const READY = stage('ready', {
  selector: { matchExpressions: [ALIVE, where('.status.podIP', 'DoesNotExist')] },
  delay: { durationMilliseconds: 5000 },
  next: {
    event: { type: 'Normal', reason: 'Staged', message: 'as {{ .metadata.name }}' },
    statusTemplate: `
{{ $now := Now }}
conditions:
{{ range $type := list "Initialized" "Ready" "ContainersReady" }}
- { type: {{ $type | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) | Quote }}
phase: Running
startTime: {{ $now | Quote }}
`,
  },
});
const COMPLETE = stage('complete', {
  selector: {
    matchExpressions: [
      ALIVE,
      where('.status.phase', 'In', 'Running'),
      where('.metadata.ownerReferences.[].kind', 'In', 'Job'),
    ],
  },
  delay: { durationMilliseconds: 1000 },
  next: { statusTemplate: 'phase: Succeeded' },
});
const FAILS = stage('fails', {
  selector: { matchLabels: { chaos: 'true' }, matchExpressions: [where('.status.phase', 'In', 'Running')] },
  delay: { durationMilliseconds: 10_000 },
  next: { statusTemplate: 'phase: Failed\nreason: Chaos' },
});
const DELETES = stage('deletes', {
  selector: { matchExpressions: [where('.metadata.deletionTimestamp', 'Exists')] },
  next: { event: { reason: 'Killing', message: 'Stopping' }, delete: true },
});

type TestNode = ReturnType<typeof startNode>;
type Tap = { teardown(run: () => void): void };

async function started(t: Tap, stages: readonly string[], ...pods: ReturnType<typeof pod>[]): Promise<TestNode> {
  const file: BehaviourFile = await readBehaviourFile(stages.join('\n---\n'), 'stages');
  const node = startNode([], file);
  t.teardown(() => node.stop());
  node.load(...pods);
  node.start();
  return node;
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn++) await new Promise(resolve => setImmediate(resolve));
};
async function step(node: TestNode, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    node.clock.step(1000);
    await settle();
  }
}

/** Steps the clock until it has happened. */
async function stepUntil(node: TestNode, what: string, check: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !check(); i++) await step(node, 1);
  await node.until(what, check);
}

const WEB = { containers: [{ name: 'c', image: 'nginx' }] };

t.test('a Pod that a Stage is for is not run', async t => {
  const node = await started(t, [READY, COMPLETE], pod('web', WEB));
  await settle();
  t.equal(node.status('web').phase, 'Pending', 'until its delay is over');
  t.equal(node.status('web').podIP, undefined);
  await stepUntil(node, 'it is ready', () => node.condition('web', 'Ready')?.status === 'True');
  t.match(node.status('web'), {
    phase: 'Running',
    hostIP: '172.18.0.2',
    podIP: /^10\.244\.1\.\d+$/,
    containerStatuses: [{ name: 'c', state: { running: {} } }],
  });
  t.equal(node.manager?.container('default', 'web', 'c')?.running, undefined, 'nothing runs');
  t.same(
    node.events.map(({ reason, message }) => `${reason}: ${message}`),
    ['Staged: as web'],
  );
  node.remove('web', 30);
  await node.until('it is gone: no Stage is about that', () => node.get('web') === undefined);
});

t.test('Stages follow each other, and one deletes', async t => {
  const job = { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j' }] };
  const node = await started(t, [READY, COMPLETE, DELETES], pod('job', WEB, job));
  await settle();
  await stepUntil(node, 'it has completed', () => node.status('job').phase === 'Succeeded');
  node.remove('job', 30);
  await stepUntil(node, 'it is gone', () => node.get('job') === undefined);
  t.ok(node.events.some(({ reason, message }) => reason === 'Killing' && message === 'Stopping'));
});

t.test('a Stage takes over a Pod that runs', async t => {
  const node = await started(t, [FAILS], pod('calm', WEB), pod('chaotic', WEB, { labels: { chaos: 'true' } }));
  const runs = (name: string) => node.manager?.container('default', name, 'c')?.running !== undefined;
  await node.until('both run', () => runs('calm') && runs('chaotic') && node.status('chaotic').phase === 'Running');
  await stepUntil(node, 'it has failed', () => node.status('chaotic').phase === 'Failed');
  await node.until('nothing of it runs', () => !runs('chaotic'));
  await step(node, 30);
  t.match(node.status('chaotic'), { phase: 'Failed', reason: 'Chaos' }, 'and stays so');
  t.ok(runs('calm'));
});

t.test('a Stage that no longer fits is not played', async t => {
  const node = await started(t, [FAILS], pod('web', WEB, { labels: { chaos: 'true' } }));
  await node.until('it runs', () => node.status('web').phase === 'Running');
  await settle();
  const labels = { metadata: { labels: { chaos: 'false' } } };
  await node.cluster
    .context()
    .client.resource(PODS)
    .patch({ namespace: 'default', name: 'web' }, labels, { type: 'merge' });
  await step(node, 20);
  t.equal(node.status('web').phase, 'Running');
});

t.test('a template that cannot go on is told', async t => {
  const broken = stage('broken', { selector: {}, next: { statusTemplate: 'a: {{ index .status.none 0 }}' } });
  const node = await started(t, [broken], pod('web', WEB));
  await stepUntil(node, 'told', () => node.events.some(({ reason }) => reason === 'StageFailed'));
  t.match(node.events[0], { type: 'Warning', message: 'Stage broken: index of <nil> with 0' });
});

t.test('what the API refuses is told, and not tried again before the Pod changes', async t => {
  const node = await started(t, [READY], pod('web', WEB));
  node.cluster.failNext('patch', 'pods', new StatusError(422, 'Invalid', 'no such phase'));
  await stepUntil(node, 'told', () => node.events.some(({ reason }) => reason === 'StageFailed'));
  t.match(node.events.at(-1), { type: 'Warning', message: 'Stage ready: no such phase' });
  await step(node, 10);
  t.equal(node.status('web').phase, 'Pending');
});
