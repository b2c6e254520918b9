import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { ENDPOINT_SLICES, NAMESPACES, NETWORK_POLICIES, PODS, SERVICES } from '../../../src/client/resources.js';
import type { EventHandler, Informer, InformerFactory, ResourceRef } from '../../../src/client/types.js';
import { createStore } from '../../../src/client/indexer.js';
import type { NetworkPolicy } from '../../../src/dataplane/policies/types.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { SILENT } from '../../../src/machinery/logger.js';
import type { EndpointSlice, KubeObject, Service } from '../../../src/machinery/types.js';
import { createNodePolicies } from '../../../src/nodeagent/policies/node-policies.js';
import { namespaceObject, packetOf, podObject, policyObject, verdictOf } from '../../support/policies.js';
import { until } from '../../support/until.js';

/** Informers whose server is the test: nothing is synced until it says so. */
function testInformers() {
  const opened = new Map<string, ReturnType<typeof open>>();
  const open = () => {
    const store = createStore();
    const handlers = new Set<EventHandler>();
    const state = { synced: false };
    const informer: Informer = {
      indexer: store,
      addHandler(handler) {
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
      addIndex: (name, index) => store.addIndex(name, index),
      get synced() {
        return state.synced;
      },
      whenSynced: () => Promise.resolve(),
    };
    const set = (object: KubeObject): void => {
      const old = store.put(object);
      for (const handler of handlers)
        if (old === undefined) handler.add?.(object);
        else handler.update?.(old, object);
    };
    const remove = (object: KubeObject): void => {
      for (const handler of handlers) handler.delete?.(object);
    };
    return { informer, set, remove, sync: () => (state.synced = true) };
  };
  const at = ({ resource }: ResourceRef) => {
    const known = opened.get(resource) ?? open();
    opened.set(resource, known);
    return known;
  };
  const factory: InformerFactory = {
    informer: <T extends KubeObject>(ref: ResourceRef) => at(ref).informer as unknown as Informer<T>,
    start: () => undefined,
    whenSynced: () => Promise.resolve(),
  };
  return { factory, at, opened: () => [...opened.keys()].sort() };
}

const WEB = podObject('shop/web', ['10.244.1.2'], { labels: { app: 'web' } });
const TO_WEB = packetOf('tcp 10.244.2.3 10.244.1.2 80');
const DENY = policyObject('shop/p', { podSelector: {}, policyTypes: ['Ingress'] });
const ALLOW = policyObject('shop/p', { podSelector: {}, ingress: [{}] });
const DENIED = 'ingress denied by shop/p';

function start(clock = new FakeClock()) {
  const informers = testInformers();
  const faults: unknown[] = [];
  const policies = createNodePolicies({
    informers: informers.factory,
    slices: informers.factory.informer<EndpointSlice>(ENDPOINT_SLICES),
    services: informers.factory.informer<Service>(SERVICES),
    clock,
    log: { ...SILENT, error: (fault: unknown) => void faults.push(fault) },
  });
  const verdict = (packet = TO_WEB): string => verdictOf(policies.judge(packet, 'here'));
  return { ...informers, verdict, faults };
}

t.test('a cluster without policies watches nothing else', async t => {
  const { opened, at, verdict } = start();
  const always = ['endpointslices', 'networkpolicies', 'services'];
  t.same(opened(), always);
  at(NETWORK_POLICIES).sync();
  t.equal(verdict(), 'open');
  at(NETWORK_POLICIES).set(DENY);
  t.same(opened(), [...always, 'namespaces', 'pods'].sort(), 'the first policy opens the other watches');
});

t.test('nothing is dropped before all is known', async t => {
  const { at, verdict } = start();
  at(NETWORK_POLICIES).set(DENY);
  at(PODS).set(WEB);
  for (const ref of [NETWORK_POLICIES, PODS]) at(ref).sync();
  t.equal(verdict(), 'open');
  at(NAMESPACES).set(namespaceObject('shop'));
  at(NAMESPACES).sync();
  await turn();
  t.equal(verdict(), DENIED);
});

const synced = (clock?: FakeClock) => {
  const node = start(clock);
  node.at(NETWORK_POLICIES).set(DENY);
  node.at(PODS).set(WEB);
  node.at(NAMESPACES).set(namespaceObject('shop', { team: 'a' }));
  for (const ref of [NETWORK_POLICIES, PODS, NAMESPACES]) node.at(ref).sync();
  return node;
};

t.test('what the API server tells counts', async t => {
  const { at, verdict, faults } = synced();
  const client = podObject('shop/client', ['10.244.2.3'], { node: 'there' });
  const byTeam = policyObject('shop/p', {
    podSelector: {},
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }] }],
  });
  const unreadable = policyObject('shop/p', {
    podSelector: { matchExpressions: [{ key: 'a', operator: 'Resembles', values: ['b'] }] },
  });
  const policies = at(NETWORK_POLICIES);
  const steps: { name: string; change: () => void; expect: string }[] = [
    { name: 'at first', change: () => undefined, expect: DENIED },
    { name: 'a policy changes', change: () => policies.set(ALLOW), expect: 'ingress allowed by shop/p 1' },
    { name: 'and again', change: () => policies.set(byTeam), expect: DENIED },
    { name: 'a Pod comes', change: () => at(PODS).set(client), expect: DENIED },
    {
      name: 'a namespace changes',
      change: () => at(NAMESPACES).set(namespaceObject('shop', { team: 'b' })),
      expect: 'ingress allowed by shop/p 1',
    },
    { name: 'the Pod goes', change: () => at(PODS).remove(client), expect: DENIED },
    { name: 'a policy that cannot be read', change: () => policies.set(unreadable), expect: 'open' },
    { name: 'it is good again', change: () => policies.set(DENY), expect: DENIED },
    { name: 'the policy goes', change: () => policies.remove(DENY), expect: 'open' },
  ];
  for (const { name, change, expect } of steps) {
    change();
    await turn();
    t.equal(verdict(), expect, name);
  }
  t.match(faults, [{ policy: 'shop/p', err: /"Resembles" is no operator/ }], 'the log says which');
});

t.test('names are asked of what stands for CoreDNS', async t => {
  const { at, verdict } = synced();
  const meta = (name: string, labels = {}) => ({ namespace: 'kube-system', name, labels });
  const slice = (labels: object) =>
    ({
      metadata: meta('kube-dns-host', labels),
      addressType: 'IPv4',
      endpoints: [{ addresses: ['172.18.0.1'] }],
      ports: [{ name: 'dns', port: 5300, protocol: 'UDP' }],
    }) as EndpointSlice;
  const own = slice({ 'endpointslice.kubernetes.io/managed-by': 'dns.kubette.dev' });
  at(SERVICES).set({ metadata: meta('kube-dns'), spec: { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] } });
  at(NETWORK_POLICIES).set(
    policyObject('shop/p', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        {
          to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
          ports: [{ protocol: 'UDP', port: 53 }],
        },
      ],
    }),
  );
  await turn();
  const question = packetOf('udp 10.244.1.2 172.18.0.1 5300');
  const denied = 'egress denied by shop/p';
  t.equal(verdict(question), denied, 'nobody has published it');
  at(ENDPOINT_SLICES).set(own);
  t.equal(verdict(question), 'egress allowed by shop/p 1');
  t.equal(verdict(packetOf('udp 10.244.1.2 172.18.0.1 5301')), denied, 'another port of the host');
  at(ENDPOINT_SLICES).set(slice({}));
  t.equal(verdict(question), denied, 'a slice of somebody else');
  at(ENDPOINT_SLICES).set(own);
  at(ENDPOINT_SLICES).remove(own);
  t.equal(verdict(question), denied, 'it is gone');
});

/** Every question takes a millisecond: work of many steps needs many turns of the event loop. */
class SlowClock extends FakeClock {
  #asked = 0;
  override monotonic(): number {
    return ++this.#asked;
  }
}

t.test('long policies are compiled in turns, and the one before counts until then', async t => {
  const long = (rules: NonNullable<NetworkPolicy['spec']>['ingress']): NetworkPolicy =>
    policyObject('shop/p', { podSelector: {}, policyTypes: ['Ingress'], ingress: rules ?? [] });
  const many = <T>(make: (i: number) => T): T[] => Array.from({ length: 20_000 }, (_, i) => make(i));
  const lone = (i: number): string => `10.${(i >> 8) & 255}.${i & 255}.0/32`;
  const rows = [
    { name: 'rules', rules: many(i => ({ ports: [{ port: (i % 70) + 1 }] })) },
    { name: 'peers', rules: [{ from: many(i => ({ podSelector: { matchLabels: { a: String(i) } } })) }] },
    { name: 'blocks', rules: [{ from: many(i => ({ ipBlock: { cidr: lone(i) } })) }] },
    {
      name: 'exceptions',
      rules: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.244.2.0/24', ...many(lone)] } }] }],
    },
    { name: 'ports', rules: [{ ports: many(i => ({ port: 1000 + i, endPort: 30_000 + i })) }] },
    { name: 'names of ports', rules: [{ ports: many(i => ({ port: `p${i}` })) }] },
    {
      name: 'values of a selector',
      rules: [{ from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: many(String) }] } }] }],
    },
  ];
  for (const { name, rules } of rows) {
    const { at, verdict } = synced(new SlowClock());
    await until('the first policy counts', () => verdict() === DENIED);
    at(NETWORK_POLICIES).set(ALLOW);
    await until('the second counts', () => verdict() === 'ingress allowed by shop/p 1');
    at(NETWORK_POLICIES).set(long(rules));
    t.equal(verdict(), 'ingress allowed by shop/p 1', `${name}: not yet`);
    await until('the long one counts', () => verdict() === DENIED);
  }
  const { at, verdict } = synced(new SlowClock());
  await until('the first policy counts', () => verdict() === DENIED);
  at(NETWORK_POLICIES).set(long(rows[0]?.rules));
  at(NETWORK_POLICIES).set(ALLOW);
  await until('the last change wins', () => verdict() === 'ingress allowed by shop/p 1');
  at(NETWORK_POLICIES).set(long(rows[0]?.rules));
  at(NETWORK_POLICIES).remove(DENY);
  await until('also when it is a removal', () => verdict() === 'open');
});
