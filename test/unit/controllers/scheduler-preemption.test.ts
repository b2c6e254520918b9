import t from 'tap';
import { NODES, POD_DISRUPTION_BUDGETS, PODS } from '../../../src/client/resources.js';
import { buildScheduler } from '../../../src/controllers/scheduler/controller.js';
import { DEFAULT_PROFILES } from '../../../src/controllers/scheduler/profiles.js';
import { leastHarm, splitByBudget } from '../../../src/controllers/scheduler/plugins/preemption-victims.js';
import { createPodInfo } from '../../../src/controllers/scheduler/pod-info.js';
import type { KubeObject, Node, Pod, PodDisruptionBudget } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';
import { aNode, aPod } from '../../support/scheduling.js';

const budget = (name: string, disruptionsAllowed: number): PodDisruptionBudget => ({
  metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'a' } } },
  status: { disruptionsAllowed },
});
const app = { labels: { app: 'a' } };

async function run(cluster: FakeCluster): Promise<void> {
  const scheduler = buildScheduler(cluster.context(), DEFAULT_PROFILES, () => 0);
  await settle(cluster, scheduler.reconcile);
}
async function settle(cluster: FakeCluster, reconcile: (key: string) => Promise<void>): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    for (const key of [...cluster.queued]) {
      cluster.queued.delete(key);
      await reconcile(key);
    }
    await new Promise(resolve => setImmediate(resolve));
  }
}

interface Row {
  name: string;
  nodes: Node[];
  pods: Pod[];
  budgets?: PodDisruptionBudget[];
  pod: Pod;
  victims: string[];
  nominated?: string;
  message: string;
}
const SHORT = (nodes: number): string => `0/${nodes} nodes are available: ${nodes} Insufficient cpu.`;
const rows: Row[] = [
  {
    name: 'the least important one goes, and no more than must',
    nodes: [aNode('a')],
    pods: [aPod('low', { node: 'a', cpu: '2', priority: 1 }), aPod('mid', { node: 'a', cpu: '2', priority: 5 })],
    pod: aPod('p', { cpu: '2', priority: 10 }),
    victims: ['low'],
    nominated: 'a',
    message: SHORT(1),
  },
  {
    name: 'on the node where it hurts least',
    nodes: [aNode('a'), aNode('b')],
    pods: [aPod('mid', { node: 'a', cpu: '4', priority: 5 }), aPod('low', { node: 'b', cpu: '4', priority: 1 })],
    pod: aPod('p', { cpu: '2', priority: 10 }),
    victims: ['low'],
    nominated: 'b',
    message: SHORT(2),
  },
  {
    name: 'not where a budget would break, if there is another one',
    nodes: [aNode('a'), aNode('b')],
    pods: [
      aPod('guarded', { node: 'a', cpu: '4', priority: 1, ...app }),
      aPod('mid', { node: 'b', cpu: '4', priority: 5 }),
    ],
    budgets: [budget('b', 0)],
    pod: aPod('p', { cpu: '2', priority: 10 }),
    victims: ['mid'],
    nominated: 'b',
    message: SHORT(2),
  },
  {
    name: 'nobody goes for one that is no more important',
    nodes: [aNode('a')],
    pods: [aPod('same', { node: 'a', cpu: '4', priority: 10 })],
    pod: aPod('p', { cpu: '2', priority: 10 }),
    victims: [],
    message: `${SHORT(1)} no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.`,
  },
  {
    name: 'nobody goes where it would not help',
    nodes: [aNode('a')],
    pods: [aPod('low', { node: 'a', cpu: '2', priority: 1 })],
    pod: aPod('p', { cpu: '8', priority: 10 }),
    victims: [],
    message: `${SHORT(1)} no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`,
  },
  {
    name: 'preemptionPolicy Never',
    nodes: [aNode('a')],
    pods: [aPod('low', { node: 'a', cpu: '4', priority: 1 })],
    pod: aPod('p', { cpu: '2', priority: 10, spec: { preemptionPolicy: 'Never' } }),
    victims: [],
    message: `${SHORT(1)} no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.`,
  },
];

t.test('who goes for a more important Pod', async t => {
  for (const { name, nodes, pods, budgets = [], pod, victims, nominated, message } of rows)
    await t.test(name, async t => {
      const cluster = createFakeCluster();
      cluster.load(NODES, ...(nodes as KubeObject[]));
      cluster.load(PODS, ...(pods as KubeObject[]), pod);
      cluster.load(POD_DISRUPTION_BUDGETS, ...(budgets as KubeObject[]));
      await run(cluster);
      const deleted = cluster.actions.filter(({ verb }) => verb === 'delete').map(({ key }) => key.split('/')[1]);
      t.same(deleted, victims);
      const failed = cluster.events.filter(({ reason }) => reason === 'FailedScheduling');
      t.equal(failed[0]?.message, message);
      const status = cluster.actions.find(({ verb, key }) => verb === 'patch' && key === 'default/p')?.body;
      t.match(status, {
        status: {
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
          ...(nominated === undefined ? {} : { nominatedNodeName: nominated }),
        },
      });
      for (const victim of victims) {
        const patch = cluster.actions.find(({ verb, key }) => verb === 'patch' && key === `default/${victim}`);
        t.match(patch?.body, {
          status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] },
        });
        t.ok(cluster.events.some(e => e.message === `Preempted by pod uid-p on node ${nominated ?? ''}`));
      }
      const bound = cluster.actions.find(({ verb }) => verb === 'post');
      t.equal(bound?.key, victims.length > 0 ? 'default/p' : undefined, 'bound once there is room');
    });
});

t.test('budgets are used up in the order of Pods', async t => {
  const pods = ['1', '2', '3'].map(n => createPodInfo(aPod(`p${n}`, app)));
  const { violating, others } = splitByBudget(pods, [budget('b', 2)]);
  t.same(
    [violating, others].map(list => list.map(({ key }) => key)),
    [['default/p3'], ['default/p1', 'default/p2']],
  );
});

t.test('of equal harm, where the Pods have started last', async t => {
  const victim = (name: string, startTime: string) => createPodInfo(aPod(name, { status: { startTime } }));
  const best = leastHarm([
    { node: 'a', victims: [victim('x', '2026-01-01T00:00:00Z')], violations: 0 },
    { node: 'b', victims: [victim('y', '2026-01-02T00:00:00Z')], violations: 0 },
  ]);
  t.equal(best?.node, 'b');
});
