import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../../src/client/resources.js';
import { createDnsMetrics } from '../../src/dns/metrics.js';
import { createDnsServer } from '../../src/dns/server.js';
import { realClock } from '../../src/machinery/clock.js';
import { realRandom } from '../../src/machinery/random.js';
import { createFakeCluster } from '../support/fake-cluster.js';

/** The DNS server in a process of its own, as `make bench` asks it: tells its port, and when asked the CPU time it took. */
const HEADLESS_ENDPOINTS = 10;
const services = Array.from({ length: 1_000 }, (_, i) => i);

const cluster = createFakeCluster();
cluster.load(NAMESPACES, { metadata: { name: 'shop' } });
for (const i of services) {
  const metadata = { namespace: 'shop', name: `s${i}` };
  const headless = i % 2 === 1;
  const clusterIP = headless ? 'None' : `10.96.${i >> 8}.${i & 255}`;
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
  cluster.load(SERVICES, { metadata, spec: { clusterIP, clusterIPs: [clusterIP], ports } });
  cluster.load(ENDPOINT_SLICES, {
    metadata: { ...metadata, name: `s${i}-a`, labels: { 'kubernetes.io/service-name': `s${i}` } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: HEADLESS_ENDPOINTS }, (_, j) => ({ addresses: [`10.${j}.${i >> 8}.${i & 255}`] })),
    ports,
  });
}
const server = createDnsServer({
  informers: cluster.context().informers,
  clock: realClock,
  random: () => realRandom.number(),
  metrics: createDnsMetrics(),
});
const port = await server.listen();
process.send?.({ port });
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit(0));
