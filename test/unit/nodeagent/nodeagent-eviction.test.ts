import t from 'tap';
import { pod, startNode } from '../../support/simulated-node.js';

const writer = (script: string, extra: object = {}) => ({
  name: 'c',
  image: 'busybox',
  command: ['sh', '-c', `${script}; sleep infinity`],
  volumeMounts: [{ name: 'e', mountPath: '/e' }],
  ...extra,
});
const limited = (limit: string) => ({ resources: { limits: { 'ephemeral-storage': limit } } });

t.test('a Pod that has written more than it may is evicted', async t => {
  const rows = [
    {
      name: 'an emptyDir beyond its limit',
      emptyDir: { sizeLimit: '100Ki' },
      containers: [writer('seq 1 60000 > /e/f')],
      message: 'Usage of EmptyDir volume "e" exceeds the limit "100Ki". ',
    },
    {
      name: 'a container: its writable layer',
      emptyDir: {},
      containers: [writer('seq 1 60000 > /tmp/f', limited('100Ki')), { ...writer('true', limited('1Gi')), name: 'd' }],
      message: 'Container c exceeded its local ephemeral storage limit "100Ki". ',
    },
    {
      name: 'a container: its log',
      emptyDir: {},
      containers: [writer('seq 1 60000', limited('100Ki')), { ...writer('true', limited('1Gi')), name: 'd' }],
      message: 'Container c exceeded its local ephemeral storage limit "100Ki". ',
    },
    {
      name: 'all together',
      emptyDir: {},
      containers: [writer('seq 1 20000 > /e/f', limited('100Ki'))],
      message: 'Pod ephemeral local storage usage exceeds the total limit of containers 100Ki. ',
    },
    {
      name: 'within limits',
      emptyDir: { sizeLimit: '1Mi' },
      containers: [writer('seq 1 60000 > /e/f', limited('1Mi'))],
    },
    { name: 'a limit of nothing is none', emptyDir: { sizeLimit: '0' }, containers: [writer('seq 1 60000 > /e/f')] },
    {
      name: 'a critical Pod stays',
      emptyDir: { sizeLimit: '100Ki' },
      containers: [writer('seq 1 60000 > /e/f')],
      priority: 2_000_000_000,
    },
  ];
  const node = startNode();
  const id = (name: string): string => name.replace(/\W+/g, '-');
  for (const { name, emptyDir, containers, priority } of rows)
    node.load(pod(id(name), { containers, volumes: [{ name: 'e', emptyDir }], priority }));
  node.start();
  for (const { name } of rows) await node.until(`${name} runs`, () => node.status(id(name)).phase === 'Running');
  const evicted = rows.filter(row => row.message !== undefined);
  // What is written is there after a while of real work; the manager looks every ten seconds of the node's time.
  const all = (): boolean => evicted.every(({ name }) => node.status(id(name)).phase === 'Failed');
  await node.until('evictions', () => {
    node.clock.step(1_000);
    return all();
  });
  for (const { name, message } of rows) {
    t.equal(node.status(id(name)).phase, message === undefined ? 'Running' : 'Failed', name);
    t.equal(node.status(id(name)).reason, message === undefined ? undefined : 'Evicted', name);
    t.equal(node.status(id(name)).message, message, name);
    if (message === undefined) continue;
    t.match(node.status(id(name)).containerStatuses?.[0]?.state?.terminated, { exitCode: 143 }, name);
  }
  t.equal(node.events.filter(e => e.reason === 'Evicted').length, evicted.length);
  t.notOk(node.condition(id(rows[0]?.name ?? ''), 'DisruptionTarget'), 'its own doing is no disruption');
  node.stop();
});
