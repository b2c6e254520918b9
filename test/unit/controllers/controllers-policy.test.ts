import t from 'tap';
import {
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  RESOURCE_QUOTAS,
} from '../../../src/client/resources.js';
import type { ControllerDefinition } from '../../../src/controllers/controller.js';
import { disruptionController } from '../../../src/controllers/disruption/controller.js';
import { nextBand, nodeTtlController } from '../../../src/controllers/nodettl/controller.js';
import { resourceQuotaController } from '../../../src/controllers/resourcequota/controller.js';
import { claimsOf } from '../../../src/controllers/volumeprotection/claims.js';
import {
  claimProtectionController,
  volumeProtectionController,
} from '../../../src/controllers/volumeprotection/controller.js';
import type { KubeObject, Pod } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const NOW = '2026-01-01T00:00:00Z';
const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', uid: `uid-${name}`, ...more });

function work(cluster: FakeCluster, definition: ControllerDefinition): () => Promise<void> {
  const reconciler = definition.build(cluster.context());
  return async () => {
    for (let rounds = 0; cluster.queued.size > 0; rounds++) {
      if (rounds > 20) throw new Error(`never settles: ${[...cluster.queued].join()}`);
      const keys = [...cluster.queued];
      cluster.queued.clear();
      for (const key of keys) await reconciler.reconcile(key);
    }
  };
}

interface PodFacts {
  ready?: boolean;
  owner?: object;
  metadata?: KubeObject['metadata'];
  spec?: object;
  status?: object;
}
const pod = (name: string, { ready = true, owner, ...more }: PodFacts = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, { labels: { app: 'a' }, ...(owner === undefined ? {} : { ownerReferences: [owner] }) }),
  spec: { containers: [{ name: 'c', image: 'i:1' }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  ...more,
});
const ownedBy = (kind: string, name: string, apiVersion = 'apps/v1'): object => ({
  apiVersion,
  kind,
  name,
  uid: `uid-${name}`,
  controller: true,
});

t.test('PodDisruptionBudget', async t => {
  const budget = (spec: object, more: object = {}): KubeObject => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: meta('keep', { generation: 2 }),
    spec: { selector: { matchLabels: { app: 'a' } }, ...spec },
    ...more,
  });
  const set = ownedBy('ReplicaSet', 'rs');
  const rows = [
    {
      name: 'minAvailable counts Pods',
      spec: { minAvailable: 1 },
      pods: [pod('a'), pod('b'), pod('c', { ready: false })],
      expect: { expectedPods: 3, currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1 },
      condition: { status: 'True', reason: 'SufficientPods' },
    },
    {
      name: 'maxUnavailable is of what the controller wants',
      spec: { maxUnavailable: 1 },
      pods: [pod('a', { owner: set }), pod('b', { owner: set })],
      expect: { expectedPods: 4, currentHealthy: 2, desiredHealthy: 3, disruptionsAllowed: 0 },
      condition: { status: 'False', reason: 'InsufficientPods' },
    },
    {
      name: 'percentages round up',
      spec: { minAvailable: '30%' },
      pods: ['a', 'b', 'c', 'd'].map(name => pod(name, { owner: set })),
      expect: { expectedPods: 4, currentHealthy: 4, desiredHealthy: 2, disruptionsAllowed: 2 },
      condition: { status: 'True', reason: 'SufficientPods' },
    },
    {
      name: 'nothing selected, nothing allowed',
      spec: { minAvailable: 0 },
      pods: [],
      expect: { expectedPods: 0, currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0 },
      condition: { status: 'False', reason: 'InsufficientPods' },
    },
  ];
  for (const row of rows) {
    const cluster = createFakeCluster();
    cluster.load(REPLICA_SETS, { metadata: meta('rs'), spec: { replicas: 4 } });
    cluster.load(PODS, ...row.pods);
    cluster.load(POD_DISRUPTION_BUDGETS, budget(row.spec));
    await work(cluster, disruptionController)();
    const status = cluster.get(POD_DISRUPTION_BUDGETS, 'default/keep')?.['status'];
    t.match(status, { observedGeneration: 2, ...row.expect, conditions: [row.condition] }, row.name);
  }

  t.test('a granted eviction counts until its Pod is gone or two minutes are over', async t => {
    const cluster = createFakeCluster();
    cluster.load(PODS, pod('a'), pod('b'));
    cluster.load(POD_DISRUPTION_BUDGETS, budget({ minAvailable: 1 }, { status: { disruptedPods: { a: NOW } } }));
    const run = work(cluster, disruptionController);
    await run();
    const status = () => cluster.get(POD_DISRUPTION_BUDGETS, 'default/keep')?.['status'];
    t.match(status(), { currentHealthy: 1, disruptionsAllowed: 0, disruptedPods: { a: NOW } });
    cluster.clock.step(121_000);
    await run();
    t.match(status(), { currentHealthy: 2, disruptionsAllowed: 1 });
    t.notOk('disruptedPods' in (status() as object));
    t.match(cluster.events.at(-1), { type: 'Warning', reason: 'NotDeleted' });
  });

  t.test('what cannot be counted may not be disrupted', async t => {
    const cluster = createFakeCluster();
    cluster.load(PODS, pod('a', { owner: ownedBy('Job', 'j', 'batch/v1') }));
    cluster.load(POD_DISRUPTION_BUDGETS, budget({ maxUnavailable: 1 }, { status: { disruptionsAllowed: 1 } }));
    const context = cluster.context();
    const request = async () => ({ resources: [{ name: 'jobs', kind: 'Job' }] });
    const reconciler = disruptionController.build({ ...context, client: { ...context.client, request } });
    await t.rejects(reconciler.reconcile('default/keep'), { message: /scale subresource/ });
    t.match(cluster.get(POD_DISRUPTION_BUDGETS, 'default/keep')?.['status'], {
      disruptionsAllowed: 0,
      conditions: [
        { status: 'False', reason: 'SyncFailed', message: 'jobs.batch does not implement the scale subresource' },
      ],
    });
    t.match(cluster.events.at(-1), { reason: 'CalculateExpectedPodCountFailed' });
  });
});

t.test('ResourceQuota', async t => {
  const cluster = createFakeCluster();
  const cpu = { containers: [{ name: 'c', resources: { requests: { cpu: '250m' } } }] };
  cluster.load(PODS, pod('a', { spec: cpu }), pod('b', { spec: cpu }), pod('done', { status: { phase: 'Succeeded' } }));
  cluster.load(RESOURCE_QUOTAS, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: meta('q'),
    spec: { hard: { pods: '5', 'requests.cpu': '2', 'count/pods': '9', 'services.nodeports': '1' } },
  });
  const run = work(cluster, resourceQuotaController);
  const used = () => (cluster.get(RESOURCE_QUOTAS, 'default/q')?.['status'] as { used: object }).used;
  await run();
  t.same(used(), { pods: '2', 'requests.cpu': '500m', 'count/pods': '3', 'services.nodeports': '0' });
  const before = cluster.actions.length;
  cluster.load(PODS, pod('b', { spec: cpu, metadata: meta('b', { labels: { x: 'y' } }) }));
  t.equal(cluster.queued.size, 0, 'a change that costs nothing is not counted again');
  cluster.load(PODS, pod('b', { spec: cpu, status: { phase: 'Failed' } }));
  await run();
  t.same(used(), { pods: '1', 'requests.cpu': '250m', 'count/pods': '3', 'services.nodeports': '0' });
  t.equal(cluster.actions.length, before + 1);
});

t.test('protection of claims and volumes', async t => {
  const finalizers = ['kubernetes.io/pvc-protection'];
  const claim = (name: string, more: object): KubeObject => ({ metadata: meta(name, more), spec: {} });
  const using = (name: string, nodeName: string | undefined, phase = 'Running'): KubeObject =>
    pod(name, {
      spec: {
        ...(nodeName === undefined ? {} : { nodeName }),
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: `of-${name}` } }],
      },
      status: { phase },
    });
  const cluster = createFakeCluster();
  const names = ['used', 'waiting', 'ended', 'free'];
  cluster.load(PODS, using('used', 'n1'), using('waiting', undefined), using('ended', 'n1', 'Failed'));
  for (const name of names)
    cluster.load(PERSISTENT_VOLUME_CLAIMS, claim(`of-${name}`, { finalizers, deletionTimestamp: NOW }));
  cluster.load(PERSISTENT_VOLUME_CLAIMS, claim('new', {}));
  await work(cluster, claimProtectionController)();
  const held = (name: string): boolean =>
    (cluster.get(PERSISTENT_VOLUME_CLAIMS, `default/${name}`)?.metadata.finalizers ?? []).length > 0;
  t.same(
    names.filter(name => held(`of-${name}`)),
    ['used'],
    'only a Pod on a node uses its claim',
  );
  t.ok(held('new'));
  const ephemeral = { metadata: meta('p'), spec: { volumes: [{ name: 'v', ephemeral: {} }] } } as unknown as Pod;
  t.same(claimsOf(ephemeral), ['default/p-v']);

  const volume = (name: string, phase: string): KubeObject => ({
    metadata: { name, deletionTimestamp: NOW, finalizers: ['kubernetes.io/pv-protection'] },
    status: { phase },
  });
  cluster.load(PERSISTENT_VOLUMES, volume('bound', 'Bound'), volume('released', 'Released'));
  cluster.queued.clear();
  await work(cluster, volumeProtectionController)();
  t.same(cluster.get(PERSISTENT_VOLUMES, 'released')?.metadata.finalizers, []);
  t.equal(cluster.get(PERSISTENT_VOLUMES, 'bound')?.metadata.finalizers?.length, 1);
});

t.test('node ttl grows with the cluster, without flapping', async t => {
  t.equal(nextBand(0, 100), 0);
  t.equal(nextBand(0, 101), 1);
  t.equal(nextBand(1, 95), 1);
  t.equal(nextBand(1, 89), 0);
  t.equal(nextBand(0, 5000), 4);
  const cluster = createFakeCluster();
  cluster.load(NODES, { metadata: { name: 'n1' } });
  await work(cluster, nodeTtlController)();
  t.equal(cluster.get(NODES, 'n1')?.metadata.annotations?.['node.alpha.kubernetes.io/ttl'], '0');
});
