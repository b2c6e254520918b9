import t, { type Test } from 'tap';
import { pullProblem } from '../../../src/containers/images/absent.js';
import { parseImage } from '../../../src/containers/images/reference.js';
import { pod, startNode } from '../../support/simulated-node.js';

const IMAGE = 'example.com/team/controller:v1.2.3';
type Node = ReturnType<typeof startNode>;

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn++) await new Promise(resolve => setImmediate(resolve));
};
const stepUntil = async (node: Node, what: string, check: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !check(); i++) {
    node.clock.step(250);
    await settle();
  }
  await node.until(what, check);
};
const begin = (t: Test, spec: object, metadata: object = {}): Node => {
  const node = startNode();
  t.teardown(() => node.stop());
  node.load(pod('p', spec, metadata));
  node.start();
  return node;
};

/** The clock runs far faster than a TLS handshake: no probe may time out here. */
const everySecond = (handler: object) => ({ ...handler, periodSeconds: 1, timeoutSeconds: 600 });
const JOB = { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }] };

const READY: { name: string; container: object; pod?: object }[] = [
  { name: 'no command, no ports', container: {} },
  { name: 'a command of its own', container: { command: ['/manager'], args: ['--leader-elect'] } },
  { name: 'a command with a tool’s name that is its own', container: { command: ['/app/test'] } },
  { name: 'runAsNonRoot without a user', container: {}, pod: { securityContext: { runAsNonRoot: true } } },
  { name: 'an HTTP probe', container: { readinessProbe: everySecond({ httpGet: { path: '/healthz', port: 8081 } }) } },
  {
    name: 'an HTTPS probe of a named port',
    container: {
      ports: [{ name: 'webhook', containerPort: 9443 }],
      readinessProbe: everySecond({ httpGet: { path: '/readyz', port: 'webhook', scheme: 'HTTPS' } }),
    },
  },
  { name: 'a TCP probe', container: { readinessProbe: everySecond({ tcpSocket: { port: 5432 } }) } },
  { name: 'a gRPC probe', container: { readinessProbe: everySecond({ grpc: { port: 9000, service: 'x' } }) } },
  {
    name: 'an exec probe',
    container: { readinessProbe: everySecond({ exec: { command: ['pg_isready', '-U', 'x'] } }) },
  },
  {
    name: 'an exec probe that is a script whose test looks at the output',
    container: {
      readinessProbe: everySecond({ exec: { command: ['sh', '-ec', 'redis-cli ping | grep PONG'] } }),
    },
  },
  {
    name: 'a startup script that ends with the server',
    container: {
      command: ['/bin/sh', '-c', 'migrate up && exec server --port 8080'],
      readinessProbe: everySecond({ httpGet: { path: '/', port: 8080 } }),
    },
  },
  { name: 'a hook of its own', container: { lifecycle: { postStart: { exec: { command: ['/opt/register'] } } } } },
];

for (const { name, container, pod: more } of READY) {
  t.test(`an unknown image becomes ready: ${name}`, async t => {
    const node = begin(t, { ...more, containers: [{ name: 'c', image: IMAGE, ...container }] });
    await stepUntil(node, 'Ready', () => node.condition('p', 'Ready')?.status === 'True');
    t.equal(node.status('p').containerStatuses?.[0]?.restartCount, 0);
    t.ok(
      node.events.some(e => e.reason === 'Simulated' && e.message.includes(IMAGE)),
      'an Event says that it is simulated',
    );
  });
}

t.test('an unknown image ends where ending is its task', async t => {
  const container = { name: 'c', image: IMAGE, command: ['/bin/migrate'] };
  t.test('in a Job', async t => {
    const node = begin(t, { restartPolicy: 'Never', containers: [container] }, JOB);
    await node.until('Succeeded', () => node.status('p').phase === 'Succeeded');
  });
  t.test('in a Job, as a script', async t => {
    const script = { ...container, command: ['sh', '-c', 'migrate; report'] };
    const node = begin(t, { restartPolicy: 'OnFailure', containers: [script] }, JOB);
    await node.until('Succeeded', () => node.status('p').phase === 'Succeeded');
  });
  t.test('as an init container', async t => {
    const app = { name: 'app', image: IMAGE };
    const node = begin(t, { initContainers: [container], containers: [app] });
    await node.until('Ready', () => node.condition('p', 'Ready')?.status === 'True');
    t.equal(node.status('p').initContainerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
  });
  t.test('but not as a sidecar', async t => {
    const app = { name: 'app', image: IMAGE };
    const node = begin(t, { initContainers: [{ ...container, restartPolicy: 'Always' }], containers: [app] });
    await stepUntil(node, 'Ready', () => node.condition('p', 'Ready')?.status === 'True');
    t.ok(node.status('p').initContainerStatuses?.[0]?.state?.running);
  });
});

t.test('scripts made of tools alone are run as they are, in an unknown image too', async t => {
  const container = { name: 'c', image: IMAGE, command: ['sh', '-c', 'exit 3'] };
  const node = begin(t, { restartPolicy: 'Never', containers: [container] });
  await node.until('Failed', () => node.status('p').phase === 'Failed');
  t.equal(node.status('p').containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
});

t.test('images that do not exist fail to pull', t => {
  const table: { name: string; image: string; expect: RegExp | undefined }[] = [
    { name: 'any other', image: 'ghcr.io/a/b:v1', expect: undefined },
    { name: 'a digest', image: `nginx@sha256:${'a'.repeat(64)}`, expect: undefined },
    {
      name: 'a registry under .invalid',
      image: 'registry.invalid/a:1',
      expect: /lookup registry\.invalid on .*: no such host$/,
    },
    { name: 'a registry with a port', image: 'r.invalid:5000/a:1', expect: /lookup r\.invalid on/ },
    { name: 'invalid.*', image: 'invalid.registry.k8s.io/invalid/alpine:3.1', expect: /no such host$/ },
    { name: 'docker.io', image: 'non-existent', expect: /pull access denied, repository does not exist/ },
    {
      name: 'another registry',
      image: 'quay.io/x/does-not-exist:v1',
      expect: /NotFound.*does-not-exist:v1: not found$/,
    },
    { name: 'a part of a name', image: 'quay.io/x/my-nonexistent-image', expect: /not found$/ },
    { name: 'a tag', image: 'nginx:404', expect: /docker\.io\/library\/nginx:404: not found$/ },
    { name: 'a word as a tag', image: 'busybox:no-such-tag', expect: /not found$/ },
    { name: 'a version that nginx never had', image: 'nginx:1.161', expect: /nginx:1\.161: not found$/ },
    { name: 'one that it had', image: 'nginx:1.16.1', expect: undefined },
  ];
  for (const { name, image, expect } of table) {
    const reference = parseImage(image);
    if (reference === undefined) throw new Error(`no reference: ${image}`);
    const problem = pullProblem(reference, '10.0.0.1');
    if (expect === undefined) t.equal(problem, undefined, name);
    else t.match(problem, expect, name);
  }
  t.end();
});
