import t from 'tap';
import { podsToPreempt } from '../../../src/nodeagent/pods/admission/preemption.js';
import { pod, startNode } from '../../support/simulated-node.js';

const sleeper = (extra: object = {}) => ({ name: 'c', image: 'busybox', command: ['sleep', 'infinity'], ...extra });
const asking = (requests: object) => ({ containers: [sleeper({ resources: { requests } })] });
const critical = { priority: 2_000_001_000, priorityClassName: 'system-node-critical' };

t.test('a Pod that is bound to a node that cannot have it fails there', async t => {
  const port = (hostPort: number, hostIP?: string) => ({
    containers: [
      sleeper({
        ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...(hostIP === undefined ? {} : { hostIP }) }],
      }),
    ],
  });
  const rows = [
    {
      name: 'cpu',
      spec: asking({ cpu: '4500m' }),
      reason: 'OutOfcpu',
      message: "Node didn't have enough resource: cpu, requested: 4500, used: 1000, capacity: 4000",
    },
    {
      name: 'memory',
      spec: asking({ memory: '9Gi' }),
      reason: 'OutOfmemory',
      message: "Node didn't have enough resource: memory, requested: 9663676416, used: 0, capacity: 8589934592",
    },
    { name: 'ephemeral storage', spec: asking({ 'ephemeral-storage': '1Ti' }), reason: 'OutOfephemeral-storage' },
    {
      name: 'an extended resource of the node',
      spec: asking({ 'example.com/gpu': '3' }),
      reason: 'OutOfexample.com/gpu',
    },
    { name: 'an extended resource the node does not know', spec: asking({ 'example.com/other': '3' }), reason: '' },
    { name: 'overhead counts', spec: { ...asking({ cpu: '2' }), overhead: { cpu: '2' } }, reason: 'OutOfcpu' },
    {
      name: 'an init container counts alone',
      spec: {
        containers: [sleeper()],
        initContainers: [{ ...sleeper(), name: 'i', resources: { requests: { cpu: '4' } } }],
      },
      reason: 'OutOfcpu',
    },
    {
      name: 'node selector',
      spec: { nodeSelector: { disk: 'ssd' }, containers: [sleeper()] },
      reason: 'NodeAffinity',
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    },
    {
      name: 'host port',
      spec: port(8080),
      reason: 'NodePorts',
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    },
    { name: 'host port on any address', spec: port(8080, '172.18.0.2'), reason: 'NodePorts' },
    { name: 'another host port', spec: port(8081), reason: '' },
    {
      name: 'taint',
      spec: { containers: [sleeper()], tolerations: [] },
      reason: 'TaintToleration',
      message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    },
    {
      name: 'operating system',
      spec: { os: { name: 'windows' }, containers: [sleeper()] },
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    },
    {
      name: 'sysctl',
      spec: { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] }, containers: [sleeper()] },
      reason: 'SysctlForbidden',
      message: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
    },
  ];
  const tolerant = { tolerations: [{ key: 'gone', operator: 'Exists' }] };
  for (const { name, spec, reason, message } of rows) {
    const node = startNode();
    node.object = {
      metadata: { name: 'node-1' },
      spec: {
        taints: [
          { key: 'gone', effect: 'NoExecute' },
          { key: 'busy', effect: 'NoSchedule' },
        ],
      },
      status: { allocatable: { ...node.object.status?.allocatable, 'example.com/gpu': '2' } },
    };
    const first = {
      ...tolerant,
      containers: [sleeper({ resources: { requests: { cpu: '1' } }, ports: [{ containerPort: 1, hostPort: 8080 }] })],
    };
    node.load(pod('first', first), pod('second', { ...tolerant, ...spec }));
    node.start();
    await node.until(`${name}: first runs`, () => node.status('first').phase === 'Running');
    const phase = reason === '' ? 'Running' : 'Failed';
    await node.until(`${name}: ${phase}`, () => node.status('second').phase === phase);
    t.equal(node.status('second').reason ?? '', reason, name);
    if (message === undefined) continue;
    t.equal(node.status('second').message, `Pod was rejected: ${message}`, name);
    t.ok(
      node.events.some(e => e.type === 'Warning' && e.reason === reason && e.message === message),
      `${name}: Event`,
    );
    node.stop();
  }
});

t.test('the node takes as many Pods as it is said to', async t => {
  const node = startNode();
  node.object = { metadata: { name: 'node-1' }, status: { allocatable: { pods: '2', cpu: '1', memory: '1Gi' } } };
  const names = ['a', 'b', 'c'];
  node.load(...names.map(name => pod(name, { restartPolicy: 'Never', containers: [sleeper()] })));
  node.start();
  await node.until('one fails', () => names.some(name => node.status(name).reason === 'OutOfpods'));
  t.equal(
    node.status('c').message,
    "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2",
  );
  node.remove('a', 0);
  await node.until('a is gone', () => node.get('a') === undefined);
  node.load(pod('d', { containers: [sleeper()] }));
  await node.until('the place is free again', () => node.status('d').phase === 'Running');
  node.stop();
});

t.test('a critical Pod makes way for itself', async t => {
  const node = startNode();
  const victim = pod('victim', { ...asking({ cpu: '3' }), priority: 0 }, {}, { qosClass: 'Burstable' });
  node.load(victim);
  node.start();
  await node.until('victim runs', () => node.status('victim').phase === 'Running');
  node.load(pod('critical', { ...asking({ cpu: '2' }), ...critical }));
  await node.until('victim fails', () => node.status('victim').phase === 'Failed');
  t.match(node.status('victim'), { reason: 'Preempting', message: 'Preempted in order to admit critical pod' });
  t.match(node.condition('victim', 'DisruptionTarget'), { status: 'True', reason: 'TerminationByKubelet' });
  await node.until('critical runs', () => node.status('critical').phase === 'Running');
  node.load(pod('too-big', { ...asking({ cpu: '5' }), ...critical }));
  await node.until('too big', () => node.status('too-big').phase === 'Failed');
  t.match(node.status('too-big'), {
    reason: 'UnexpectedAdmissionError',
    message: /no set of running pods found to reclaim resources: \[\(res: cpu, q: 3000\), \]$/,
  });
  node.stop();
});

t.test('which Pods are preempted', async t => {
  const of = (name: string, qosClass: string, requests: object) => pod(name, asking(requests), {}, { qosClass });
  const pods = [
    of('best-effort', 'BestEffort', {}),
    of('small', 'Burstable', { cpu: '100m' }),
    of('middle', 'Burstable', { cpu: '500m' }),
    of('large', 'Burstable', { cpu: '1' }),
    of('guaranteed', 'Guaranteed', { cpu: '2' }),
  ];
  const rows = [
    { name: 'the nearest one that is enough', quantity: 400n, expect: ['middle'] },
    { name: 'no more than needed', quantity: 600n, expect: ['large'] },
    { name: 'guaranteed only when nothing else helps', quantity: 1700n, expect: ['guaranteed'] },
  ];
  for (const { name, quantity, expect } of rows) {
    const chosen = podsToPreempt(pod('critical', critical), pods, [{ resource: 'cpu', quantity }]);
    t.same(
      chosen.map(p => p.metadata.name),
      expect,
      name,
    );
  }
});
