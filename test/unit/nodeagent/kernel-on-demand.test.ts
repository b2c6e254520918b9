import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createRouteTable } from '../../../src/dataplane/kernel/routes.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { kernelOnDemand } from '../../../src/nodeagent/network/kernel-on-demand.js';

const NODE = '172.18.0.2';
const POD = '10.244.1.5';

const packet = (kernel: Kernel, src: string, dst: string, hook: 'prerouting' | 'output') =>
  kernel.connect({ proto: 'tcp', src, srcPort: 40_000, dst, dstPort: 80, hook });

t.test('rules are loaded for whoever reads them, and for packets that they may concern', async t => {
  const rows: {
    readonly name: string;
    readonly use: (kernel: Kernel) => unknown;
    readonly made: number;
    readonly loaded: number;
  }[] = [
    { name: 'nobody asks', use: () => undefined, made: 0, loaded: 0 },
    { name: 'how often rules were loaded', use: kernel => kernel.loads, made: 0, loaded: 0 },
    { name: 'connections that there are', use: kernel => kernel.conntrack(), made: 0, loaded: 0 },
    { name: 'a probe', use: kernel => packet(kernel, NODE, POD, 'output'), made: 1, loaded: 0 },
    {
      name: 'the node calls somebody else',
      use: kernel => packet(kernel, NODE, '10.96.0.1', 'output'),
      made: 1,
      loaded: 1,
    },
    { name: 'a Pod calls', use: kernel => packet(kernel, POD, POD, 'prerouting'), made: 1, loaded: 1 },
    { name: 'the rules are read', use: kernel => kernel.xtables, made: 1, loaded: 1 },
    {
      name: 'again and again',
      use: kernel => [kernel.nftables, kernel.ipvs, packet(kernel, POD, '10.96.0.1', 'prerouting')],
      made: 1,
      loaded: 1,
    },
  ];
  for (const { name, use, made, loaded } of rows) {
    const clock = new FakeClock();
    const routes = createRouteTable('IPv4');
    routes.addAddress('eth0', NODE);
    routes.add({ destination: '0.0.0.0/0', link: 'eth0' });
    routes.add({ destination: POD, link: 'cni0' });
    const seen = { made: 0, loaded: 0 };
    const kernel = kernelOnDemand({
      clock,
      routes,
      make() {
        seen.made++;
        return createKernel({ clock, random: () => 0, routes });
      },
      load: () => void seen.loaded++,
    });
    use(kernel);
    t.same(seen, { made, loaded }, name);
  }
});
