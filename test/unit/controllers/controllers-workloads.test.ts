import t from 'tap';
import {
  CONTROLLER_REVISIONS,
  CRON_JOBS,
  DAEMON_SETS,
  JOBS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from '../../../src/client/resources.js';
import type { ControllerDefinition } from '../../../src/controllers/controller.js';
import { cronJobController } from '../../../src/controllers/cronjob/controller.js';
import { missedTimes, nextTime } from '../../../src/controllers/cronjob/schedule.js';
import { formatZoned, zoneOffset } from '../../../src/controllers/cronjob/time-zone.js';
import { createFailedPodBackoff } from '../../../src/controllers/daemonset/backoff.js';
import { daemonSetController } from '../../../src/controllers/daemonset/controller.js';
import { judgeNode, targetNode } from '../../../src/controllers/daemonset/nodes.js';
import { planRollingUpdate, viewDaemonSet } from '../../../src/controllers/daemonset/plan.js';
import { hashRevision } from '../../../src/controllers/history.js';
import { backoffLeft, nextRecord, NO_FAILURES } from '../../../src/controllers/job/backoff.js';
import { jobController } from '../../../src/controllers/job/controller.js';
import { judgeFailure } from '../../../src/controllers/job/failure-policy.js';
import {
  countCommon,
  formatIndexes,
  hasIndex,
  parseIndexes,
  withIndexes,
} from '../../../src/controllers/job/indexes.js';
import { replicationControllerController } from '../../../src/controllers/replicationcontroller/controller.js';
import { statefulSetController } from '../../../src/controllers/statefulset/controller.js';
import { ttlAfterFinishedController } from '../../../src/controllers/ttlafterfinished/controller.js';
import { parseCron } from '../../../src/machinery/cron.js';
import type { CronJob, DaemonSet, Job, KubeObject, Node, Pod, StatefulSet } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const NOW = '2026-01-01T00:00:00Z';
const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  creationTimestamp: NOW,
  generation: 1,
  ...more,
});
const template = (labels: Record<string, string>, more: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...more },
});

/** Works the controller's queue until it is empty. */
async function settle(cluster: FakeCluster, definition: ControllerDefinition): Promise<() => Promise<void>> {
  const reconciler = definition.build(cluster.context());
  const run = async (): Promise<void> => {
    for (let rounds = 0; cluster.queued.size > 0; rounds++) {
      if (rounds > 50) throw new Error(`never settles: ${[...cluster.queued].join()}`);
      const keys = [...cluster.queued];
      cluster.queued.clear();
      for (const key of keys) await reconciler.reconcile(key);
    }
  };
  await run();
  return run;
}
const podNames = (cluster: FakeCluster): string[] =>
  cluster
    .list(PODS)
    .map(pod => pod.metadata.name ?? '')
    .sort();
const setPod = (cluster: FakeCluster, name: string, status: object): void => {
  const pod = cluster.get(PODS, `default/${name}`) as KubeObject;
  cluster.load(PODS, { ...pod, status });
};
const RUNNING = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: NOW }] };
const setAllRunning = (cluster: FakeCluster): void => {
  for (const pod of cluster.list(PODS)) setPod(cluster, pod.metadata.name ?? '', RUNNING);
};

t.test('StatefulSet', async t => {
  const set = (spec: object = {}, more: object = {}): StatefulSet => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: meta('web'),
    spec: {
      replicas: 2,
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: template({ app: 'web' }),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
    ...more,
  });
  const status = (cluster: FakeCluster): StatefulSet['status'] =>
    (cluster.get(STATEFUL_SETS, 'default/web') as unknown as StatefulSet).status;

  t.test('one Pod after the other, with identity, claims and revision', async t => {
    const cluster = createFakeCluster();
    const claims = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }];
    cluster.load(STATEFUL_SETS, set({ volumeClaimTemplates: claims }));
    const run = await settle(cluster, statefulSetController);
    t.same(podNames(cluster), ['web-0'], 'waits for the first');
    const revision = cluster.list(CONTROLLER_REVISIONS)[0]?.metadata;
    t.match(revision, { name: /^web-[a-z0-9]+$/, labels: { app: 'web', 'controller.kubernetes.io/hash': /\w+/ } });
    t.match(cluster.get(PODS, 'default/web-0'), {
      metadata: {
        generateName: 'web-',
        labels: {
          app: 'web',
          'statefulset.kubernetes.io/pod-name': 'web-0',
          'apps.kubernetes.io/pod-index': '0',
          'controller-revision-hash': revision?.name,
        },
      },
      spec: {
        hostname: 'web-0',
        subdomain: 'web',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } }],
      },
    });
    t.match(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/data-web-0'), { metadata: { labels: { app: 'web' } } });
    t.same(
      cluster.events.map(event => event.message),
      [
        'Create Claim data-web-0 Pod web-0 in StatefulSet web success',
        'Create Pod web-0 in StatefulSet web successful',
      ],
    );
    setAllRunning(cluster);
    await run();
    t.same(podNames(cluster), ['web-0', 'web-1']);
    setAllRunning(cluster);
    await run();
    t.match(status(cluster), {
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 2,
      currentRevision: revision?.name,
      updateRevision: revision?.name,
      observedGeneration: 1,
    });
  });

  t.test('parallel management does not wait; ordinals start where told', async t => {
    const cluster = createFakeCluster();
    cluster.load(STATEFUL_SETS, set({ podManagementPolicy: 'Parallel', replicas: 3, ordinals: { start: 5 } }));
    await settle(cluster, statefulSetController);
    t.same(podNames(cluster), ['web-5', 'web-6', 'web-7']);
  });

  t.test('an update replaces from the top down to the partition', async t => {
    const cluster = createFakeCluster();
    const running = set({ replicas: 3, podManagementPolicy: 'Parallel' });
    cluster.load(STATEFUL_SETS, running);
    const run = await settle(cluster, statefulSetController);
    setAllRunning(cluster);
    await run();
    const old = status(cluster)?.currentRevision;
    const next = set({
      replicas: 3,
      podManagementPolicy: 'Parallel',
      template: template({ app: 'web' }, { terminationGracePeriodSeconds: 1 }),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    });
    cluster.load(STATEFUL_SETS, { ...next, status: status(cluster) });
    cluster.actions.length = 0;
    await run();
    t.same(
      cluster.actions.filter(a => a.verb === 'delete').map(a => a.key),
      ['default/web-2'],
      'one at a time',
    );
    setAllRunning(cluster);
    await run();
    setAllRunning(cluster);
    await run();
    const deleted = cluster.actions.filter(a => a.verb === 'delete').map(a => a.key);
    t.same(deleted, ['default/web-2', 'default/web-1'], 'the partition keeps web-0');
    t.equal(status(cluster)?.currentRevision, old);
    t.match(status(cluster), { currentReplicas: 1, updatedReplicas: 2 });
    t.equal(cluster.list(CONTROLLER_REVISIONS).length, 2);
  });

  t.test('scales down from the top, and claims follow their Pod when told', async t => {
    const cluster = createFakeCluster();
    const policy = { whenScaled: 'Delete', whenDeleted: 'Retain' };
    const spec = {
      persistentVolumeClaimRetentionPolicy: policy,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      podManagementPolicy: 'Parallel',
    };
    cluster.load(STATEFUL_SETS, set(spec));
    const run = await settle(cluster, statefulSetController);
    setAllRunning(cluster);
    await run();
    const uid = cluster.get(PODS, 'default/web-1')?.metadata.uid;
    cluster.load(STATEFUL_SETS, {
      ...set({ ...spec, replicas: 1 }),
      status: status(cluster),
    });
    await run();
    t.same(podNames(cluster), ['web-0']);
    const owners = cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/data-web-1')?.metadata.ownerReferences;
    t.match(owners, [{ kind: 'Pod', name: 'web-1', uid }]);
    t.equal(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/data-web-0')?.metadata.ownerReferences, undefined);
  });

  t.test('a failed Pod is made again', async t => {
    const cluster = createFakeCluster();
    cluster.load(STATEFUL_SETS, set({ replicas: 1 }));
    const run = await settle(cluster, statefulSetController);
    setPod(cluster, 'web-0', { phase: 'Failed' });
    await run();
    t.same(
      cluster.events.map(event => event.reason),
      ['SuccessfulCreate', 'SuccessfulDelete', 'SuccessfulCreate'],
    );
    t.same(cluster.get(PODS, 'default/web-0')?.['status'], { phase: 'Pending' }, 'a new one');
  });

  t.test('the hash of a revision is upstream’s FNV-1 of the data', async t => {
    // FNV-1 32 of {"a":"\\u003c","b":1}0, computed elsewhere.
    t.equal(hashRevision({ b: 1, a: '<' }, 0), 'b9f8d89b8');
    t.not(hashRevision({ a: 1 }, 0), hashRevision({ a: 1 }, 1));
  });
});

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

t.test('Job', async t => {
  const job = (spec: object = {}, more: object = {}): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: meta('j'),
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { job: 'j' } },
      template: template({ job: 'j' }, { restartPolicy: 'Never' }),
      ...spec,
    },
    ...more,
  });
  const status = (cluster: FakeCluster): NonNullable<Job['status']> =>
    (cluster.get(JOBS, 'default/j') as unknown as Job).status ?? {};
  const types = (cluster: FakeCluster): string[] =>
    (status(cluster).conditions ?? []).filter(c => c.status === 'True').map(c => `${c.type}:${c.reason ?? ''}`);
  const tracked = (cluster: FakeCluster): string[] =>
    cluster
      .list(PODS)
      .filter(pod => (pod.metadata.finalizers ?? []).length > 0)
      .map(pod => pod.metadata.name ?? '');
  const start = async (spec: object = {}): Promise<{ cluster: FakeCluster; run: () => Promise<void> }> => {
    const cluster = createFakeCluster();
    cluster.load(JOBS, job(spec));
    return { cluster, run: await settle(cluster, jobController) };
  };
  const ended = (exitCode: number) => ({
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [{ name: 'c', state: { terminated: { exitCode, finishedAt: NOW } } }],
  });

  t.test('runs to completion, counting every Pod once', async t => {
    const { cluster, run } = await start({ completions: 3, parallelism: 2 });
    t.equal(cluster.list(PODS).length, 2);
    t.match(status(cluster), { active: 2, ready: 0, terminating: 0, uncountedTerminatedPods: {}, startTime: NOW });
    t.same(cluster.list(PODS)[0]?.metadata.finalizers, ['batch.kubernetes.io/job-tracking']);
    for (const name of podNames(cluster)) setPod(cluster, name, ended(0));
    await run();
    t.match(status(cluster), { succeeded: 2, active: 1 });
    t.equal(tracked(cluster).length, 1, 'counted Pods are let go');
    for (const name of tracked(cluster)) setPod(cluster, name, ended(0));
    await run();
    t.match(status(cluster), { succeeded: 3, completionTime: NOW });
    t.same(types(cluster), ['SuccessCriteriaMet:CompletionsReached', 'Complete:CompletionsReached']);
    t.match(cluster.events.at(-1), { reason: 'Completed', message: 'Job completed' });
  });

  t.test('fails beyond the back-off limit; the next Pod waits', async t => {
    const { cluster, run } = await start({ backoffLimit: 1 });
    setPod(cluster, podNames(cluster)[0] ?? '', ended(1));
    await run();
    t.equal(cluster.list(PODS).length, 1, '10 s of back-off');
    t.match(status(cluster), { failed: 1 });
    cluster.clock.step(10_000);
    await run();
    t.equal(cluster.list(PODS).length, 2);
    setPod(cluster, tracked(cluster)[0] ?? '', ended(1));
    await run();
    t.match(status(cluster), { failed: 2 });
    t.same(types(cluster), ['FailureTarget:BackoffLimitExceeded', 'Failed:BackoffLimitExceeded']);
    t.match(cluster.events.at(-1), {
      type: 'Warning',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    });
  });

  t.test('a deadline ends active Pods', async t => {
    const { cluster, run } = await start({ activeDeadlineSeconds: 60 });
    cluster.clock.step(60_000);
    await run();
    t.same(types(cluster), ['FailureTarget:DeadlineExceeded', 'Failed:DeadlineExceeded']);
    t.equal(cluster.list(PODS).length, 0);
  });

  t.test('suspended and resumed', async t => {
    const { cluster, run } = await start({ suspend: true });
    t.equal(cluster.list(PODS).length, 0);
    t.same(types(cluster), ['Suspended:JobSuspended']);
    t.equal(status(cluster).startTime, undefined);
    cluster.clock.step(5000);
    cluster.load(JOBS, { ...job(), status: status(cluster) });
    await run();
    t.equal(cluster.list(PODS).length, 1);
    t.same(types(cluster), []);
    t.equal(status(cluster).startTime, '2026-01-01T00:00:05Z');
    cluster.load(JOBS, { ...job({ suspend: true }), status: status(cluster) });
    await run();
    t.equal(cluster.list(PODS).length, 0);
    t.equal(status(cluster).failed, undefined, 'Pods taken away by suspension did not fail');
  });

  t.test('indexed: indexes once each, limits per index', async t => {
    const { cluster, run } = await start({
      completionMode: 'Indexed',
      completions: 4,
      parallelism: 4,
      backoffLimitPerIndex: 0,
      maxFailedIndexes: 2,
    });
    const byIndex = (index: number): KubeObject | undefined =>
      cluster
        .list(PODS)
        .find(pod => pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === String(index));
    t.match(byIndex(2), {
      metadata: { generateName: 'j-2-', labels: { 'batch.kubernetes.io/job-completion-index': '2' } },
      spec: {
        hostname: 'j-2',
        containers: [
          {
            env: [
              {
                name: 'JOB_COMPLETION_INDEX',
                valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
              },
            ],
          },
        ],
      },
    });
    for (const [index, code] of [0, 0, 1, 0].entries())
      setPod(cluster, byIndex(index)?.metadata.name ?? '', ended(code));
    await run();
    t.match(status(cluster), { completedIndexes: '0,1,3', failedIndexes: '2', succeeded: 3, failed: 1 });
    t.same(types(cluster), ['FailureTarget:FailedIndexes', 'Failed:FailedIndexes']);
  });

  t.test('a success policy ends the Job early', async t => {
    const { cluster, run } = await start({
      completionMode: 'Indexed',
      completions: 3,
      parallelism: 3,
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
    });
    setPod(cluster, podNames(cluster).find(name => name.startsWith('j-0-')) ?? '', ended(0));
    await run();
    t.same(types(cluster), ['SuccessCriteriaMet:SuccessPolicy', 'Complete:SuccessPolicy']);
    t.match(status(cluster), { succeeded: 1, conditions: [{ message: 'Matched rules at index 0' }] });
  });

  t.test('failure policies', async t => {
    const failed = (exitCode: number, conditions: object[] = []): Pod =>
      ({ metadata: meta('p'), status: { ...ended(exitCode), conditions } }) as unknown as Pod;
    const policy = {
      rules: [
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
        { action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [1, 2], containerName: 'c' } },
      ],
    } as never;
    t.same(judgeFailure(policy, failed(42, [{ type: 'DisruptionTarget', status: 'True' }])), {
      action: 'Ignore',
      counts: false,
    });
    t.same(judgeFailure(policy, failed(42)), {
      action: 'FailJob',
      counts: true,
      message: 'Container c for pod default/p failed with exit code 42 matching FailJob rule at index 1',
    });
    t.equal(judgeFailure(policy, failed(3)).action, 'FailIndex');
    t.same(judgeFailure(policy, failed(2)), { counts: true });

    const { cluster, run } = await start({ podFailurePolicy: policy });
    setPod(cluster, podNames(cluster)[0] ?? '', ended(42));
    await run();
    t.same(types(cluster), ['FailureTarget:PodFailurePolicy', 'Failed:PodFailurePolicy']);
  });

  t.test('Pods of a Job that is gone lose their finalizer', async t => {
    const cluster = createFakeCluster();
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'gone', uid: 'uid-gone', controller: true };
    cluster.load(PODS, {
      metadata: meta('orphan', { finalizers: ['batch.kubernetes.io/job-tracking', 'x/y'], ownerReferences: [owner] }),
      spec: { containers: [] },
    });
    await settle(cluster, jobController);
    t.same(cluster.get(PODS, 'default/orphan')?.metadata.finalizers, ['x/y']);
  });

  t.test('indexes', async t => {
    t.same(parseIndexes('1,3-5,7-99', 10), [
      [1, 1],
      [3, 5],
      [7, 9],
    ]);
    t.equal(formatIndexes(withIndexes(parseIndexes('0,2', 10), [1, 4, 5])), '0-2,4,5');
    t.equal(formatIndexes(withIndexes([], [])), '');
    const some = parseIndexes('0-3,8', 10);
    t.same(
      [0, 3, 4, 8, 9].map(index => hasIndex(some, index)),
      [true, true, false, true, false],
    );
    t.equal(countCommon(some, parseIndexes('2-8', 10)), 3);
  });

  t.test('back-off grows with failures since the last success', async t => {
    const at = (seconds: number): Pod =>
      ({
        metadata: meta('p'),
        status: {
          containerStatuses: [{ state: { terminated: { finishedAt: new Date(seconds * 1000).toISOString() } } }],
        },
      }) as unknown as Pod;
    const once = nextRecord(NO_FAILURES, [], [at(100)]);
    t.equal(backoffLeft(once, 100_000), 10_000);
    const twice = nextRecord(once, [], [at(110)]);
    t.equal(backoffLeft(twice, 110_000), 20_000);
    t.equal(backoffLeft(twice, 131_000), 0);
    t.same(nextRecord(twice, [at(120)], []), NO_FAILURES);
    t.match(nextRecord(twice, [at(120)], [at(130)]), { failures: 1 });
  });

  t.test('finished Jobs go after their time', async t => {
    const cluster = createFakeCluster();
    const finished = { type: 'Complete', status: 'True', lastTransitionTime: NOW };
    cluster.load(JOBS, job({ ttlSecondsAfterFinished: 30 }, { status: { conditions: [finished] } }));
    const run = await settle(cluster, ttlAfterFinishedController);
    t.equal(cluster.list(JOBS).length, 1);
    cluster.clock.step(30_000);
    cluster.queued.add('default/j');
    await run();
    t.equal(cluster.list(JOBS).length, 0);
  });
});

t.test('CronJob', async t => {
  t.test('the next time of a schedule', async t => {
    const rows = [
      { spec: '* * * * *', after: '2026-01-01T00:00:00Z', expect: '2026-01-01T00:01:00Z' },
      { spec: '*/15 3-5 * * *', after: '2026-01-01T05:50:00Z', expect: '2026-01-02T03:00:00Z' },
      { spec: '0 0 29 2 *', after: '2026-01-01T00:00:00Z', expect: '2028-02-29T00:00:00Z' },
      { spec: '0 0 13 * 5', after: '2026-01-01T00:00:00Z', expect: '2026-01-02T00:00:00Z', why: 'either day will do' },
      { spec: '0 12 * * mon-fri', after: '2026-01-02T12:00:00Z', expect: '2026-01-05T12:00:00Z' },
      { spec: '@hourly', after: '2026-12-31T23:59:59Z', expect: '2027-01-01T00:00:00Z' },
      { spec: '@every 90s', after: '2026-01-01T00:00:00Z', expect: '2026-01-01T00:01:30Z' },
      { spec: '59 23 31 2 *', after: '2026-01-01T00:00:00Z', expect: undefined, why: 'never' },
      {
        spec: '30 2 * * *',
        zone: 'Europe/Berlin',
        after: '2026-03-28T12:00:00Z',
        expect: '2026-03-30T00:30:00Z',
        why: '2:30 does not exist on the 29th',
      },
      { spec: '0 9 * * *', zone: 'America/New_York', after: '2026-07-01T00:00:00Z', expect: '2026-07-01T13:00:00Z' },
    ];
    for (const row of rows) {
      const next = nextTime(parseCron(row.spec), Date.parse(row.after), zoneOffset(row.zone ?? 'UTC'));
      const text = next === undefined ? undefined : `${new Date(next).toISOString().slice(0, 19)}Z`;
      t.equal(text, row.expect, `${row.spec} ${row.why ?? ''}`);
    }
    t.throws(() => zoneOffset('Not/AZone'), { message: 'unknown time zone Not/AZone' });
    t.equal(
      formatZoned(Date.parse('2026-07-01T13:00:00Z'), zoneOffset('America/New_York')),
      '2026-07-01T09:00:00-04:00',
    );
  });

  t.test('missed times', async t => {
    const every = (minutes: number) => (after: number) =>
      (Math.floor(after / (minutes * 60_000)) + 1) * minutes * 60_000;
    const minute = 60_000;
    t.same(missedTimes(every(1), 0, undefined, 30_000), { earliestMs: 0, many: false });
    t.same(missedTimes(every(1), 0, undefined, 90_000), { earliestMs: 0, latestMs: minute, many: false });
    t.match(missedTimes(every(1), 0, undefined, 1000 * minute + 1), { latestMs: 1000 * minute, many: true });
    t.match(missedTimes(every(1), 0, 120, 1000 * minute + 1), { latestMs: 1000 * minute, many: false });
  });

  const cronJob = (spec: object = {}, more: object = {}): CronJob => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: meta('tick'),
    spec: {
      schedule: '* * * * *',
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Allow',
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { template: template({}) } },
      ...spec,
    },
    ...more,
  });
  const status = (cluster: FakeCluster): NonNullable<CronJob['status']> =>
    (cluster.get(CRON_JOBS, 'default/tick') as unknown as CronJob).status ?? {};
  const finish = (cluster: FakeCluster, name: string, type = 'Complete'): void => {
    const job = cluster.get(JOBS, `default/${name}`) as KubeObject;
    const at = new Date(cluster.clock.now()).toISOString().slice(0, 19) + 'Z';
    const conditions = [{ type, status: 'True', lastTransitionTime: at }];
    cluster.load(JOBS, { ...job, status: { startTime: at, completionTime: at, conditions } });
  };
  const minutes = Math.floor(Date.parse(NOW) / 60_000);
  const tick = async (cluster: FakeCluster, run: () => Promise<void>): Promise<void> => {
    cluster.clock.step(60_100);
    cluster.queued.add('default/tick');
    await run();
  };

  t.test('a Job per time, with its history', async t => {
    const cluster = createFakeCluster();
    cluster.load(CRON_JOBS, cronJob());
    const run = await settle(cluster, cronJobController);
    t.equal(cluster.list(JOBS).length, 0);
    await tick(cluster, run);
    t.match(cluster.list(JOBS), [
      {
        metadata: {
          name: `tick-${minutes + 1}`,
          labels: { a: 'b' },
          annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z' },
          ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
        },
      },
    ]);
    t.match(status(cluster), { lastScheduleTime: '2026-01-01T00:01:00Z', active: [{ name: `tick-${minutes + 1}` }] });
    finish(cluster, `tick-${minutes + 1}`);
    await run();
    t.match(cluster.events.at(-1), {
      reason: 'SawCompletedJob',
      message: `Saw completed job: tick-${minutes + 1}, condition: Complete`,
    });
    t.equal(status(cluster).lastSuccessfulTime, '2026-01-01T00:01:00Z');
    await tick(cluster, run);
    finish(cluster, `tick-${minutes + 2}`);
    await run();
    t.same(
      cluster.list(JOBS).map(job => job.metadata.name),
      [`tick-${minutes + 2}`],
      'one is kept',
    );
  });

  t.test('concurrency policies', async t => {
    for (const [policy, expect] of [
      ['Allow', [1, 2]],
      ['Forbid', [1]],
      ['Replace', [2]],
    ] as const) {
      const cluster = createFakeCluster();
      cluster.load(CRON_JOBS, cronJob({ concurrencyPolicy: policy }));
      const run = await settle(cluster, cronJobController);
      await tick(cluster, run);
      await tick(cluster, run);
      t.same(
        cluster.list(JOBS).map(job => job.metadata.name),
        expect.map(n => `tick-${minutes + n}`),
        policy,
      );
    }
  });

  t.test('too late is too late', async t => {
    const cluster = createFakeCluster();
    cluster.load(CRON_JOBS, cronJob({ schedule: '0 * * * *', startingDeadlineSeconds: 30 }));
    cluster.clock.step(3_600_000 + 31_000);
    await settle(cluster, cronJobController);
    t.equal(cluster.list(JOBS).length, 0);
  });
});

t.test('ReplicationController: a ReplicaSet by another name', async t => {
  const cluster = createFakeCluster();
  cluster.load(REPLICATION_CONTROLLERS, {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: meta('rc'),
    spec: { replicas: 2, selector: { app: 'rc' }, template: template({ app: 'rc' }) },
  });
  await settle(cluster, replicationControllerController);
  t.equal(cluster.list(PODS).length, 2);
  const stored = cluster.get(REPLICATION_CONTROLLERS, 'default/rc');
  t.match(stored, { spec: { selector: { app: 'rc' } }, status: { replicas: 2 } });
  t.notOk('terminatingReplicas' in (stored?.['status'] as object), 'which its status does not have');
});
