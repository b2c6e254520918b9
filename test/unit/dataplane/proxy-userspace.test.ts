import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { Program } from '../../../src/dataplane/kernel/program.js';
import { createProxier, type ProxyConfig } from '../../../src/dataplane/proxiers/index.js';
import type { Proxier } from '../../../src/dataplane/proxiers/types.js';
import { createLoadBalancer } from '../../../src/dataplane/proxiers/userspace/load-balancer.js';
import { createProxyPorts } from '../../../src/dataplane/proxiers/userspace/proxy-ports.js';
import { printRestore } from '../../../src/dataplane/tools/iptables/print-restore.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { Service } from '../../../src/machinery/types.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { hostRoutes } from '../../support/host-routes.js';

const backend = (name: string) => ({ ip: `10.66.0.${name}`, port: 80, address: `10.66.0.${name}:80` });
const backends = (names: string) => [...names].map(backend);

/** "+1" is a second, "=12" the endpoints; "a" and "b" are clients, in capitals when the endpoint before did not answer. */
for (const { name, seconds, input, expect } of [
  { name: 'round robin', input: '=123 a a a a', expect: '1 2 3 1' },
  { name: 'whoever asks', input: '=123 a b a', expect: '1 2 3' },
  { name: 'nobody there', input: '= a', expect: '-' },
  { name: 'the same endpoints go on', input: '=123 a =123 a', expect: '1 2' },
  { name: 'others start anew', input: '=123 a a =1234 a', expect: '1 2 1' },
  { name: 'all gone, and back', input: '=12 a = a =12 a', expect: '1 - 1' },
  { name: 'affinity: a client stays', seconds: 10, input: '=123 a b a b', expect: '1 2 1 2' },
  { name: 'affinity: until its time is over', seconds: 2, input: '=123 a +1 a +1 a +2 a', expect: '1 1 1 2' },
  { name: 'affinity: for whole seconds', seconds: 3, input: '=12 a +2 a +3 a', expect: '1 1 2' },
  { name: 'affinity: what does not answer is left', seconds: 10, input: '=123 a A a', expect: '1 2 2' },
  {
    name: 'affinity: an endpoint that goes sets its clients free',
    seconds: 10,
    input: '=12 a b =23 a b',
    expect: '1 2 2 2',
  },
  {
    name: 'affinity: what is remembered is forgotten with the endpoints',
    seconds: 10,
    input: '=12 a a b = =21 b a',
    expect: '1 1 2 2 1',
  },
])
  t.test(`load balancing: ${name}`, async t => {
    const clock = new FakeClock();
    const balancer = createLoadBalancer(clock);
    balancer.setAffinity(seconds);
    const chosen = input.split(' ').flatMap(word => {
      if (word.startsWith('=')) return balancer.setEndpoints(backends(word.slice(1))) ?? [];
      if (word.startsWith('+')) return clock.step(1000 * Number(word.slice(1))) ?? [];
      return balancer.next(word.toLowerCase(), word !== word.toLowerCase())?.ip.slice(-1) ?? '-';
    });
    t.same(chosen.join(' '), expect);
  });

t.test('load balancing: order, reasons, and clients without end', async t => {
  const clock = new FakeClock();
  const shuffled = createLoadBalancer(clock, () => 0);
  shuffled.setEndpoints(backends('123'));
  t.same(
    [1, 2, 3].map(() => shuffled.next('a', false)?.ip.slice(-1)),
    ['2', '3', '1'],
    'chance decides where it starts',
  );
  const sticky = createLoadBalancer(clock);
  sticky.setEndpoints(backends('12'));
  sticky.setAffinity(10);
  t.equal(sticky.next('10.0.0.1', false)?.why, 'round robin: number 1 of 2');
  t.equal(sticky.next('10.0.0.1', false)?.why, 'session affinity: 10.0.0.1 stays with it');
  for (let i = 0; i < 65_536; i++) sticky.next(`client ${i}`, false);
  t.match(sticky.next('client 0', false)?.why, /affinity/, 'so many are known');
  t.equal(sticky.next('10.0.0.1', false)?.why, 'round robin: number 2 of 2', 'the oldest of too many is forgotten');
  t.match(sticky.next('client 65535', false)?.why, /affinity/);
  sticky.forgetStale();
  t.match(sticky.next('client 65535', false)?.why, /affinity/, 'nobody is forgotten before');
  clock.step(10_000);
  sticky.forgetStale();
  t.match(sticky.next('client 65535', false)?.why, /round robin/, 'and all when their time is over');
  sticky.setAffinity(undefined);
  t.match(sticky.next('client 65535', false)?.why, /round robin/, 'without affinity nobody stays');
});

t.test('proxy ports', async t => {
  const ports = createProxyPorts(
    { first: 40_000, last: 40_002 },
    (protocol, port) => protocol === 'tcp' && port === 40_001,
  );
  const given = ['a', 'b', 'c'].map(key => ports.allocate(key, 'tcp'));
  t.same(new Set(given), new Set([40_000, 40_002, undefined]), 'each is given once, what is taken is not');
  t.type(ports.allocate('a', 'udp'), 'number', 'another protocol has its own');
  ports.release(40_002, 'tcp');
  t.equal(ports.allocate('c', 'tcp'), 40_002);
  const own = createProxyPorts({ first: 40_000, last: 40_000 }, () => held);
  let held = false;
  own.allocate('a', 'tcp');
  held = true;
  own.release(40_000, 'tcp');
  t.equal(own.allocate('b', 'tcp'), 40_000, 'what we still listen at ourselves may go to another');
  own.release(40_000, 'tcp');
  own.settle();
  t.equal(own.allocate('a', 'tcp'), undefined, 'but not what somebody has taken since');
  const any = (): number | undefined => createProxyPorts().allocate('ns/s', 'tcp');
  t.equal(any(), any(), 'the name decides');
  t.ok((any() ?? 0) >= 32_768 && (any() ?? 0) <= 60_999, 'among the ephemeral ports');
});

function start(config: Partial<ProxyConfig> = {}) {
  const clock = new FakeClock();
  const full: ProxyConfig = { ...exampleConfig({ config: {} }), clock, mode: 'userspace', ...config };
  const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(...full.nodeAddresses) });
  const proxy = createProxier(full);
  const sync = (): Program | undefined => {
    const { program, udpCleanup } = proxy.sync();
    if (program !== undefined) kernel.load(program);
    kernel.cleanupUdp(udpCleanup);
    return program;
  };
  return { kernel, proxy, sync };
}

const web = (spec: Partial<NonNullable<Service['spec']>> = {}, status?: Service['status']): Service =>
  service(
    'shop/web',
    { clusterIP: '10.200.4.10', ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30_080 }], ...spec },
    status,
  );
const portOf = (proxy: Proxier): number => proxy.relay?.ports()[0]?.port ?? 0;

t.test('the rules of a service port', async t => {
  const { kernel, proxy, sync } = start({ proxyPortRange: { first: 40_000, last: 40_000 } });
  proxy.onServiceUpdate(
    web({ type: 'LoadBalancer', externalIPs: ['192.0.2.50'] }, { loadBalancer: { ingress: [{ ip: '203.0.113.77' }] } }),
  );
  const program = sync();
  t.match(
    program?.kind === 'xtables' ? printRestore(program) : '',
    '-A KUBE-PORTALS-CONTAINER -m comment --comment shop/web:http -p tcp -m tcp --dport 80 -d 10.200.4.10 -j REDIRECT',
  );
  const at = (port: number): string => `-p tcp -m comment --comment "shop/web:http" -m tcp --dport ${port}`;
  const there = '-j DNAT --to-destination 192.168.50.11:40000';
  const local = '-m addrtype --dst-type LOCAL';
  const here = '-j REDIRECT --to-ports 40000';
  const portals = 'handle ClusterIPs; NOTE: this must be before the NodePort rules';
  const nodePorts = 'handle service NodePorts; NOTE: this must be the last rule in the chain';
  t.same(
    printSave(kernel)
      .split('\n')
      .filter(line => line.startsWith('-A')),
    [
      '-A INPUT -m comment --comment "Ensure that non-local NodePort traffic can flow" -j KUBE-NODEPORT-NON-LOCAL',
      `-A KUBE-NODEPORT-NON-LOCAL ${at(40000)} -m state --state NEW -j ACCEPT`,
      `-A PREROUTING -m comment --comment "${portals}" -j KUBE-PORTALS-CONTAINER`,
      `-A PREROUTING ${local} -m comment --comment "${nodePorts}" -j KUBE-NODEPORT-CONTAINER`,
      `-A OUTPUT -m comment --comment "${portals}" -j KUBE-PORTALS-HOST`,
      `-A OUTPUT ${local} -m comment --comment "${nodePorts}" -j KUBE-NODEPORT-HOST`,
      `-A KUBE-NODEPORT-CONTAINER ${at(30080)} ${here}`,
      `-A KUBE-NODEPORT-HOST ${at(30080)} ${there}`,
      `-A KUBE-PORTALS-CONTAINER -d 10.200.4.10/32 ${at(80)} ${here}`,
      `-A KUBE-PORTALS-CONTAINER -d 192.0.2.50/32 ${at(80)} -m physdev ! --physdev-is-in ${here}`,
      `-A KUBE-PORTALS-CONTAINER -d 192.0.2.50/32 ${at(80)} ${local} ${here}`,
      `-A KUBE-PORTALS-CONTAINER -d 203.0.113.77/32 ${at(80)} ${here}`,
      `-A KUBE-PORTALS-HOST -d 10.200.4.10/32 ${at(80)} ${there}`,
      `-A KUBE-PORTALS-HOST -d 192.0.2.50/32 ${at(80)} ${local} ${there}`,
      `-A KUBE-PORTALS-HOST -d 203.0.113.77/32 ${at(80)} ${there}`,
    ],
  );
});

t.test('what changes, and what stays', async t => {
  const { proxy, sync } = start();
  proxy.onServiceUpdate(web());
  t.ok(sync());
  const port = portOf(proxy);
  const endpoints = slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.1.10' }]);
  proxy.onSliceUpdate(endpoints);
  t.notOk(sync(), 'endpoints are no rules');
  t.equal(proxy.relay?.ports()[0]?.next('a')?.ip, '10.66.1.10');
  proxy.setNode({ 'topology.kubernetes.io/zone': 'z2' }, ['10.66.9.0/24']);
  t.notOk(proxy.pending, 'nor is where the node is');
  proxy.onServiceUpdate(web({ externalIPs: ['192.0.2.50', '192.168.50.11'] }));
  t.ok(sync());
  t.equal(portOf(proxy), port, 'a service port keeps its proxy port');
  t.same(
    proxy.relay?.ports()[0]?.held,
    [
      { protocol: 'tcp', port: 80, address: '192.168.50.11' },
      { protocol: 'tcp', port: 30_080 },
    ],
    'and holds what is the node’s own',
  );
  t.same(proxy.healthCheckNodePorts(), []);
  proxy.onServiceDelete(web());
  t.ok(sync());
  t.same(proxy.relay?.ports(), []);
});

t.test('a service port for which there is no proxy port waits for one', async t => {
  const { kernel, proxy, sync } = start({ proxyPortRange: { first: 40_000, last: 40_000 } });
  const other = service('shop/x', { clusterIP: '10.200.4.11', ports: [{ protocol: 'TCP', port: 80 }] });
  proxy.onServiceUpdate(other);
  proxy.onServiceUpdate(web());
  sync();
  t.same(
    proxy.relay?.ports().map(port => port.service),
    ['shop/web:http'],
    'the first by name has it',
  );
  t.same(proxy.relay?.refused(), [{ service: 'shop/x', why: 'no proxy port is free' }]);
  proxy.onServiceDelete(web());
  sync();
  t.same(
    proxy.relay?.ports().map(port => port.service),
    ['shop/x'],
  );
  t.match(printSave(kernel), '-d 10.200.4.11/32');
  const sctp = service('shop/x', { clusterIP: '10.200.4.11', ports: [{ protocol: 'SCTP', port: 80 }] });
  proxy.onServiceUpdate(sctp);
  sync();
  t.same(proxy.relay?.ports(), []);
  t.same(proxy.relay?.refused(), [{ service: 'shop/x', why: 'SCTP is not relayed' }]);
  proxy.onServiceDelete(sctp);
  sync();
  t.same(proxy.relay?.refused(), []);
});

t.test('more service ports than proxy ports cost one search a sync', async t => {
  let searched = 0;
  const { proxy, sync } = start({ isPortTaken: () => ++searched > 0 });
  const ports = Array.from({ length: 5_000 }, (_, i) => ({ name: `p${i}`, protocol: 'TCP', port: i + 1 }));
  proxy.onServiceUpdate(web({ ports }));
  sync();
  t.equal(searched, 60_999 - 32_768 + 1);
  t.same(proxy.relay?.ports(), []);
});

t.test('UDP flows to a Service that is gone are forgotten', async t => {
  const { kernel, proxy, sync } = start();
  const dns = service(
    'kube-system/dns',
    {
      type: 'LoadBalancer',
      clusterIP: '10.200.0.10',
      externalIPs: ['192.0.2.50'],
      ports: [{ protocol: 'UDP', port: 53, nodePort: 30_053 }],
    },
    { loadBalancer: { ingress: [{ ip: '203.0.113.77' }] } },
  );
  proxy.onServiceUpdate(dns);
  sync();
  const ask = (dst: string, dstPort = 53) =>
    kernel.connect({ proto: 'udp', src: '10.66.1.99', srcPort: 4000, dst, dstPort, hook: 'prerouting' });
  const left = () => kernel.conntrack().map(({ original: { dst, dstPort } }) => `${dst}:${dstPort}`);
  for (const address of ['10.200.0.10', '192.0.2.50', '203.0.113.77']) ask(address);
  ask('192.168.50.11', 30_053);
  ask('192.168.50.11', 30_054);
  const all = ['10.200.0.10:53', '192.0.2.50:53', '203.0.113.77:53', '192.168.50.11:30053', '192.168.50.11:30054'];
  t.same(left(), all);
  proxy.onSliceUpdate(slice('kube-system/dns', { protocol: 'UDP', port: 53 }, [{ ip: '10.66.1.10' }]));
  sync();
  t.same(left(), all, 'another endpoint is the proxy’s affair');
  proxy.onServiceDelete(dns);
  sync();
  t.same(left(), ['192.168.50.11:30054'], 'what went elsewhere goes on');
});

t.test('a Service’s affinity is its clients’, until it has none', async t => {
  const { proxy, sync } = start();
  const sticky = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } };
  proxy.onSliceUpdate(slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.1.10' }, { ip: '10.66.1.11' }]));
  const reached = (spec: Partial<NonNullable<Service['spec']>>): number => {
    proxy.onServiceUpdate(web(spec));
    sync();
    return new Set([1, 2, 3, 4].map(() => proxy.relay?.ports()[0]?.next('a')?.ip)).size;
  };
  t.equal(reached(sticky), 1);
  t.equal(reached({}), 2);
});

t.test('the name and the family say where the search for a proxy port begins', async t => {
  const given = (name: string, config: Partial<ProxyConfig> = {}): number => {
    const { proxy, sync } = start(config);
    const clusterIP = config.family === 'IPv6' ? 'fd00:200::1' : '10.200.0.1';
    proxy.onServiceUpdate(service(name, { clusterIP, ports: [{ protocol: 'TCP', port: 80 }] }));
    sync();
    return portOf(proxy);
  };
  t.equal(given('shop/a'), given('shop/a'), 'also after a restart');
  t.not(given('shop/a'), given('shop/b'));
  t.not(given('shop/a'), given('shop/a', { family: 'IPv6', nodeAddresses: ['fd00::11'] }));
});

t.test('when there is something to do', async t => {
  const { proxy, sync } = start();
  t.equal(proxy.pending, true, 'at the beginning');
  sync();
  t.equal(proxy.pending, false);
  proxy.setServiceCidrs(['10.200.0.0/16']);
  t.equal(proxy.pending, false, 'no rule is made of ranges of ClusterIPs');
  proxy.onServiceUpdate(web());
  t.equal(proxy.pending, true, 'a Service');
  sync();
  t.equal(proxy.pending, false);
});
