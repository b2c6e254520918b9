import t, { type Test } from 'tap';
import { CONFIG_MAPS, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { startCluster, type RunningCluster } from '../../../src/cluster/start-cluster.js';
import type { ConfigMap, Node, Pod, Service } from '../../../src/machinery/types.js';
import { createClusterTime, type ClusterTime } from '../../../src/testing/cluster-time.js';
import { restoreSnapshot, takeSnapshot } from '../../../src/testing/snapshot.js';
import { readSnapshot, writeSnapshot } from '../../../src/testing/snapshot-file.js';
import { stateOf } from '../../../src/testing/store-state.js';

interface Begun {
  readonly cluster: RunningCluster;
  readonly client: RestClient;
  readonly time: ClusterTime;
}

async function started(t: Test): Promise<Begun> {
  const time = createClusterTime({ clock: 'real' });
  const cluster = await startCluster({ nodes: 1, clock: time.clock });
  const client = createClient(cluster.config, 'test');
  t.teardown(async () => {
    time.release();
    client.close();
    await cluster.close();
  });
  await time.begin(cluster.api);
  return { cluster, client, time };
}

const web = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
} as unknown as Pod;
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] },
} as unknown as Service;

t.test('another cluster becomes what a snapshot says, and goes on living', async t => {
  const [one, other] = await Promise.all([started(t), started(t)]);
  await one.client.resource<Pod>(PODS).create('default', web);
  const made = await one.client.resource<Service>(SERVICES).create('default', service);
  await one.client
    .resource<Node>(NODES)
    .patch({ namespace: '', name: 'node-1' }, { metadata: { labels: { mine: 'yes' } } }, { type: 'merge' });
  await one.time.settled();
  const file = await takeSnapshot(one.cluster.store, Date.parse('2026-01-01T00:00:00Z'));

  await other.client
    .resource<ConfigMap>(CONFIG_MAPS)
    .create('default', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine' } });
  const before = await other.client.resource<Node>(NODES).get({ namespace: '', name: 'node-1' });
  await restoreSnapshot(other.cluster, file, { time: other.time });
  await other.time.settled();

  const pod = await other.client.resource<Pod>(PODS).get({ namespace: 'default', name: 'web' });
  t.equal(pod.status?.phase, 'Running');
  t.same(
    other.cluster.nodes[0]?.agent?.pods.list().map(worker => [worker.pod.metadata.name, worker.active]),
    [['web', true]],
    'its Pods run here',
  );
  const restored = await other.client.resource<Service>(SERVICES).get({ namespace: 'default', name: 'web' });
  t.same(restored.spec, made.spec);
  const maps = (await other.client.resource<ConfigMap>(CONFIG_MAPS).list({ namespace: 'default' })).items;
  t.same(
    maps.map(({ metadata }) => metadata.name),
    ['kube-root-ca.crt'],
  );
  t.equal(maps[0]?.data?.['ca.crt'], other.cluster.config.ca, 'its own certificate, not that of the other');
  const node = await other.client.resource<Node>(NODES).get({ namespace: '', name: 'node-1' });
  t.equal(node.metadata.labels?.['mine'], 'yes');
  t.same(
    [node.status?.daemonEndpoints, node.metadata.annotations],
    [before.status?.daemonEndpoints, before.metadata.annotations],
    'it is reached where it was',
  );
  const log = await other.client.transport.fetch({
    method: 'GET',
    path: '/api/v1/namespaces/default/pods/web/log',
  });
  t.type(log, 'string', 'its kubelet answers');
  const second = { ...service, metadata: { name: 'second' } } as Service;
  const next = await other.client.resource<Service>(SERVICES).create('default', second);
  t.not(next.spec?.ports?.[0]?.nodePort, made.spec?.ports?.[0]?.nodePort, 'what is taken is taken here, too');
});

t.test('a file with objects that cannot be is refused, and nothing is changed', async t => {
  const { cluster, time } = await started(t);
  const good = readSnapshot(await takeSnapshot(cluster.store, 0));
  const cases = [
    {
      name: 'another type of a field',
      key: '/registry/pods/default/evil',
      value:
        '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"evil","namespace":"default","uid":"1"},"spec":{"containers":7}}',
      expect: /"\/registry\/pods\/default\/evil": .*containers/,
    },
    {
      name: 'metadata of a kind that is not known',
      key: '/registry/example.com/widgets/default/evil',
      value:
        '{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"evil","namespace":"default","uid":"1","ownerReferences":"x"}}',
      expect: /widgets\/default\/evil": .*ownerReferences/,
    },
  ];
  for (const { name, key, value, expect } of cases) {
    const before = [...(await stateOf(cluster.store)).keys()];
    const file = writeSnapshot(new Map([...good, [key, { value: Buffer.from(value) }]]), '');
    await t.rejects(restoreSnapshot(cluster, file, { time }), { name: 'SnapshotError', message: expect }, name);
    t.same([...(await stateOf(cluster.store)).keys()], before);
  }
});
