import t from 'tap';
import { CONFIG_MAPS } from '../../../src/client/resources.js';
import { captured } from '../../../src/containers/io.js';
import { podNames } from '../../../src/nodeagent/pods/etc-files.js';
import { restarts } from '../../../src/nodeagent/pods/plan.js';
import type { ContainerKind } from '../../../src/nodeagent/pods/types.js';
import { pod, startNode } from '../../support/simulated-node.js';

type SimulatedNode = ReturnType<typeof startNode>;

const container = (name: string, script: string, extra: object = {}) => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', script],
  ...extra,
});
const exec = async (node: SimulatedNode, name: string, containerName: string, ...command: string[]) => {
  const output = captured();
  const running = node.manager?.container('default', name, containerName)?.running;
  const signal = new AbortController().signal;
  await running?.exec(command, { stdout: output, stderr: output, tty: false, signal });
  return output.text();
};

t.test('restart policy and rules of a container', async t => {
  const rules = (operator: string, values: number[], action = 'Restart') => [
    { action, exitCodes: { operator, values } },
  ];
  const rows: { name: string; pod: string; own: object; code: number; kind?: ContainerKind; expect: boolean }[] = [
    { name: 'the Pod is Never', pod: 'Never', own: {}, code: 42, expect: false },
    { name: 'own policy goes first', pod: 'Never', own: { restartPolicy: 'Always' }, code: 0, expect: true },
    { name: 'own Never', pod: 'Always', own: { restartPolicy: 'Never' }, code: 1, expect: false },
    { name: 'own OnFailure, success', pod: 'Always', own: { restartPolicy: 'OnFailure' }, code: 0, expect: false },
    {
      name: 'a rule goes first of all',
      pod: 'Never',
      own: { restartPolicy: 'Never', restartPolicyRules: rules('In', [42]) },
      code: 42,
      expect: true,
    },
    {
      name: 'a rule about another code',
      pod: 'Always',
      own: { restartPolicy: 'Never', restartPolicyRules: rules('In', [42]) },
      code: 41,
      expect: false,
    },
    {
      name: 'NotIn',
      pod: 'Never',
      own: { restartPolicy: 'Never', restartPolicyRules: rules('NotIn', [42]) },
      code: 0,
      expect: true,
    },
    {
      name: 'an action behind a closed gate falls back to the policy',
      pod: 'Always',
      own: { restartPolicy: 'Never', restartPolicyRules: rules('In', [42], 'RestartAllContainers') },
      code: 42,
      expect: false,
    },
    {
      name: 'the first rule that matches decides',
      pod: 'Always',
      own: {
        restartPolicy: 'Never',
        restartPolicyRules: [...rules('In', [42], 'RestartAllContainers'), ...rules('In', [42])],
      },
      code: 42,
      expect: false,
    },
    {
      name: 'an init container that failed',
      pod: 'Always',
      own: { restartPolicy: 'Never' },
      code: 1,
      kind: 'init',
      expect: false,
    },
    {
      name: 'an init container that succeeded is done',
      pod: 'Always',
      own: { restartPolicy: 'OnFailure', restartPolicyRules: rules('In', [0]) },
      code: 0,
      kind: 'init',
      expect: false,
    },
  ];
  for (const { name, pod: restartPolicy, own, code, kind = 'regular', expect } of rows) {
    const list = kind === 'init' ? 'initContainers' : 'containers';
    t.equal(restarts(pod('p', { restartPolicy, [list]: [{ name: 'c', ...own }] }), 'c', kind, code), expect, name);
  }
});

t.test('a rule restarts a container of a Pod that is never restarted', async t => {
  const node = startNode();
  const once = container('c', 'test -f /d/second && exit 0; touch /d/second; exit 42', {
    restartPolicy: 'Never',
    restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    volumeMounts: [{ name: 'd', mountPath: '/d' }],
  });
  node.load(pod('p', { restartPolicy: 'Never', volumes: [{ name: 'd', emptyDir: {} }], containers: [once] }));
  node.start();
  await node.until('Succeeded', () => node.status('p').phase === 'Succeeded');
  t.match(node.status('p').containerStatuses?.[0], { restartCount: 1, lastState: { terminated: { exitCode: 42 } } });
  node.stop();
});

t.test('a container whose program does not exist is a restart each time it is tried', async t => {
  const node = startNode();
  node.load(pod('p', { containers: [{ name: 'c', image: 'busybox', command: ['no-such-program'] }] }));
  node.start();
  const status = () => node.status('p').containerStatuses?.[0];
  await node.until('waits', () => status()?.state?.waiting?.reason === 'CrashLoopBackOff');
  const ids = new Set([status()?.lastState?.terminated?.containerID]);
  for (const [count, delay] of [
    [1, 0],
    [2, 10_000],
    [3, 20_000],
  ] as const) {
    node.clock.step(delay);
    await node.until(`${count} restarts`, () => status()?.restartCount === count);
    ids.add(status()?.lastState?.terminated?.containerID);
  }
  t.match(status()?.lastState?.terminated, { exitCode: 128, reason: 'StartError', startedAt: '1970-01-01T00:00:00Z' });
  t.ok(ids.size >= 3 && [...ids].every(id => /^kubette:\/\/[0-9a-f]{64}$/.test(id ?? '')), [...ids].join(' '));
  node.stop();
});

t.test('what a Pod is called', async t => {
  const long = 'a'.repeat(62);
  const rows = [
    { name: 'its name', spec: {}, expect: { hostname: 'web', domain: '', nodename: 'web' } },
    { name: 'hostname', spec: { hostname: 'h' }, expect: { hostname: 'h', domain: '', nodename: 'h' } },
    {
      name: 'subdomain',
      spec: { hostname: 'h', subdomain: 'sub' },
      expect: { hostname: 'h', domain: 'sub.default.svc.cluster.local', nodename: 'h' },
    },
    {
      name: 'setHostnameAsFQDN',
      spec: { hostname: 'h', subdomain: 'sub', setHostnameAsFQDN: true },
      expect: { hostname: 'h', domain: 'sub.default.svc.cluster.local', nodename: 'h.sub.default.svc.cluster.local' },
    },
    {
      name: 'setHostnameAsFQDN without a subdomain',
      spec: { setHostnameAsFQDN: true },
      expect: { hostname: 'web', domain: '', nodename: 'web' },
    },
    {
      name: 'hostnameOverride',
      spec: { hostname: 'h', subdomain: 'sub', hostnameOverride: 'my.own.name' },
      expect: { hostname: 'my.own.name', domain: '', nodename: 'my.own.name' },
    },
    {
      name: 'cut at 63, and not after a dot',
      spec: { hostnameOverride: `${long}.more` },
      expect: { hostname: long, domain: '', nodename: long },
    },
    {
      name: 'hostNetwork',
      spec: { hostNetwork: true },
      expect: { hostname: 'node-1', domain: '', nodename: 'node-1' },
    },
  ];
  for (const { name, spec, expect } of rows)
    t.same(podNames(pod('web', { containers: [], ...spec }), 'node-1', 'cluster.local'), expect, name);

  const node = startNode();
  const names = { hostname: 'a'.repeat(40), subdomain: 'sub', setHostnameAsFQDN: true };
  node.load(pod('long', { ...names, containers: [container('c', 'sleep infinity')] }));
  node.start();
  await node.until('an Event', () => node.reasons().includes('FailedCreatePodSandBox'));
  t.match(node.events.at(-1)?.message, /is too long \(64 characters is the max, 70 characters requested\)$/);
  t.equal(node.status('long').phase, 'Pending');
  node.stop();
});

t.test('a subPath keeps what it was made of, the volume follows', async t => {
  const node = startNode();
  const configMap = (v: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'default' },
    data: { v },
  });
  node.cluster.load(CONFIG_MAPS, configMap('old'));
  const mounts = [
    { name: 'm', mountPath: '/whole' },
    { name: 'm', mountPath: '/single', subPath: 'v' },
    { name: 'm', mountPath: '/none', subPath: 'missing' },
  ];
  const volumes = [{ name: 'm', configMap: { name: 'conf' } }];
  node.load(pod('p', { volumes, containers: [container('c', 'sleep infinity', { volumeMounts: mounts })] }));
  node.start();
  await node.until('runs', () => node.status('p').phase === 'Running');
  node.cluster.load(CONFIG_MAPS, configMap('new'));
  node.clock.step(60_000);
  for (let i = 0; i < 200 && (await exec(node, 'p', 'c', 'cat', '/whole/v')) !== 'new'; i++) node.clock.step(1_000);
  t.equal(await exec(node, 'p', 'c', 'cat', '/whole/v'), 'new');
  t.equal(await exec(node, 'p', 'c', 'cat', '/single'), 'old');
  t.equal(await exec(node, 'p', 'c', 'ls', '/none'), '', 'a subPath that is not there is an empty directory');
  node.stop();
});

t.test('process namespaces', async t => {
  const node = startNode();
  const own = container('app', 'sleep 4343');
  const other = container('other', 'sleep 4344');
  const debug = { name: 'dbg', image: 'busybox', command: ['sleep', '600'] };
  const rows = [
    { name: 'own', spec: {}, sees: ['sleep 4344'], not: ['sleep 4343', '/pause', '/sbin/init'] },
    {
      name: 'shared',
      spec: { shareProcessNamespace: true },
      sees: ['sleep 4343', 'sleep 4344', '/pause'],
      not: ['/sbin/init'],
    },
    { name: 'host', spec: { hostPID: true }, sees: ['sleep 4343', 'sleep 4344', '/sbin/init'], not: [] },
  ];
  node.load(...rows.map(({ name, spec }) => pod(name, { ...spec, containers: [own, other] })));
  const ephemeralContainers = [{ ...debug, targetContainerName: 'app' }];
  node.load(pod('debugged', { restartPolicy: 'Never', containers: [own, other], ephemeralContainers }));
  node.start();
  for (const { name, sees, not } of rows) {
    await node.until(`${name} runs`, () => node.condition(name, 'Ready')?.status === 'True');
    const list = await exec(node, name, 'other', 'ps');
    for (const text of sees) t.ok(list.includes(text), `${name} sees ${text}`);
    for (const text of not) t.notOk(list.includes(text), `${name} does not see ${text}`);
  }
  const running = (name: string) => node.manager?.container('default', 'debugged', name)?.running !== undefined;
  await node.until('dbg runs', () => running('dbg') && running('other'));
  const list = await exec(node, 'debugged', 'dbg', 'ps');
  t.ok(list.includes('sleep 4343') && list.includes('sleep 600') && !list.includes('sleep 4344'), list);
  node.manager?.container('default', 'debugged', 'app')?.running?.kill('KILL');
  await node.until('its namespace ends with it', () => !running('dbg') && running('other'));
  node.stop();
});
