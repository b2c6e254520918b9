import { connect } from 'node:net';
import t from 'tap';
import { anyRange, claimHostRange } from '../../../src/cluster/host-range.js';
import { seededRandom } from '../../../src/machinery/random.js';
import { Cluster } from '../../../src/testing/index.js';
import { until } from '../../support/until.js';

/** What every one of them has: a Service on the same node port, and a Pod that says whose it is. */
const objects = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, nodePort: 30080 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  },
];

/** Timers, listeners and connections. */
const resources = (): number =>
  process.getActiveResourcesInfo().filter(name => /^(?:Timeout|TCP|UDP|Pipe)/.test(name)).length;

const opens = (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

t.setTimeout(280_000);

t.test('ten clusters in one process do not meet: neither their objects nor their node ports', async t => {
  const before = resources();
  const kindOf = (i: number) => (i < 3 ? { nodes: 1 } : i < 5 ? { nodes: 0 } : { apiServerOnly: true });
  const clusters = await Promise.all(
    Array.from({ length: 10 }, (_, i) => Cluster.create({ ...kindOf(i), seed: 7, objects })),
  );
  const stop = () => Promise.all(clusters.map(cluster => cluster.stop()));
  t.teardown(stop);
  t.equal(new Set(clusters.map(({ url }) => url)).size, 10);
  const mark = (cluster: Cluster, i: number) =>
    cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mark' }, data: { of: String(i) } });
  await Promise.all(clusters.map(mark));
  for (const [i, cluster] of clusters.entries())
    t.match(await cluster.waitFor('cm/mark', 'create'), { data: { of: String(i) } });

  const addresses = new Set<string>();
  for (const cluster of clusters.slice(0, 3)) {
    await cluster.waitFor('pod/web', 'Ready');
    const { hostAddress } = cluster.node('node-1');
    await until('its node port is open', () => opens(hostAddress, 30080));
    addresses.add(hostAddress);
  }
  t.equal(addresses.size, 3);

  await stop();
  await until('nothing is left that keeps the process', () => resources() <= before);
});

t.test('of two that want the same range one takes another', async t => {
  const first = await claimHostRange(anyRange(seededRandom(1)), 'linux');
  t.teardown(() => first.release());
  const second = await claimHostRange(anyRange(seededRandom(1)), 'linux');
  t.teardown(() => second.release());
  t.match(first.addressOf(0), /^127\.\d+\.\d+\.1$/);
  t.not(second.addressOf(0), first.addressOf(0));
  const elsewhere = await claimHostRange(anyRange(seededRandom(1)), 'darwin');
  t.equal(elsewhere.addressOf(3), '127.0.0.1');
});
