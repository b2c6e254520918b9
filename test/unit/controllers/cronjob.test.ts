import t from 'tap';
import { CRON_JOBS, JOBS } from '../../../src/client/resources.js';
import { cronJobController } from '../../../src/controllers/cronjob/controller.js';
import { missedTimes, nextTime } from '../../../src/controllers/cronjob/schedule.js';
import { formatZoned, zoneOffset } from '../../../src/controllers/cronjob/time-zone.js';
import { parseCron } from '../../../src/machinery/cron.js';
import type { CronJob, KubeObject } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';
import { NOW, meta, template, settle } from '../../support/workloads.js';

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
