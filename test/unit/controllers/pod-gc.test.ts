import t from 'tap';
import { NODES, PODS } from '../../../src/client/resources.js';
import { podGcController } from '../../../src/controllers/podgc/controller.js';
import { planGarbage } from '../../../src/controllers/podgc/plan.js';
import type { Node, Pod } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { aNode, aPod, type PodFacts } from '../../support/scheduling.js';

const DELETED = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
const ended = (name: string, day: number, reason?: string): Pod =>
  aPod(name, {
    node: 'a',
    metadata: { creationTimestamp: `2026-01-0${day}T00:00:00Z` },
    status: { phase: 'Failed', ...(reason === undefined ? {} : { reason }) },
  });
const outOfService = (ready: string): Node => {
  const node = aNode('a', { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] });
  return { ...node, status: { conditions: [{ type: 'Ready', status: ready }] } };
};

interface Row {
  name: string;
  pods: Pod[];
  node?: Node;
  gone?: string;
  expect: [string, boolean][];
}
const one = (facts: PodFacts): Pod[] => [aPod('p', facts)];
const rows: Row[] = [
  { name: 'one whose node is gone was disrupted', pods: one({ node: 'x' }), gone: 'x', expect: [['p', true]] },
  { name: 'not before that is sure', pods: one({ node: 'x' }), expect: [] },
  { name: 'one deleted before it had a node', pods: one(DELETED), expect: [['p', false]] },
  { name: 'not one that waits for a node', pods: one({}), expect: [] },
  {
    name: 'one that ends on a node that is out of service',
    pods: one({ node: 'a', ...DELETED }),
    node: outOfService('Unknown'),
    expect: [['p', false]],
  },
  { name: 'not if the node works', pods: one({ node: 'a', ...DELETED }), node: outOfService('True'), expect: [] },
  { name: 'nor one that does not end', pods: one({ node: 'a' }), node: outOfService('Unknown'), expect: [] },
  {
    name: 'of too many that have ended, the evicted and then the oldest',
    pods: [ended('new', 4), ended('old', 1), ended('evicted', 5, 'Evicted'), ended('mid', 2)],
    expect: [
      ['evicted', false],
      ['old', false],
    ],
  },
];

t.test('which Pods are collected', async t => {
  for (const { name, pods, node = aNode('a'), gone, expect } of rows) {
    const found = planGarbage({
      pods,
      node: n => (n === 'a' ? node : undefined),
      isGone: n => n === gone,
      threshold: 2,
    });
    t.same(
      found.map(({ pod, disrupted }) => [pod.metadata.name, disrupted]),
      expect,
      name,
    );
  }
});

t.test('a Pod is told why it goes, after the node has been missing for a while', async t => {
  const cluster = createFakeCluster();
  cluster.load(NODES, aNode('a'));
  cluster.load(PODS, aPod('p', { node: 'gone' }), aPod('q', { node: 'a' }));
  void podGcController.build(cluster.context()).background?.();
  const wait = async (ms: number): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve));
    cluster.clock.step(ms);
    await new Promise(resolve => setImmediate(resolve));
  };
  await wait(20_000);
  t.same(cluster.actions, []);
  await wait(20_000);
  await wait(0);
  t.match(cluster.actions, [
    {
      verb: 'patch',
      key: 'default/p',
      body: {
        status: {
          phase: 'Failed',
          conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }],
        },
      },
    },
    { verb: 'delete', key: 'default/p' },
  ]);
  t.equal(cluster.actions.length, 2);
});
