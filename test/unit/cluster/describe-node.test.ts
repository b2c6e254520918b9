import t from 'tap';
import { Cluster, type NodeOptions } from '../../../src/testing/index.js';

interface SeenNode {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec?: { readonly taints?: readonly unknown[] };
  readonly status: { readonly capacity: Record<string, string>; readonly allocatable: Record<string, string> };
}

const NODES: readonly NodeOptions[] = [
  {
    name: 'big',
    labels: { disk: 'ssd', 'node-role.kubernetes.io/worker': '' },
    zone: 'a',
    region: 'r',
    capacity: { cpu: '16', memory: '64Gi', pods: '20', 'example.com/gpu': '2' },
    proxyMode: 'nftables',
  },
  { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }], zone: 'b' },
];

t.test('nodes are as they are described', async t => {
  const cluster = await Cluster.create({ nodes: NODES });
  t.teardown(() => cluster.stop());
  t.same(
    cluster.nodes.map(({ name }) => name),
    ['big', 'node-2'],
  );
  const node = async (name: string): Promise<SeenNode> =>
    (await cluster.waitFor(`node/${name}`, 'Ready')) as unknown as SeenNode;
  const big = await node('big');
  t.match(big.metadata.labels, {
    disk: 'ssd',
    'node-role.kubernetes.io/worker': '',
    'topology.kubernetes.io/zone': 'a',
    'topology.kubernetes.io/region': 'r',
    'kubernetes.io/hostname': 'big',
  });
  const capacity = { cpu: '16', memory: '64Gi', pods: '20', 'example.com/gpu': '2', 'ephemeral-storage': '100Gi' };
  t.match(big.status, { capacity, allocatable: capacity });
  t.match((await node('node-2')).spec?.taints, [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }]);

  const pod = (name: string, spec: object) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: { containers: [{ name: 'c', image: 'pause', ...spec }] },
  });
  await cluster.apply([pod('gpu', { resources: { limits: { 'example.com/gpu': '2' } } }), pod('plain', {})]);
  for (const name of ['gpu', 'plain'])
    t.match(await cluster.waitFor(`pod/${name}`, 'Ready'), { spec: { nodeName: 'big' } }, 'the other one is tainted');
  await cluster.apply(pod('second', { resources: { limits: { 'example.com/gpu': '1' } } }));
  await cluster.waitFor('pod/second', 'PodScheduled=False');

  await cluster.node('big').kill();
  await cluster.node('big').start();
  await cluster.waitFor('pod/gpu', 'Ready');
});

t.test('what is no description is refused before anything starts', async t => {
  for (const [nodes, says] of [
    [[{ name: 'a' }, { name: 'a' }], /nodes\[1\]\.name: there are two nodes "a"/],
    [[{ name: 'node-2' }, {}], /nodes\[1\]\.name: there are two nodes "node-2"/],
    [[{ capacity: { cpu: '-1' } }], /nodes\[0\]\.capacity\["cpu"\]: "-1": must not be negative/],
    [[{ labels: { 'a b': '' } }], /nodes\[0\]\.labels: "a b": name part/],
  ] as const)
    await t.rejects(Cluster.create({ nodes }), says);
});
