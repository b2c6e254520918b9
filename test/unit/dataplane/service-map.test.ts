import t from 'tap';
import { createServiceMap } from '../../../src/dataplane/services/service-map.js';
import type { Service } from '../../../src/machinery/types.js';
import { service, slice } from '../../fixtures/iptables/inputs.js';

const start = () => createServiceMap({ family: 'IPv4', nodeName: 'worker-a' });

const named = (name: string, over: Partial<NonNullable<Service['spec']>> = {}): Service =>
  service(`ns/${name}`, { clusterIP: '10.200.0.1', ports: [{ protocol: 'TCP', port: 80 }], ...over });
const endpoints = (name: string, ip: string, protocol = 'TCP') =>
  slice(`ns/${name}`, { protocol, port: 80 }, [{ ip, node: 'worker-a' }]);

t.test('ports stay in order, however many change at once', async t => {
  const names = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(3, '0')}`);
  for (const count of [1, 8, 15, 16, 17, 32, 33, 34, 60]) {
    const map = start();
    const kept = names('b', 10);
    const first = [...kept, ...names('d', count)];
    for (const name of first) map.onServiceUpdate(named(name));
    map.take();
    const fullNames = () => map.ports.map(({ service }) => service.name);
    t.same(fullNames(), [...first].sort(), `${count}: the first`);
    for (const name of names('d', count)) map.onServiceDelete(named(name));
    const second = [...names('a', count), ...names('b0055', count), ...names('c', count)];
    for (const name of second) map.onServiceUpdate(named(name));
    map.take();
    t.same(fullNames(), [...kept, ...second].sort(), `${count}: some go, others come before, between and behind`);
  }
});

t.test('what changed', async t => {
  const map = start();
  t.equal(map.pending, false, 'nothing was said yet');
  map.onServiceUpdate(named('tcp'));
  map.onServiceUpdate(named('udp', { ports: [{ protocol: 'UDP', port: 80 }] }));
  t.equal(map.pending, true);
  map.take();
  t.equal(map.pending, false);
  const steps: readonly { name: string; change: () => void; expect: object }[] = [
    {
      name: 'an endpoint of TCP',
      change: () => map.onSliceUpdate(endpoints('tcp', '10.66.0.1')),
      expect: { udpChanged: false, topologyChanged: false, services: [{ after: [{ service: { name: 'tcp' } }] }] },
    },
    {
      name: 'one of UDP',
      change: () => map.onSliceUpdate(endpoints('udp', '10.66.0.1', 'UDP')),
      expect: { udpChanged: true, services: [{ after: [{ service: { name: 'udp' } }] }] },
    },
    {
      name: 'nothing about them',
      change: () => map.onSliceUpdate(endpoints('udp', '10.66.0.1', 'UDP')),
      expect: { udpChanged: false, services: [] },
    },
    {
      name: 'a UDP Service, not its endpoints',
      change: () => map.onServiceUpdate(named('udp', { ports: [{ protocol: 'UDP', port: 80, nodePort: 30_000 }] })),
      expect: { udpChanged: false, services: [{}] },
    },
    {
      name: 'the zone',
      change: () => map.setNode({ 'topology.kubernetes.io/zone': 'z1' }),
      expect: { topologyChanged: true, services: [{}, {}] },
    },
    {
      name: 'the same zone',
      change: () => map.setNode({ 'topology.kubernetes.io/zone': 'z1' }),
      expect: { topologyChanged: false, services: [] },
    },
  ];
  for (const { name, change, expect } of steps) {
    change();
    const found = map.take();
    t.match(found, expect, name);
    t.equal(found.services.length, (expect as { services: unknown[] }).services.length, `${name}: no other`);
  }
  t.equal(map.endpointCount, 2);
  map.onSliceDelete(endpoints('tcp', '10.66.0.1'));
  map.take();
  t.equal(map.endpointCount, 1);
  map.onSliceDelete(endpoints('tcp', '10.66.0.1'));
  t.equal(map.pending, false, 'a slice that is gone cannot go once more');
});

t.test('a policy "Local" counts where something outside can reach', async t => {
  const external = { externalTrafficPolicy: 'Local' };
  const rows: readonly { name: string; spec: object; policy: boolean; local: number }[] = [
    { name: 'a ClusterIP', spec: external, policy: false, local: 0 },
    { name: 'external addresses', spec: { ...external, externalIPs: ['192.0.2.50'] }, policy: true, local: 1 },
    {
      name: 'a node port',
      spec: { ...external, type: 'NodePort', ports: [{ protocol: 'TCP', port: 80, nodePort: 30_080 }] },
      policy: true,
      local: 1,
    },
    {
      name: 'a load balancer that has nothing yet',
      spec: { ...external, type: 'LoadBalancer' },
      policy: true,
      local: 0,
    },
    { name: 'policy Cluster', spec: { externalIPs: ['192.0.2.50'] }, policy: false, local: 0 },
    { name: 'the internal policy', spec: { internalTrafficPolicy: 'Local' }, policy: false, local: 1 },
  ];
  for (const { name, spec, policy, local } of rows) {
    const map = start();
    map.onServiceUpdate(named('s', spec));
    map.onSliceUpdate(endpoints('s', '10.66.0.1'));
    map.take();
    const [port] = map.ports;
    t.equal(port?.service.externalPolicyLocal, policy, name);
    t.equal(port?.categories.local.length, local, `${name}: local endpoints`);
  }
});

t.test('what terminates is used when nothing is ready, if it serves and if it terminates', async t => {
  const rows = [
    { name: 'both', conditions: { ready: false, serving: true, terminating: true }, expect: 1 },
    { name: 'it does not serve', conditions: { ready: false, serving: false, terminating: true }, expect: 0 },
    { name: 'it is not ready yet', conditions: { ready: false, serving: true, terminating: false }, expect: 0 },
    { name: 'it is ready', conditions: { ready: true, serving: true, terminating: false }, expect: 1 },
  ];
  for (const { name, conditions, expect } of rows) {
    const map = start();
    map.onServiceUpdate(named('s'));
    map.onSliceUpdate(slice('ns/s', { port: 80 }, [{ ip: '10.66.0.1', conditions }]));
    map.take();
    t.equal(map.ports[0]?.categories.cluster.length, expect, name);
    t.equal(map.ports[0]?.categories.hasEndpoints, expect > 0, name);
  }
});

t.test('which ports of a slice are endpoints’', async t => {
  const rows: readonly { name: string; port: object; expect: number }[] = [
    { name: 'as it should be', port: { name: '', protocol: 'TCP', port: 80 }, expect: 1 },
    { name: 'TCP by default', port: { name: '', port: 80 }, expect: 1 },
    { name: 'another name', port: { name: 'x', protocol: 'TCP', port: 80 }, expect: 0 },
    { name: 'no name', port: { protocol: 'TCP', port: 80 }, expect: 0 },
    { name: 'a name that is null', port: { name: null, protocol: 'TCP', port: 80 }, expect: 0 },
    { name: 'another protocol', port: { name: '', protocol: 'UDP', port: 80 }, expect: 0 },
    { name: 'a protocol of no proxy', port: { name: '', protocol: 'QUIC', port: 80 }, expect: 0 },
    { name: 'no number', port: { name: '', protocol: 'TCP' }, expect: 0 },
    { name: 'a number that is null', port: { name: '', protocol: 'TCP', port: null }, expect: 0 },
    { name: 'port 0', port: { name: '', protocol: 'TCP', port: 0 }, expect: 0 },
  ];
  for (const { name, port, expect } of rows) {
    const map = start();
    map.onServiceUpdate(named('s'));
    map.onSliceUpdate({ ...endpoints('s', '10.66.0.1'), ports: [port] });
    map.take();
    t.equal(map.ports[0]?.endpoints.length, expect, name);
  }
});

t.test('of an endpoint in two slices the live one counts, whichever comes first', async t => {
  const live = { ready: true, serving: true, terminating: false };
  const dying = { ready: false, serving: true, terminating: true };
  const late = { ready: false, serving: true, terminating: false };
  for (const { first, second, expect } of [
    { first: dying, second: live, expect: live },
    { first: live, second: dying, expect: live },
    { first: live, second: late, expect: live },
    { first: late, second: live, expect: late },
    { first: dying, second: { ...dying, serving: false }, expect: dying },
  ]) {
    const map = start();
    map.onServiceUpdate(named('s'));
    for (const [suffix, conditions] of [
      ['b', second],
      ['a', first],
    ] as const)
      map.onSliceUpdate(slice('ns/s', { port: 80 }, [{ ip: '10.66.0.1', conditions }], suffix));
    map.take();
    t.match(map.ports[0]?.endpoints, [expect], JSON.stringify([first, second]));
    t.equal(map.ports[0]?.endpoints.length, 1);
  }
});

t.test('an endpoint that stays as it was is the same object, and so is a list of them', async t => {
  const map = start();
  const part = (suffix: string, ips: readonly string[], conditions = {}) =>
    slice(
      'ns/s',
      { port: 80 },
      ips.map(ip => ({ ip, node: 'worker-a', conditions })),
      suffix,
    );
  const list = () => map.ports[0]?.endpoints ?? [];
  const addresses = () => list().map(({ ip }) => ip);
  map.onServiceUpdate(named('s'));
  map.onSliceUpdate(part('a', ['10.0.0.3', '10.0.0.1']));
  map.onSliceUpdate(part('b', ['10.0.0.2']));
  map.take();
  const before = list();
  t.same(addresses(), ['10.0.0.1', '10.0.0.2', '10.0.0.3'], 'by address, of all slices');

  map.onSliceUpdate(part('a', ['10.0.0.1', '10.0.0.3']));
  t.same(map.take().services, [], 'another order is no change');
  t.equal(list(), before);

  map.onSliceUpdate(part('a', ['10.0.0.1', '10.0.0.4']));
  map.take();
  t.same(addresses(), ['10.0.0.1', '10.0.0.2', '10.0.0.4']);
  t.equal(list()[0], before[0], 'of the slice that changed');
  t.equal(list()[1], before[1], 'of the other one');

  map.onSliceUpdate(part('b', ['10.0.0.1', '10.0.0.2'], { ready: false, terminating: true }));
  map.take();
  t.equal(list()[0], before[0], 'the live one of two');
  t.equal(list()[1]?.terminating, true, 'one that is another now');
  map.onSliceUpdate(part('a', ['10.0.0.4']));
  map.take();
  t.match(list()[0], { ip: '10.0.0.1', terminating: true, slice: 's-b' }, 'what is left of the two');
  map.onSliceDelete(part('b', []));
  map.take();
  t.same(addresses(), ['10.0.0.4']);
});
