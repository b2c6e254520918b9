import t from 'tap';
import { createClient } from '../../../src/client/rest-client.js';
import { EVENTS, PODS, SERVICES } from '../../../src/client/resources.js';
import { loopbackOf, startPublisher } from '../../../src/cluster/publisher.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { realClock } from '../../../src/machinery/clock.js';
import { SILENT } from '../../../src/machinery/logger.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { CoreEvent, Pod, Service } from '../../../src/machinery/types.js';
import { until } from '../../support/until.js';

t.test('where a load balancer is published', async t => {
  const rows = [
    { ip: '172.18.255.1', platform: 'linux', expect: '127.18.255.1' },
    { ip: '172.18.255.1', platform: 'darwin', expect: '127.0.0.1' },
    { ip: 'fc00::1', platform: 'linux', expect: '127.0.0.1' },
  ] as const;
  for (const { ip, platform, expect } of rows) t.equal(loopbackOf(ip, platform), expect);
});

t.test('a load balancer answers on loopback, by a node that has an endpoint where the policy is Local', async t => {
  const cluster = await startCluster({ nodes: 2, random: seededRandom(3) });
  t.teardown(() => cluster.close());
  const client = createClient(cluster.config, 'test');
  t.teardown(() => client.close());
  const said: string[] = [];
  const publisher = startPublisher({
    config: cluster.config,
    clock: realClock,
    log: SILENT,
    hostGateways: ['172.18.0.1'],
    say: line => void said.push(line),
    // All platforms have this address.
    platform: 'darwin',
  });
  t.teardown(() => publisher.close());
  await client.resource<Pod>(PODS).create('default', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      nodeName: 'node-2',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 'echo' }],
    },
  });
  const services = client.resource<Service>(SERVICES);
  await services.create('default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  });
  await until('it is published', () => said.length > 0);
  const [, ip = '', at = ''] = /^published +default\/web: (\S+) port 80\/tcp is at (\S+) of/.exec(said[0] ?? '') ?? [];
  t.match(ip, /^172\.18\.255\./);
  const get = async (): Promise<string | undefined> => {
    try {
      return await (await fetch(`http://${at}/`, { headers: { connection: 'close' } })).text();
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  };
  let body: string | undefined;
  await until('the Pod answers', async () => (body = await get()) !== undefined);
  t.match(body, 'node-2');
  // The other node would drop it: none of these is sent there.
  for (let i = 0; i < 4; i++) t.match(await get(), 'node-2');
  await until('an Event says so', async () => {
    const { items } = await client.resource<CoreEvent>(EVENTS).list({ namespace: 'default' });
    return items.some(({ reason, involvedObject }) => reason === 'Published' && involvedObject.name === 'web');
  });
  await services.delete({ namespace: 'default', name: 'web' });
  await until('the port is closed', async () => (await get()) === undefined);
});
