import t, { type Test } from 'tap';
import type { ClientConfig } from '../../../src/client/kubeconfig.js';
import { CRON_JOBS, DEPLOYMENTS, JOBS, NODES, PODS } from '../../../src/client/resources.js';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { isNodeReady } from '../../../src/machinery/node-ready.js';
import type { CronJob, Deployment, Job, Node, Pod } from '../../../src/machinery/types.js';
import { createClusterTime, type ClusterTime } from '../../../src/testing/cluster-time.js';

/** Far from what the machine's clock says, and from the times of the CronJob below. */
const START = Date.parse('2031-01-01T00:01:00Z');

async function started(t: Test, clock: 'real' | 'virtual'): Promise<{ time: ClusterTime; client: RestClient }> {
  const time = createClusterTime({ clock, ...(clock === 'virtual' ? { startMs: START } : {}) });
  const cluster = await startCluster({ nodes: 2, clock: time.clock });
  t.teardown(async () => {
    time.release();
    client.close();
    await cluster.close();
  });
  const client = clientOf(cluster.config);
  await time.begin(cluster.api);
  return { time, client };
}

const clientOf = (config: ClientConfig): RestClient => createClient(config, 'test');

const template = (command?: readonly string[]) => ({
  metadata: { labels: { app: 'web' } },
  spec: {
    restartPolicy: command === undefined ? 'Always' : 'Never',
    containers: [
      command === undefined
        ? { name: 'c', image: 'nginx', readinessProbe: { httpGet: { port: 80 } } }
        : { name: 'c', image: 'busybox', command: [...command] },
    ],
  },
});
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template() },
} as unknown as Deployment;
const key = { namespace: 'default', name: 'web' };

for (const clock of ['real', 'virtual'] as const)
  t.test(`a Deployment has become what it says when all is settled, with a ${clock} clock`, async t => {
    const { time, client } = await started(t, clock);
    t.same(time.leftToDo(), []);
    const deployments = client.resource<Deployment>(DEPLOYMENTS);
    await deployments.create('default', web);
    await time.settled();
    t.match((await deployments.get(key)).status, { readyReplicas: 2, availableReplicas: 2, observedGeneration: 1 });
    await deployments.patch(key, { spec: { replicas: 1 } }, { type: 'merge' });
    await time.settled();
    t.equal((await deployments.get(key)).status?.replicas, 1);
    if (clock === 'real') await t.rejects(time.control.advance('1s'), /the clock is the real one/);
  });

t.test('on a virtual clock all that waits for time happens when it is moved, and in order', async t => {
  const { time, client } = await started(t, 'virtual');
  const jobs = client.resource<Job>(JOBS);
  const pods = client.resource<Pod>(PODS);
  const nodes = client.resource<Node>(NODES);
  await jobs.create('default', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'short' },
    spec: { ttlSecondsAfterFinished: 100, template: template(['sleep', '60']) },
  });
  await client.resource<CronJob>(CRON_JOBS).create('default', {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'often' },
    spec: { schedule: '7-59/2 * * * *', jobTemplate: { spec: { template: template(['true']) } } },
  });
  await pods.create('default', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'deaf' },
    spec: { containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', "trap '' TERM; sleep 100000"] }] },
  });
  await time.settled();
  const succeeded = async (): Promise<number> =>
    (await jobs.get({ namespace: 'default', name: 'short' })).status?.succeeded ?? 0;
  const names = async (of: { list(): Promise<{ items: { metadata: { name?: string } }[] }> }): Promise<string[]> =>
    (await of.list()).items.map(({ metadata }) => metadata.name ?? '').sort();
  const at = time.control.now();
  await time.settled();
  t.equal(time.control.now(), at, 'it stands');

  await pods.delete({ namespace: 'default', name: 'deaf' });
  await time.control.advance('29s');
  t.match(await names(pods), ['deaf', /^short-/], 'its grace period is not over');
  t.equal(await succeeded(), 0);
  await time.control.advance('2s');
  t.match(await names(pods), [/^short-/]);
  await time.control.advance('30s');
  t.equal(await succeeded(), 1);
  await time.control.advance(98_000);
  t.match(await names(jobs), [/.*/]);
  t.ok((await names(jobs)).includes('short'), 'its time to live is not over');
  await time.control.advance('5s');
  t.notOk((await names(jobs)).includes('short'));

  await time.control.advance('8m');
  const times = (await jobs.list()).items.map(
    job => job.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
  );
  t.equal(times.length >= 2, true, `Jobs of ${times.join()}`);
  const finished = (await jobs.list()).items.map(job => job.status?.succeeded);
  t.same(new Set(finished), new Set([1]));
  t.same((await nodes.list()).items.map(isNodeReady), [true, true], 'their Leases have been renewed in time');
  await t.rejects(time.control.advance('soon'), /is no duration/);
});
