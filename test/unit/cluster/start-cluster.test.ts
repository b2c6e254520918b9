import t from 'tap';
import { createClient } from '../../../src/client/rest-client.js';
import { EVENTS, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { realClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { CoreEvent, Node, Pod, Service } from '../../../src/machinery/types.js';
import { until } from '../../support/until.js';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'nginx' }] },
};

t.test('clusters run side by side in one process, and leave nothing behind', async t => {
  const clusters = await Promise.all([
    startCluster({ random: seededRandom(1) }),
    startCluster({ nodes: 0, random: seededRandom(1) }),
  ]);
  t.teardown(() => Promise.all(clusters.map(cluster => cluster.close())));
  const [one, other] = clusters;
  t.not(one.url, other.url);
  t.match(one.kubeconfig, `server: ${one.url}`);

  const client = createClient(one.config, 'test');
  const made = await client.resource<Pod>(PODS).create('default', pod);
  const phase = async (): Promise<string> =>
    (await client.resource<Pod>(PODS).get({ namespace: 'default', name: 'web' })).status?.phase ?? '';
  while ((await phase()) !== 'Running') await realClock.sleep(20);
  t.equal(made.metadata.namespace, 'default');
  client.close();

  const empty = createClient(other.config, 'test');
  t.same((await empty.resource<Pod>(PODS).list()).items, [], 'nothing of the one is in the other');
  t.same((await empty.resource<Node>(NODES).list()).items, []);
  empty.close();
});

t.test('proxy modes are dealt to the nodes in turn, and each node traces a request through its own', async t => {
  const cluster = await startCluster({
    nodes: 4,
    proxyModes: ['iptables', 'nftables', 'ipvs', 'userspace'],
    random: seededRandom(2),
  });
  t.teardown(() => cluster.close());
  const client = createClient(cluster.config, 'test');
  t.teardown(() => client.close());
  const pods = client.resource<Pod>(PODS);
  const on = (nodeName: string) => ({
    ...pod,
    metadata: { name: nodeName, labels: { app: 'web' } },
    spec: { ...pod.spec, nodeName },
  });
  const names = (await client.resource<Node>(NODES).list()).items.map(node => node.metadata.name ?? '').sort();
  for (const name of names) await pods.create('default', on(name));
  await client.resource<Service>(SERVICES).create('default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] },
  });
  for (const [name, sign] of [
    [names[0], '"chain":"KUBE-SVC-'],
    [names[1], '"table":"kube-proxy"'],
    [names[2], '"table":"ipvs"'],
    [names[3], '"kind":"relay"'],
  ] as const) {
    const trace = async (): Promise<string> =>
      JSON.stringify(
        await client.request('GET', `/api/v1/nodes/${name ?? ''}/proxy/trace?pod=default/${name ?? ''}&url=http://web`),
      );
    const reached = new Set<string>();
    let report = '';
    await until(`${name ?? ''} reaches every Pod`, async () => {
      report = await trace();
      const to = /"kind":"deliver","node":"[^"]*","to":"(pod [^"]*)"/.exec(report)?.[1];
      if (to !== undefined && report.includes('"status":200')) reached.add(to);
      return reached.size === names.length;
    });
    t.match(report, sign, `${name ?? ''} has its own mode`);
    t.match(report, /"kind":"(?:EndpointSlice|Service)"/, 'and the object behind the choice');
  }
});

t.test('a Service of type LoadBalancer has an address of the range until it goes', async t => {
  const cluster = await startCluster({ nodes: 0, loadBalancerCidr: '172.18.200.0/24', random: seededRandom(1) });
  const client = createClient(cluster.config, 'test');
  t.teardown(async () => {
    client.close();
    await cluster.close();
  });
  const services = client.resource<Service>(SERVICES);
  const key = { namespace: 'default', name: 'web' };
  const state = async (): Promise<unknown> => {
    const { metadata, status } = await services.get(key);
    return [metadata.finalizers ?? [], status?.loadBalancer?.ingress ?? []];
  };
  const becomes = (what: string, wanted: unknown): Promise<void> =>
    until(what, async () => JSON.stringify(await state()) === JSON.stringify(wanted));
  const ensured = [['service.kubernetes.io/load-balancer-cleanup'], [{ ip: '172.18.200.1', ipMode: 'VIP' }]];
  const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] };
  await services.create('default', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec });
  await becomes('it has an address', ensured);
  await services.patch(key, { spec: { type: 'ClusterIP' } }, { type: 'merge' });
  await becomes('with another type it has none', [[], []]);
  await services.patch(key, { spec: { type: 'LoadBalancer' } }, { type: 'merge' });
  await becomes('it has one again', ensured);
  await services.delete(key);
  await until('it goes', async () => (await services.list({ namespace: 'default' })).items.length === 1);

  const events = client.resource<CoreEvent>(EVENTS);
  const wanted = ['Deleted', 'Deleting', 'Ensured', 'Ensuring'].map(verb => `${verb}LoadBalancer`);
  await until('Events tell of it', async () => {
    const told = new Set((await events.list()).items.map(({ reason }) => reason));
    return [...wanted, 'Type'].every(reason => told.has(reason));
  });
  t.pass();
});

t.test('a start that is given up leaves nothing behind', async t => {
  const given = new AbortController();
  given.abort(new Error('enough'));
  await t.rejects(startCluster({ signal: given.signal }), { message: 'enough' });
});
