import t from 'tap';
import {
  distributionHints,
  type PlannedSlices,
  wantsTopologyHints,
} from '../../../src/controllers/endpointslice/hints.js';
import { createTopologyCache } from '../../../src/controllers/endpointslice/topology-cache.js';
import type { DeepReadonly, Endpoint, EndpointSlice, Node, Service } from '../../../src/machinery/types.js';

const service = (spec: Service['spec'] = {}, annotations: Record<string, string> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'web', annotations },
  spec,
});
const node = (name: string, zone: string | undefined, { cpu = '4', ready = 'True', labels = {} } = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { ...labels, ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }) } },
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready }] },
});

/** "a>b,c@d": hinted for zones b and c and for node d. */
function hintsOf(text: string): NonNullable<Endpoint['hints']> {
  const [zones = '', node] = text.split('@');
  const forZones = zones === '' ? {} : { forZones: zones.split(',').map(name => ({ name })) };
  return { ...forZones, ...(node === undefined ? {} : { forNodes: [{ name: node }] }) };
}

/** "a" is ready in zone a, "a!" is not ready, "-" has no zone, "a>b" is in a and hinted for b. */
function endpoint(text: string, index: number): Endpoint {
  const [place = '', hint] = text.split('>');
  const zone = place.replace('!', '');
  return {
    addresses: [`10.244.0.${index + 1}`],
    conditions: { ready: !place.endsWith('!') },
    nodeName: `node-${zone}`,
    ...(zone === '-' ? {} : { zone }),
    ...(hint === undefined ? {} : { hints: hintsOf(hint) }),
  };
}
const endpoints = (text: string): Endpoint[] => text.split(' ').map(endpoint);
const stored = (text: string): DeepReadonly<EndpointSlice> => {
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name: 'web-1' },
    addressType: 'IPv4',
    endpoints: endpoints(text),
  };
  for (const each of slice.endpoints ?? []) Object.freeze(each);
  return Object.freeze(slice);
};
const plan = (slices: { create?: string; unchanged?: string }): PlannedSlices => ({
  create: slices.create === undefined ? [] : [{ addressType: 'IPv4', endpoints: endpoints(slices.create) }],
  update: [],
  unchanged: slices.unchanged === undefined ? [] : [stored(slices.unchanged)],
});
const shown = ({ hints }: DeepReadonly<Endpoint>): string =>
  [...(hints?.forZones ?? []), ...(hints?.forNodes ?? [])].map(({ name }) => name).join('+') || '-';
const written = ({ create, update }: PlannedSlices): string =>
  [...create, ...update]
    .flatMap(slice => slice.endpoints ?? [])
    .map(shown)
    .join(' ');

t.test('what trafficDistribution makes of zones and nodes', async t => {
  const rows = [
    { name: 'PreferSameZone: the own zone', distribution: 'PreferSameZone', create: 'a b', expect: 'a b' },
    { name: 'PreferClose is its older name', distribution: 'PreferClose', create: 'a b', expect: 'a b' },
    {
      name: 'PreferSameNode: the own node, then the own zone',
      distribution: 'PreferSameNode',
      create: 'a',
      expect: 'a+node-a',
    },
    {
      name: 'PreferSameNode on nodes without zones',
      distribution: 'PreferSameNode',
      create: '- -',
      expect: 'node-- node--',
    },
    { name: 'PreferSameZone on nodes without zones', distribution: 'PreferSameZone', create: '- -', expect: '- -' },
    { name: 'what is not ready has none', distribution: 'PreferSameNode', create: 'a! b', expect: '- b+node-b' },
    {
      name: 'a stored slice without hints is written',
      distribution: 'PreferSameZone',
      unchanged: 'a b',
      expect: 'a b',
    },
    { name: 'one with the right hints is not', distribution: 'PreferSameZone', unchanged: 'a>a b>b c!', expect: '' },
    { name: 'one with another zone is', distribution: 'PreferSameZone', unchanged: 'a>a b>a', expect: 'a b' },
    { name: 'without the field hints go', distribution: undefined, unchanged: 'a>a b', expect: '- -' },
    { name: 'without the field nothing is written', distribution: undefined, unchanged: 'a b', expect: '' },
    { name: 'without the field empty hints go too', distribution: undefined, unchanged: 'a>', expect: '-' },
    { name: 'with it they are as good as none', distribution: 'PreferClose', unchanged: '->', expect: '' },
    { name: 'a zone that is gone', distribution: 'PreferClose', unchanged: '->a', expect: '-' },
    { name: 'a node where none is wanted', distribution: 'PreferClose', unchanged: 'a>a@node-a', expect: 'a' },
    { name: 'another node', distribution: 'PreferSameNode', unchanged: 'a>a@node-b', expect: 'a+node-a' },
    { name: 'the right node', distribution: 'PreferSameNode', unchanged: 'a>a@node-a', expect: '' },
    { name: 'a zone too many', distribution: 'PreferClose', unchanged: 'a>a,b', expect: 'a' },
    { name: 'hints of what is not ready are left', distribution: 'PreferClose', unchanged: 'a>a b!>c', expect: '' },
    { name: 'a word that nobody knows is none', distribution: 'PreferFar', unchanged: 'a>a', expect: '-' },
  ];
  for (const { name, distribution, expect, ...slices } of rows) {
    const policy = distributionHints(service(distribution === undefined ? {} : { trafficDistribution: distribution }));
    t.equal(written(policy(plan(slices))), expect, name);
  }
});

t.test('which annotation asks for hints by zone', async t => {
  const MODE = 'service.kubernetes.io/topology-mode';
  const OLD = 'service.kubernetes.io/topology-aware-hints';
  const rows: { annotations: Record<string, string>; expect: boolean }[] = [
    { annotations: { [MODE]: 'Auto' }, expect: true },
    { annotations: { [MODE]: 'auto' }, expect: true },
    { annotations: { [MODE]: 'AUTO' }, expect: false },
    { annotations: { [OLD]: 'auto' }, expect: true },
    { annotations: { [OLD]: 'disabled', [MODE]: 'Auto' }, expect: false },
    { annotations: {}, expect: false },
  ];
  for (const { annotations, expect } of rows)
    t.equal(wantsTopologyHints(service({}, annotations)), expect, JSON.stringify(annotations));
});

t.test('topology-mode Auto', async t => {
  const two = [node('1', 'a'), node('2', 'b')];
  const disabled = (why: string): string[] => [`TopologyAwareHintsDisabled: ${why}, addressType: IPv4`];
  const enabled = ['TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4'];
  const noInfo = disabled('Insufficient Node information: allocatable CPU or zone not specified on one or more nodes');
  const rows: { name: string; nodes: Node[]; create?: string; unchanged?: string; expect: string; events: string[] }[] =
    [
      { name: 'every zone its own', nodes: two, create: 'a b', expect: 'a b', events: enabled },
      {
        name: 'a zone without endpoints is given some',
        nodes: two,
        create: 'a a a a',
        expect: 'b b a a',
        events: enabled,
      },
      {
        name: 'shares follow the CPU of the zones',
        nodes: [node('1', 'a', { cpu: '1' }), node('2', 'b', { cpu: '3' })],
        create: 'a a b b',
        expect: 'b a b b',
        events: enabled,
      },
      { name: 'what is not ready has no hint', nodes: two, create: 'a a! b', expect: 'a - b', events: enabled },
      { name: 'right hints are kept', nodes: two, unchanged: 'a>a b>b', expect: '', events: enabled },
      { name: 'hints that starve a zone are not', nodes: two, unchanged: 'a>a b>a', expect: 'a b', events: enabled },
      {
        name: 'fewer endpoints than zones',
        nodes: two,
        create: 'a',
        expect: '-',
        events: disabled('Insufficient number of endpoints (1 endpoints, 2 zones)'),
      },
      {
        name: 'zones that cannot be given their least',
        nodes: [node('1', 'a', { cpu: '8' }), node('2', 'b', { cpu: '1' }), node('3', 'c', { cpu: '1' })],
        create: 'a a a',
        expect: '- - -',
        events: disabled(
          'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)',
        ),
      },
      {
        name: 'a node without a zone',
        nodes: [...two, node('3', undefined)],
        unchanged: 'a>a b',
        expect: '- -',
        events: noInfo,
      },
      { name: 'one zone only', nodes: [node('1', 'a'), node('2', 'a')], create: 'a a', expect: '- -', events: noInfo },
      {
        name: 'a node without CPU',
        nodes: [...two, node('3', 'a', { cpu: '0' })],
        create: 'a b',
        expect: '- -',
        events: noInfo,
      },
      {
        name: 'nodes that are not ready or run no workloads do not count',
        nodes: [
          ...two,
          node('3', undefined, { ready: 'False' }),
          node('4', undefined, { labels: { 'node-role.kubernetes.io/control-plane': '' } }),
        ],
        create: 'a b',
        expect: 'a b',
        events: enabled,
      },
      {
        name: 'an endpoint without a zone',
        nodes: two,
        create: 'a b - b',
        expect: '- - - -',
        events: disabled('One or more endpoints do not have a zone specified'),
      },
    ];
  for (const { name, nodes, expect, events, ...slices } of rows) {
    const cache = createTopologyCache();
    cache.setNodes(nodes);
    const hinted = cache.addHints('shop/web', 'IPv4', plan(slices));
    t.equal(written(hinted.slices), expect, name);
    t.same(
      hinted.events.map(({ reason, message }) => `${reason}: ${message}`),
      events,
      `${name}: Events`,
    );
  }
});

t.test('a Service is looked at again when its zones have too few endpoints', async t => {
  const cache = createTopologyCache();
  cache.setNodes([node('1', 'a'), node('2', 'b')]);
  cache.addHints('shop/web', 'IPv4', plan({ create: 'a b' }));
  t.same(cache.overloadedServices(), [], 'as it was planned');
  cache.setNodes([node('1', 'a'), node('2', 'c')]);
  t.same(cache.overloadedServices(), ['shop/web'], 'another zone');
  cache.setNodes([node('1', undefined)]);
  t.same(cache.overloadedServices(), ['shop/web'], 'no zones any more');
  t.same(
    cache.forget('shop/web', 'IPv4').map(({ message }) => message),
    ['Topology Aware Hints has been disabled, addressType: IPv4'],
    'the annotation is gone',
  );
  t.same(cache.forget('shop/web', 'IPv4'), [], 'which is said once');
  t.same(cache.overloadedServices(), [], 'and nothing is left');
});
