import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { hostRoutes } from '../../support/host-routes.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { EndpointSlice, Service } from '../../../src/machinery/types.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';

const CLIENT = '10.66.1.99';
const web = service('shop/web', { clusterIP: '10.200.4.10', ports: [{ name: 'http', port: 80 }] });
const api = service('shop/api', { clusterIP: '10.200.4.11', ports: [{ name: 'http', port: 80 }] });
const one = slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.1.10', node: 'worker-a' }]);
const labelled = <T extends Service | EndpointSlice>(object: T, labels: Record<string, string>): T => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } },
});

t.test('a slice leaves the Service that had it, whatever its labels say when it goes', async t => {
  const rows = [
    {
      name: 'it names another Service',
      change: labelled(one, { 'kubernetes.io/service-name': 'api' }),
      web: '',
      api: '10.66.1.10',
    },
    { name: 'it names none', change: labelled(one, { 'kubernetes.io/service-name': '' }), web: '', api: '' },
    {
      name: 'another proxy takes it',
      change: labelled(one, { 'service.kubernetes.io/service-proxy-name': 'x' }),
      web: '',
      api: '',
    },
    {
      name: 'it becomes a headless Service’s',
      change: labelled(one, { 'service.kubernetes.io/headless': '' }),
      web: '',
      api: '',
    },
    { name: 'it is as before', change: one, web: '10.66.1.10', api: '' },
  ];
  for (const deleted of [false, true])
    for (const { name, change, ...expect } of rows) {
      const clock = new FakeClock();
      const proxy = createProxier({ ...exampleConfig({ config: {} }), clock });
      const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes('192.168.50.11') });
      const sync = (): void => {
        const { program } = proxy.sync();
        if (program !== undefined) kernel.load(program);
      };
      const reach = (dst: string): string => {
        const { verdict, packet } = kernel.connect({
          proto: 'tcp',
          src: CLIENT,
          srcPort: 4000,
          dst,
          dstPort: 80,
          hook: 'prerouting',
        });
        return verdict === 'accept' ? packet.dst : '';
      };
      proxy.onServiceUpdate(web);
      proxy.onServiceUpdate(api);
      proxy.onSliceUpdate(one);
      sync();
      if (deleted) proxy.onSliceDelete(change);
      else proxy.onSliceUpdate(change);
      sync();
      t.same(
        { web: reach('10.200.4.10'), api: reach('10.200.4.11') },
        deleted ? { web: '', api: '' } : expect,
        deleted ? `${name}, when it is deleted` : name,
      );
    }
});
