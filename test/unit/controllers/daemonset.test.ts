import t from 'tap';
import { DAEMON_SETS, NODES, PODS } from '../../../src/client/resources.js';
import { createFailedPodBackoff } from '../../../src/controllers/daemonset/backoff.js';
import { daemonSetController } from '../../../src/controllers/daemonset/controller.js';
import { judgeNode, targetNode } from '../../../src/controllers/daemonset/nodes.js';
import { planRollingUpdate, viewDaemonSet } from '../../../src/controllers/daemonset/plan.js';
import type { DaemonSet, Node, Pod } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { NOW, meta, template, settle, setAllRunning } from '../../support/workloads.js';

const node = (name: string, facts: { taints?: object[]; labels?: Record<string, string> } = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: facts.labels ?? {} },
    spec: facts.taints === undefined ? {} : { taints: facts.taints },
  }) as unknown as Node;

t.test('DaemonSet', async t => {
  const set = (spec: object = {}, more: object = {}): DaemonSet => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: meta('agent', { annotations: { 'deprecated.daemonset.template.generation': '1' } }),
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: template({ app: 'agent' }),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
    },
    ...more,
  });

  const verdicts = [
    { name: 'plain', node: node('a'), expect: { run: true, stay: true } },
    {
      name: 'cordoned: daemons tolerate it',
      node: node('a', { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] }),
      expect: { run: true, stay: true },
    },
    {
      name: 'tainted NoSchedule: what is there stays',
      node: node('a', { taints: [{ key: 'x', effect: 'NoSchedule' }] }),
      expect: { run: false, stay: true },
    },
    {
      name: 'tainted NoExecute',
      node: node('a', { taints: [{ key: 'x', effect: 'NoExecute' }] }),
      expect: { run: false, stay: false },
    },
    {
      name: 'not selected',
      set: set({ template: template({ app: 'agent' }, { nodeSelector: { disk: 'ssd' } }) }),
      node: node('a'),
      expect: { run: false, stay: false },
    },
  ];
  for (const row of verdicts) t.same(judgeNode(row.set ?? set(), row.node), row.expect, row.name);

  t.test('a Pod per node, bound by affinity, and away with the node label', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('a'), node('b'), node('c', { taints: [{ key: 'x', effect: 'NoSchedule' }] }));
    cluster.load(DAEMON_SETS, set());
    const run = await settle(cluster, daemonSetController);
    const pods = cluster.list(PODS) as unknown as Pod[];
    t.same(pods.map(pod => targetNode(pod)).sort(), ['a', 'b']);
    t.match(pods[0], {
      metadata: {
        generateName: 'agent-',
        labels: { 'pod-template-generation': '1', 'controller-revision-hash': /\w+/ },
      },
      spec: { tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }] },
    });
    setAllRunning(cluster);
    await run();
    t.match((cluster.get(DAEMON_SETS, 'default/agent') as unknown as DaemonSet).status, {
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      numberReady: 2,
      numberAvailable: 2,
      updatedNumberScheduled: 2,
      numberMisscheduled: 0,
      observedGeneration: 1,
    });
    cluster.load(NODES, node('b', { taints: [{ key: 'x', effect: 'NoExecute' }] }));
    await run();
    t.same(
      (cluster.list(PODS) as unknown as Pod[]).map(pod => targetNode(pod)),
      ['a'],
    );
  });

  t.test('rolling update', async t => {
    const pod = (name: string, nodeName: string, hash: string, ready = true): Pod => ({
      metadata: meta(name, { labels: { 'controller-revision-hash': hash } }),
      spec: { nodeName, containers: [] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
    const nodes = ['a', 'b', 'c', 'd'].map(name => node(name));
    const rows = [
      {
        name: 'one at a time',
        limits: { maxUnavailable: 1, maxSurge: 0 },
        pods: nodes.map(n => pod(`p${n.metadata.name}`, n.metadata.name ?? '', 'old')),
        expect: { create: [], remove: ['pa'] },
      },
      {
        name: 'half of them, rounded up',
        limits: { maxUnavailable: '30%', maxSurge: 0 },
        pods: nodes.map(n => pod(`p${n.metadata.name}`, n.metadata.name ?? '', 'old')),
        expect: { create: [], remove: ['pa', 'pb'] },
      },
      {
        name: 'a broken old one goes first and counts',
        limits: { maxUnavailable: 1, maxSurge: 0 },
        pods: [pod('pa', 'a', 'old'), pod('pb', 'b', 'old', false), pod('pc', 'c', 'new')],
        expect: { create: [], remove: ['pb'] },
      },
      {
        name: 'waits for the new one',
        limits: { maxUnavailable: 1, maxSurge: 0 },
        pods: [pod('pa', 'a', 'new', false), pod('pb', 'b', 'old')],
        expect: { create: [], remove: [] },
      },
      {
        name: 'surge: the new one beside the old',
        limits: { maxUnavailable: 0, maxSurge: 1 },
        pods: [pod('pa', 'a', 'old'), pod('pb', 'b', 'old')],
        expect: { create: ['a'], remove: [] },
      },
      {
        name: 'surge: the old one goes once the new one is available',
        limits: { maxUnavailable: 0, maxSurge: 1 },
        pods: [pod('pa', 'a', 'old'), pod('na', 'a', 'new'), pod('pb', 'b', 'old')],
        expect: { create: ['b'], remove: ['pa'] },
      },
    ];
    for (const row of rows) {
      const wanted = set(
        { updateStrategy: { type: 'RollingUpdate', rollingUpdate: row.limits } },
        { metadata: meta('agent') },
      );
      const plan = planRollingUpdate(viewDaemonSet(wanted, nodes, row.pods, 'new', Date.parse(NOW)));
      t.same({ create: plan.create, remove: plan.remove.map(p => p.metadata.name) }, row.expect, row.name);
    }
  });

  t.test('failed Pods are replaced ever more slowly', async t => {
    const { clock } = createFakeCluster();
    const backoff = createFailedPodBackoff(clock);
    t.equal(backoff.take('a'), 0);
    t.equal(backoff.take('a'), 1000);
    clock.step(1000);
    t.equal(backoff.take('a'), 0);
    clock.step(1000);
    t.equal(backoff.take('a'), 1000, 'two seconds now');
    t.equal(backoff.take('b'), 0);
  });
});
