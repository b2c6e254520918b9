import t from 'tap';
import type { KubeObject, Node, Pod } from '../../../src/machinery/types.js';
import { createPodInfo } from '../../../src/controllers/scheduler/pod-info.js';
import { aNode, aPod, createScheduling, type Others } from '../../support/scheduling.js';

const ZONE = 'topology.kubernetes.io/zone';
const inZone = (zone: string) => ({ labels: { [ZONE]: zone } });
const MB = 1024 * 1024;
const service: KubeObject = { metadata: { name: 's', namespace: 'default' }, spec: { selector: { app: 'a' } } };
const app = { labels: { app: 'a' } };
const preferred = (kind: 'podAffinity' | 'podAntiAffinity', weight: number) => ({
  affinity: {
    [kind]: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight, podAffinityTerm: { topologyKey: ZONE, labelSelector: { matchLabels: { app: 'a' } } } },
      ],
    },
  },
});

interface Row {
  name: string;
  plugin: string;
  nodes: Node[];
  pods?: Pod[];
  others?: Others;
  pod: Pod;
  expect: Record<string, number> | undefined;
}
const rows: Row[] = [
  {
    name: 'the node with more left',
    plugin: 'NodeResourcesFit',
    nodes: [aNode('a'), aNode('b')],
    pods: [aPod('q', { node: 'a', cpu: '2', memory: '4Gi' })],
    pod: aPod('p', { cpu: '1', memory: '2Gi' }),
    expect: { a: 25, b: 75 },
  },
  {
    name: 'a Pod that asks for nothing counts all the same',
    plugin: 'NodeResourcesFit',
    nodes: [aNode('a', { cpu: '1', memory: '1000Mi' })],
    pods: [aPod('q', { node: 'a' })],
    pod: aPod('p'),
    expect: { a: 70 },
  },
  {
    name: 'the node that is used more evenly',
    plugin: 'NodeResourcesBalancedAllocation',
    nodes: [aNode('a'), aNode('b')],
    pods: [aPod('q', { node: 'a', cpu: '2' })],
    pod: aPod('p', { cpu: '2', memory: '4Gi' }),
    expect: { a: 75, b: 100 },
  },
  {
    name: 'evenness says nothing of a Pod without requests',
    plugin: 'NodeResourcesBalancedAllocation',
    nodes: [aNode('a')],
    pod: aPod('p'),
    expect: undefined,
  },
  {
    name: 'the node that has the image',
    plugin: 'ImageLocality',
    nodes: [aNode('a', { images: [{ names: ['i:latest'], sizeBytes: 600 * MB }] }), aNode('b')],
    pod: aPod('p'),
    expect: { a: 28, b: 0 },
  },
  {
    name: 'fewer taints that are only disliked',
    plugin: 'TaintToleration',
    nodes: [aNode('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), aNode('b')],
    pod: aPod('p'),
    expect: { a: 0, b: 100 },
  },
  {
    name: 'preferred node affinity',
    plugin: 'NodeAffinity',
    nodes: [aNode('a'), aNode('b', { labels: { disk: 'ssd' } })],
    pod: aPod('p', {
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 5, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
            ],
          },
        },
      },
    }),
    expect: { a: 0, b: 100 },
  },
  {
    name: 'near those it likes',
    plugin: 'InterPodAffinity',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    pods: [aPod('q', { node: 'a', ...app })],
    pod: aPod('p', { spec: preferred('podAffinity', 10) }),
    expect: { a: 100, b: 0 },
  },
  {
    name: 'away from those that do not like it',
    plugin: 'InterPodAffinity',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    pods: [aPod('q', { node: 'a', spec: preferred('podAntiAffinity', 10) })],
    pod: aPod('p', app),
    expect: { a: 0, b: 100 },
  },
  {
    name: 'Pods of a Service are spread over hosts though nobody asked for it',
    plugin: 'PodTopologySpread',
    nodes: [aNode('a'), aNode('b')],
    pods: [aPod('q', { node: 'a', ...app })],
    others: { services: [service] },
    pod: aPod('p', app),
    expect: { a: 66, b: 100 },
  },
  {
    name: 'nobody spreads Pods that belong to nothing',
    plugin: 'PodTopologySpread',
    nodes: [aNode('a'), aNode('b')],
    pods: [aPod('q', { node: 'a', ...app })],
    pod: aPod('p', app),
    expect: undefined,
  },
];

t.test('how much plugins like nodes', async t => {
  for (const { name, plugin, nodes, pods = [], others, pod, expect } of rows) {
    const { cache, framework } = createScheduling(nodes, pods, others);
    const found = framework.plugins.find(one => one.name === plugin);
    const info = createPodInfo(pod);
    const state = found?.preScore === undefined ? {} : found.preScore(info, cache.nodes(), undefined);
    if (state === undefined) {
      t.equal(expect, undefined, name);
      continue;
    }
    const scores = cache.nodes().map(node => found?.score?.(state, info, node) ?? NaN);
    found?.normalize?.(state, scores, cache.nodes());
    t.same(Object.fromEntries(cache.nodes().map((node, i) => [node.name, scores[i]])), expect, name);
  }
});

t.test('replicas are spread over nodes that are alike', async t => {
  const scheduling = createScheduling([aNode('a'), aNode('b'), aNode('c')], [], { services: [service] });
  const nodes = ['1', '2', '3', '4', '5', '6'].map(n => scheduling.schedule(aPod(`p${n}`, app)));
  t.same([...nodes].sort(), ['a', 'a', 'b', 'b', 'c', 'c']);
});

t.test('counts are remembered per node until the node changes', async t => {
  const { cache } = createScheduling(
    [aNode('a'), aNode('b')],
    [aPod('q', { node: 'a', ...app }), aPod('r', { node: 'b' })],
  );
  let looked = 0;
  const count = (): number[] =>
    cache.nodes().map(node =>
      node.count('app', other => {
        looked++;
        return other.pod.metadata.labels?.['app'] === 'a';
      }),
    );
  t.same(count(), [1, 0]);
  t.same(count(), [1, 0]);
  t.equal(looked, 2, 'once for each Pod');
  cache.setPod(aPod('s', { node: 'b', ...app }));
  t.same(count(), [1, 1]);
  t.equal(looked, 4, 'and again for the Pods of the node that changed');
  cache.setPod(aPod('s', { node: 'b', ...app, status: { phase: 'Running' } }));
  t.same(count(), [1, 1]);
  t.equal(looked, 4, 'an update of status changes nothing');
});

t.test('what Pods of one template say of others is asked once per node, however many they are', async t => {
  const wish = preferred('podAntiAffinity', 10);
  const pods = Array.from({ length: 20 }, (_, i) => aPod(`q${i}`, { node: 'a', spec: wish }));
  const { cache } = createScheduling([aNode('a')], pods);
  const terms = () => [...(cache.node('a')?.terms.values() ?? [])].map(({ kind, count }) => [kind, count]);
  t.same(terms(), [['preferredAnti', 20]]);
  for (const pod of pods.slice(1)) cache.removePod(pod);
  t.same(terms(), [['preferredAnti', 1]]);
  cache.removePod(aPod('q0'));
  t.same(terms(), []);
  t.same([...cache.withAffinity()], []);
});
