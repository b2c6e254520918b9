import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { hostKernels, hostRoutes } from '../../support/host-routes.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import { realClock } from '../../../src/machinery/clock.js';
import { createPeerLinks } from '../../../src/nodeagent/network/link/peer-links.js';
import { createNodeDirectory } from '../../../src/nodeagent/network/node-directory.js';
import { createPodNetwork } from '../../../src/nodeagent/network/pod-network.js';
import { createHealthCheckPorts } from '../../../src/nodeagent/proxy/health-check-ports.js';
import { createNodePorts } from '../../../src/nodeagent/proxy/node-ports.js';
import { service, slice } from '../../fixtures/iptables/inputs.js';
import { answered } from '../../support/until.js';

const NODE = '172.18.0.2';
const PORT = 31_997;
const balancer = service('shop/web', {
  type: 'LoadBalancer',
  externalTrafficPolicy: 'Local',
  healthCheckNodePort: PORT,
  clusterIP: '10.96.0.20',
  ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
});
const on = (node: string) => slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.244.1.2', node }]);

t.test('load balancers reach health check node ports where node ports are', async t => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const clock = realClock;
  const kernel = createKernel({ clock, random: Math.random, routes: hostRoutes(NODE) });
  const kernels = hostKernels(kernel);
  const network = createPodNetwork({
    random: () => 0.5,
    nodeName: 'node-1',
    nodeAddresses: [NODE],
    kernels,
    directory: createNodeDirectory({ nodeName: 'node-1', kernels }),
    links: createPeerLinks(clock),
    clock,
    hostGateways: ['172.18.0.1'],
    hostAddress: '127.0.0.1',
  });
  const proxy = createProxier({ clock, mode: 'iptables', family: 'IPv4', nodeName: 'node-1', nodeAddresses: [NODE] });
  const proxies = [{ proxy, kernel }];
  const nodePorts = createNodePorts({
    proxies,
    network,
    nodeAddresses: [NODE],
    bindAddress: '127.0.0.1',
    hostGateways: ['172.18.0.1'],
    log,
    onBusy: (_service, message) => t.fail(message),
  });
  const healthChecks = createHealthCheckPorts({ proxies, network, healthy: () => true, log });
  t.teardown(() => {
    nodePorts.close();
    healthChecks.close();
  });
  const sync = (): void => {
    const { program } = proxy.sync();
    if (program !== undefined) kernel.load(program);
    nodePorts.update();
    healthChecks.update();
  };
  const ask = (): Promise<{ status: number; body: unknown }> =>
    answered(async () => {
      const response = await fetch(`http://127.0.0.1:${PORT}/healthz`, { headers: { connection: 'close' } });
      return { status: response.status, body: await response.json() };
    });
  const body = (localEndpoints: number) => ({
    service: { namespace: 'shop', name: 'web' },
    localEndpoints,
    serviceProxyHealthy: true,
  });

  proxy.onServiceUpdate(balancer);
  proxy.onSliceUpdate(on('node-1'));
  sync();
  t.same(await ask(), { status: 200, body: body(1) }, 'with an endpoint of this node');
  proxy.onSliceUpdate(on('node-2'));
  sync();
  t.same(await ask(), { status: 503, body: body(0) }, 'without one');
  proxy.onServiceDelete(balancer);
  sync();
  await t.rejects(fetch(`http://127.0.0.1:${PORT}/healthz`), 'closed with the Service');
});
