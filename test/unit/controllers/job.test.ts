import t from 'tap';
import { JOBS, PODS } from '../../../src/client/resources.js';
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
import { ttlAfterFinishedController } from '../../../src/controllers/ttlafterfinished/controller.js';
import type { Job, KubeObject, Pod } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';
import { NOW, meta, template, settle, podNames, setPod } from '../../support/workloads.js';

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
