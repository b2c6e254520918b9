import t from 'tap';
import { Cluster, SnapshotError, type ApiObject } from '../../../src/testing/index.js';

t.setTimeout(120_000);

const web: ApiObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'nginx' }] },
    },
  },
};
const config = (name: string): ApiObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const isThere = (cluster: Pick<Cluster, 'waitFor'>, object: string): Promise<boolean> =>
  cluster
    .waitFor(object, found => found !== undefined, { timeout: 1 })
    .then(
      () => true,
      () => false,
    );

t.test('a cluster goes back to what it was, or to what another one was', async t => {
  const cluster = await Cluster.create({ nodes: 1, objects: [config('first')] });
  t.teardown(() => cluster.stop());
  await cluster.apply([web, config('second')]);
  await cluster.settled();
  t.match(await cluster.waitFor('deployment/web', 'Available'), { status: { readyReplicas: 2 } }, 'settled is ready');
  cluster.faults.next({ verb: 'get', resource: 'configmaps', status: 503, times: 100 });
  const snapshot = await cluster.snapshot();

  await cluster.node('node-1').kill();
  await cluster.reset();
  t.ok(await isThere(cluster, 'configmap/first'), 'and no fault is left');
  for (const gone of ['configmap/second', 'deployment/web']) t.notOk(await isThere(cluster, gone), gone);

  await cluster.restore(snapshot);
  t.ok(await isThere(cluster, 'configmap/second'));
  await cluster.waitFor('deployment/web', 'Available');
  await t.rejects(cluster.restore(Buffer.from('nothing')), SnapshotError);
  t.ok(await isThere(cluster, 'configmap/second'), 'a file that is refused changes nothing');
});

t.test('time that is moved by hand', async t => {
  const cluster = await Cluster.create({ nodes: 1, clock: 'virtual', startTime: '2031-05-05T12:00:30Z' });
  t.teardown(() => cluster.stop());
  await cluster.apply({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: {
      schedule: '* * * * *',
      jobTemplate: {
        spec: {
          template: {
            spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox', command: ['true'] }] },
          },
        },
      },
    },
  });
  const last = async (): Promise<unknown> =>
    ((await cluster.waitFor('cronjob/tick', () => true)) as { status?: { lastScheduleTime?: string } }).status
      ?.lastScheduleTime;
  await cluster.settled();
  t.equal(await last(), undefined, 'it stands');
  await cluster.clock.advance('31s');
  t.equal(await last(), '2031-05-05T12:01:00Z');
  await cluster.clock.advance('2m');
  t.equal(await last(), '2031-05-05T12:03:00Z');
  await t.rejects(cluster.clock.advance('soon'), RangeError);
  await t.rejects(Cluster.create({ startTime: 'soon', apiServerOnly: true }), /startTime: "soon" is no time/);
});

t.test('the API server alone', async t => {
  const cluster = await Cluster.create({ apiServerOnly: true });
  t.teardown(() => cluster.stop());
  await cluster.apply(config('second'));
  await cluster.reset({ watches: 'expired' });
  t.notOk(await isThere(cluster, 'configmap/second'));
  await t.rejects(cluster.clock.advance('1s'), /the clock is the real one/);
});

t.test('a cluster in a process of its own does the same', async t => {
  const cluster = await Cluster.create({ apiServerOnly: true, isolate: true, clock: 'virtual' });
  t.teardown(() => cluster.stop());
  await cluster.apply(config('a'));
  const snapshot = await cluster.snapshot();
  await cluster.reset();
  t.notOk(await isThere(cluster, 'configmap/a'));
  await cluster.restore(snapshot);
  t.ok(await isThere(cluster, 'configmap/a'));
  await cluster.settled();
  const before = await cluster.clock.now();
  await cluster.clock.advance('1h');
  t.equal((await cluster.clock.now()) - before, 3_600_000);
  await t.rejects(cluster.restore(Buffer.from('nothing')), /snapshot/);
});
