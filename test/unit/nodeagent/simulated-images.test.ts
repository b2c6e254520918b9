import t, { type Test } from 'tap';
import { pod, startNode } from '../../support/simulated-node.js';
import { until } from '../../support/until.js';

t.setTimeout(120_000);

type Node = ReturnType<typeof startNode>;

const JOB = { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }] };
const HOOK = { annotations: { 'helm.sh/hook': 'test' } };
const UNKNOWN = 'example.com/team/tool:1';
const PROBED = { readinessProbe: { exec: { command: ['nosuch'] }, periodSeconds: 1 } };

const begin = (t: Test, container: object, spec: object = {}, metadata: object = {}): Node => {
  const node = startNode();
  t.teardown(() => node.stop());
  node.load(pod('p', { ...spec, containers: [{ name: 'c', ...container }] }, metadata));
  node.start();
  return node;
};

const NEVER = { restartPolicy: 'Never' };

/** A Pod, what becomes of it, and the Event that says so. */
const ENDS: {
  name: string;
  container: object;
  spec?: object;
  metadata?: object;
  phase: 'Succeeded' | 'Failed';
  event?: { reason: string; message: RegExp };
}[] = [
  {
    name: 'a command that a known image does not have',
    container: { image: 'redis:7', command: ['frobnicate'] },
    spec: NEVER,
    phase: 'Failed',
    event: {
      reason: 'NotSimulated',
      message: /^command "frobnicate" of image "redis:7": not simulated; see `kubette images`$/,
    },
  },
  {
    name: 'the runtime’s own words about it',
    container: { image: 'redis:7', command: ['frobnicate'] },
    spec: NEVER,
    phase: 'Failed',
    event: { reason: 'Failed', message: /exec: "frobnicate": executable file not found in \$PATH$/ },
  },
  {
    name: 'one in a script that ends with it',
    container: { image: 'busybox', command: ['sh', '-c', 'frobnicate'] },
    spec: NEVER,
    phase: 'Failed',
    event: { reason: 'NotSimulated', message: /^command "frobnicate": not simulated/ },
  },
  {
    name: 'one that an entry point is given',
    container: { image: 'redis', args: ['frobnicate'] },
    spec: NEVER,
    phase: 'Failed',
    event: { reason: 'NotSimulated', message: /^command "frobnicate": not simulated/ },
  },
  {
    name: 'code of a language',
    container: { image: 'python:3.13', command: ['python', '-c', 'print(1)'] },
    spec: NEVER,
    phase: 'Failed',
    event: { reason: 'NotSimulated', message: /^python: running -c, as no interpreter is here: not simulated/ },
  },
  {
    name: 'code in a Job',
    container: { image: 'node:22', command: ['node', 'work.js'] },
    spec: NEVER,
    metadata: JOB,
    phase: 'Succeeded',
    event: {
      reason: 'NotSimulated',
      message: /^Code is not run here: a simulated program runs in its place, and completes/,
    },
  },
  {
    name: 'a script around code in a Job',
    container: { image: 'python', command: ['sh', '-c', 'pip install x && python work.py'] },
    spec: NEVER,
    metadata: JOB,
    phase: 'Succeeded',
    event: { reason: 'NotSimulated', message: /and completes/ },
  },
  {
    name: 'a Job of an unknown image',
    container: { image: UNKNOWN },
    spec: NEVER,
    metadata: JOB,
    phase: 'Succeeded',
    event: { reason: 'Simulated', message: /is not known here: a simulated program runs in its place, and completes/ },
  },
  {
    name: 'an unknown image told what to do',
    container: { image: UNKNOWN, args: ['migrate'] },
    spec: NEVER,
    phase: 'Succeeded',
  },
  { name: 'a hook of Helm’s', container: { image: UNKNOWN }, spec: NEVER, metadata: HOOK, phase: 'Succeeded' },
  {
    name: 'OnFailure',
    container: { image: UNKNOWN, command: ['/migrate'] },
    spec: { restartPolicy: 'OnFailure' },
    phase: 'Succeeded',
  },
];

for (const { name, container, spec, metadata, phase, event } of ENDS)
  t.test(`ends: ${name}`, async t => {
    const node = begin(t, container, spec, metadata);
    await node.until(phase, () => node.status('p').phase === phase);
    if (event !== undefined)
      await node.until('the Event', () =>
        node.events.some(e => e.reason === event.reason && event.message.test(e.message)),
      );
  });

const RUNS: { name: string; container: object; spec?: object; metadata?: object }[] = [
  {
    name: 'an unknown image with a port',
    container: { image: UNKNOWN, command: ['/serve'], ports: [{ containerPort: 80 }] },
    spec: NEVER,
  },
  { name: 'an unknown image that is told nothing', container: { image: UNKNOWN }, spec: NEVER },
  {
    name: 'code with a port and a probe',
    container: {
      image: 'node:22',
      command: ['node', 'server.js'],
      ports: [{ containerPort: 3000 }],
      readinessProbe: { httpGet: { path: '/', port: 3000 }, periodSeconds: 1, timeoutSeconds: 600 },
    },
  },
  {
    name: 'a probe that is code',
    container: {
      image: 'python',
      command: ['python', 'app.py'],
      readinessProbe: { exec: { command: ['python', '-c', 'check()'] }, periodSeconds: 1, timeoutSeconds: 600 },
    },
  },
  {
    name: 'redis with its usual probe',
    container: {
      image: 'redis:7-alpine',
      readinessProbe: { exec: { command: ['redis-cli', 'ping'] }, periodSeconds: 1, timeoutSeconds: 600 },
    },
  },
];

for (const { name, container, spec, metadata } of RUNS)
  t.test(`goes on: ${name}`, async t => {
    const node = begin(t, container, spec, metadata);
    await until('Ready', () => {
      node.clock.step(250);
      return node.condition('p', 'Ready')?.status === 'True';
    });
    t.equal(node.status('p').containerStatuses?.[0]?.restartCount, 0);
  });

t.test('a probe of a command that there is none of says so', async t => {
  const node = begin(t, { image: 'redis', ...PROBED });
  await node.until('running', () => node.status('p').phase === 'Running');
  const said = (): boolean =>
    node.events.some(e => e.reason === 'Unhealthy' && e.message.includes('not simulated; see `kubette images`'));
  await until('Unhealthy', () => {
    node.clock.step(250);
    return said();
  });
});
