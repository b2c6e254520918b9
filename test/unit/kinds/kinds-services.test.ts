import t from 'tap';
import { AllocationError, createIpAllocator } from '../../../src/kinds/core/ip-allocator.js';
import { createPortAllocator, parsePortRange, startPortOperation } from '../../../src/kinds/core/port-allocator.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { cellsOf, context, createErrors, defaulted, strategyOf } from '../../support/kinds.js';

const service = (spec: object, name = 'a'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { ports: [{ port: 80 }], ...spec },
});

t.test('cluster IPs', async t => {
  const allocator = createIpAllocator('10.0.0.0/24', () => 0);
  t.equal(allocator.first, '10.0.0.1');
  t.equal(allocator.network, '10.0.0.0');
  const taken = new Set(['10.0.0.7']);
  const isTaken = (ip: string): boolean => taken.has(ip);
  t.throws(
    () => allocator.check('10.0.1.1', isTaken),
    new AllocationError('the provided network does not match the current range'),
  );
  allocator.check('10.0.0.8', isTaken);
  t.throws(() => allocator.check('10.0.0.7', isTaken), new AllocationError('provided IP is already allocated'));
  for (let i = 0; i < 253; i++) {
    const ip = allocator.next(isTaken);
    t.notOk(taken.has(ip), `${ip} is new`);
    taken.add(ip);
  }
  t.notOk(taken.has('10.0.0.0') || taken.has('10.0.0.255'), 'neither the network nor the broadcast address');
  t.throws(() => allocator.next(isTaken), new AllocationError('range is full'));
  taken.delete('10.0.0.9');
  t.equal(allocator.next(isTaken), '10.0.0.9');
});

t.test('cluster IPs of a range that no number can count', async t => {
  const allocator = createIpAllocator('fd00::/64', n => n - 1);
  const next = allocator.next(() => false);
  t.ok(allocator.contains(next), next);
  for (const ip of ['fd00::1', 'fd00::ffff:ffff:ffff:ffff', 'FD00:0::7']) t.ok(allocator.contains(ip), ip);
  for (const ip of ['fd00::', 'fd00:0:0:1::', '10.0.0.1', 'nonsense']) t.notOk(allocator.contains(ip), ip);
});

t.test('node ports', async t => {
  t.strictSame(parsePortRange('30000-32767'), { first: 30000, last: 32767 });
  t.strictSame(parsePortRange('30000+10'), { first: 30000, last: 30010 });
  t.equal(parsePortRange('2-1'), undefined);
  const allocator = createPortAllocator({ first: 30000, last: 30127 }, () => 0);
  const held = new Set([30016]);
  const isHeld = (port: number): boolean => held.has(port);
  t.equal(
    allocator.next(() => false),
    30016,
    'random ports stay above the band of those given by number',
  );
  const operation = startPortOperation(allocator, isHeld, false);
  operation.allocate(30001);
  t.throws(() => operation.allocate(30001), new AllocationError('provided port is already allocated'));
  t.throws(() => operation.allocate(30016), new AllocationError('provided port is already allocated'));
  t.throws(() => operation.allocate(1), /provided port is not in the valid range/);
  t.strictSame([operation.allocateNext(), operation.allocateNext()], [30017, 30018], 'one request asks for each once');
  const dry = startPortOperation(allocator, isHeld, true);
  t.strictSame([dry.allocateNext(), dry.allocateNext()], [32769, 32770], 'a dry run makes ports up');
  const named = startPortOperation(allocator, isHeld, true);
  named.allocate(30100);
  t.equal(named.allocateNext(), 30101, 'after the one that is named');
  t.throws(() => named.allocate(30016), new AllocationError('provided port is already allocated'));
});

t.test('reserving', async t => {
  const strategy = strategyOf('services');
  const stored: Record<string, KubeObject> = {};
  const reserve = async (spec: object, name: string): Promise<Record<string, unknown>> => {
    const object = defaulted('services', service(spec, name));
    await strategy.reserve?.(context(stored), object, undefined);
    for (const held of strategy.reservations?.heldBy(object) ?? [])
      stored[`${held.resource}//${held.object.metadata.name ?? ''}`] = held.object;
    return object['spec'] as Record<string, unknown>;
  };
  const first = await reserve({}, 'a');
  t.match(first, { clusterIP: /^10\.96\./, ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  t.strictSame(first['clusterIPs'], [first['clusterIP']]);
  const second = await reserve({ type: 'NodePort' }, 'b');
  t.not(second['clusterIP'], first['clusterIP']);
  const [port] = second['ports'] as { nodePort: number }[];
  t.ok(port !== undefined && port.nodePort >= 30000 && port.nodePort <= 32767);
  t.strictSame(Object.keys(stored), [
    `ipaddresses.networking.k8s.io//${String(first['clusterIP'])}`,
    `ipaddresses.networking.k8s.io//${String(second['clusterIP'])}`,
    `ranges/servicenodeports//${port?.nodePort}`,
  ]);
  await t.rejects(reserve({ clusterIP: first['clusterIP'] }, 'c'), {
    message: `Service "c" is invalid: spec.clusterIPs: Invalid value: ["${String(first['clusterIP'])}"]: failed to allocate IP ${String(first['clusterIP'])}: provided IP is already allocated`,
  });
  const headless = await reserve({ clusterIP: 'None' }, 'd');
  t.strictSame(headless['clusterIPs'], ['None']);
});

t.test('Services that are refused', async t => {
  const cases: { name: string; spec: object; expect: string[] }[] = [
    { name: 'no ports', spec: { ports: [] }, expect: ['spec.ports: Required value'] },
    {
      name: 'two ports without names',
      spec: { ports: [{ port: 1 }, { port: 2 }] },
      expect: ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    },
    {
      name: 'an unknown affinity',
      spec: { sessionAffinity: 'X' },
      expect: ['spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"'],
    },
    {
      name: 'an external name that is none',
      spec: { type: 'ExternalName', ports: [] },
      expect: ['spec.externalName: Required value'],
    },
  ];
  const strategy = strategyOf('services');
  for (const { name, spec, expect } of cases) {
    const family = {
      clusterIP: '10.96.9.9',
      clusterIPs: ['10.96.9.9'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    };
    const external = 'type' in spec;
    t.strictSame(createErrors('services', service({ ...(external ? {} : family), ...spec })), expect, name);
  }
  t.ok(strategy.warnings);
});

t.test('what Services print', async t => {
  const balanced = defaulted(
    'services',
    service({
      type: 'LoadBalancer',
      clusterIP: '10.96.0.9',
      ports: [{ port: 80, nodePort: 30080 }],
      selector: { a: 'b' },
    }),
  );
  t.strictSame(cellsOf('services', balanced), [
    'a',
    'LoadBalancer',
    '10.96.0.9',
    '<pending>',
    '80:30080/TCP',
    '10m',
    'a=b',
  ]);
});
