import t from 'tap';
import { createRouteEntries } from '../../../src/dataplane/kernel/route-entries.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createRouteTable, defaultRoute } from '../../../src/dataplane/kernel/routes.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { Node } from '../../../src/machinery/types.js';
import { createNodeDirectory } from '../../../src/nodeagent/network/node-directory.js';

t.test('the longest prefix wins, of equal ones the lower metric, and what is taken away is gone', async t => {
  for (const [family, node, pod, range, other, peer] of [
    ['IPv4', '172.18.0.2', '10.244.1.5', '10.244.1.0/24', '10.244.2.9', '10.244.2.0/24'],
    ['IPv6', 'fd00:18::2', 'fd00:244:1::5', 'fd00:244:1::/64', 'fd00:244:2::9', 'fd00:244:2::/64'],
  ] as const) {
    const routes = createRouteTable(family);
    t.equal(routes.lookup(node), undefined, `${family}: no route`);
    const forget = routes.addAddress('eth0', node);
    routes.add({ destination: defaultRoute(family), link: 'eth0' });
    routes.add({ destination: range, link: 'cni0' });
    routes.add({ destination: peer, link: 'eth0', nextHop: 'node-2' });
    const undo = routes.add({ destination: pod, link: 'eth0', nextHop: 'liar', metric: 100 });
    t.same(routes.lookup(node), { local: true, link: 'lo', source: node });
    t.same(routes.lookup(other), { local: false, link: 'eth0', nextHop: 'node-2', source: node });
    t.equal(routes.lookup(pod)?.nextHop, 'liar');
    const detach = routes.add({ destination: pod, link: 'cni0' });
    t.same(routes.lookup(pod), { local: false, link: 'cni0', source: node }, 'the lower metric');
    detach();
    t.equal(routes.lookup(pod)?.nextHop, 'liar', 'without it, the other is left');
    undo();
    t.same(routes.lookup(pod), { local: false, link: 'cni0', source: node }, 'then the range');
    t.equal(routes.lookup(family === 'IPv4' ? '8.8.8.8' : '2001:db8::1')?.link, 'eth0', 'all else');
    t.equal(routes.lookup(family === 'IPv4' ? '::1' : '127.0.0.1'), undefined, 'not of this family');
    t.equal(routes.isLocal(family === 'IPv4' ? '127.8.9.1' : '::1'), true, 'loopback');
    t.throws(() => routes.add({ destination: family === 'IPv4' ? '::/0' : '0.0.0.0/0', link: 'eth0' }), RangeError);
    forget();
    t.equal(routes.isLocal(node), false);
  }
});

t.test(
  'what a node masquerades on its way to itself comes from its primary address, in IPv6 from the destination',
  async t => {
    for (const [family, node, second, vip, source] of [
      ['IPv4', '192.168.50.11', '192.168.60.11', '203.0.113.70', '203.0.113.70'],
      ['IPv6', 'fd00:50::11', 'fd00:60::11', 'fd00:113::70', 'fd00:60::11'],
    ] as const) {
      const routes = createRouteTable(family);
      routes.addAddress('eth0', node);
      routes.addAddress('eth1', second);
      t.equal(routes.lookup(second)?.source, family === 'IPv4' ? node : second, `${family}: loopback has no address`);
      routes.addAddress('lo', vip);
      t.equal(routes.lookup(second)?.source, source, `${family}: it has one`);
    }
  },
);

t.test('a packet that has no route is answered so, before it leaves', async t => {
  for (const [family, dst, answer] of [
    ['IPv4', '10.0.0.1', 'icmp-net-unreachable'],
    ['IPv6', 'fd00::1', 'icmp6-no-route'],
  ] as const) {
    const routes = createRouteTable(family);
    const [src = ''] = family === 'IPv4' ? ['172.18.0.2'] : ['fd00:18::2'];
    routes.addAddress('eth0', src);
    const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes });
    for (const hook of ['output', 'prerouting'] as const) {
      const sent = kernel.connect({ proto: 'tcp', src, srcPort: 4000, dst, dstPort: 80, hook });
      t.match(sent, { verdict: 'reject', rejectWith: answer }, `${family} ${hook}`);
    }
    t.same(kernel.conntrack(), [], 'no flow is kept');
  }
});

t.test('what a Node says of itself takes no address that this node knows better', async t => {
  const routes = createRouteTable('IPv4');
  routes.addAddress('eth0', '172.18.0.2');
  routes.add({ destination: '10.244.1.5', link: 'cni0' });
  const directory = createNodeDirectory({
    nodeName: 'node-1',
    kernels: { IPv4: { routes }, IPv6: { routes: createRouteTable('IPv6') } },
  });
  const node = (name: string, podCIDRs: string[], ...addresses: string[]): Node => ({
    metadata: { name },
    spec: { podCIDRs },
    status: { addresses: addresses.map(address => ({ type: 'InternalIP', address })) },
  });
  directory.update(node('node-1', ['10.244.1.0/24'], '172.18.0.2'));
  directory.update(node('liar', ['10.244.1.0/24', 'nonsense', 'fd00::/64'], '172.18.0.2', '10.244.1.5', 'web', '::1'));
  t.equal(routes.lookup('172.18.0.2')?.local, true);
  t.equal(routes.lookup('10.244.1.5')?.link, 'cni0');
  t.equal(routes.lookup('10.244.1.6')?.link, 'cni0');
  directory.update(node('node-2', ['10.244.2.0/24'], '172.18.0.3'));
  t.equal(routes.lookup('10.244.2.7')?.nextHop, 'node-2');
  directory.update(node('node-2', ['10.244.3.0/24'], '172.18.0.3'));
  t.equal(routes.lookup('10.244.2.7'), undefined, 'its range is another one now');
  directory.remove('node-2');
  t.equal(routes.lookup('172.18.0.3'), undefined);
});

t.test('nodes have routes in common, but for those to themselves', async t => {
  const entries = createRouteEntries('IPv4');
  const tables = ['a', 'b'].map(self => createRouteTable('IPv4', { entries, self }));
  const [a, b] = tables;
  const hop = (table = a, to = '10.244.1.5'): string | undefined => {
    const route = table?.lookup(to);
    return route && `${route.link} ${route.nextHop ?? ''}`;
  };
  t.equal(hop(), undefined, 'nothing yet');
  const gone = entries.add({ destination: '10.244.1.0/24', link: 'eth0', nextHop: 'a', metric: 100 });
  entries.add({ destination: '10.244.2.0/24', link: 'eth0', nextHop: 'b', metric: 100 });
  a?.add({ destination: '10.244.1.0/24', link: 'cni0', metric: 10 });
  a?.add({ destination: '0.0.0.0/0', link: 'eth0' });
  t.equal(hop(a), 'cni0 ', 'its own Pods');
  t.equal(hop(b), 'eth0 a', 'those of the other');
  t.equal(hop(a, '10.244.2.5'), 'eth0 b', 'a longer prefix of the common ones');
  a?.add({ destination: '10.244.2.0/24', link: 'eth0', nextHop: 'nearer', metric: 5 });
  t.equal(hop(a, '10.244.2.5'), 'eth0 nearer', 'of equal ones the lower metric');
  t.same(
    a?.entries().map(entry => `${entry.destination} ${entry.nextHop ?? entry.link}`),
    ['10.244.1.0/24 cni0', '10.244.2.0/24 nearer', '10.244.2.0/24 b', '0.0.0.0/0 eth0'],
    'all of them, the longest prefix first',
  );
  gone();
  t.equal(hop(b), undefined, 'what is taken away is gone for all');
});
