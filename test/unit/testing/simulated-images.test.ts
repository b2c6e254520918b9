import t from 'tap';
import { createClient } from '../../../src/client/rest-client.js';
import { EVENTS } from '../../../src/client/resources.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { Cluster, type ApiObject } from '../../../src/testing/index.js';

interface Said {
  readonly reason?: string;
  readonly message?: string;
}

const workload = (kind: 'Deployment' | 'StatefulSet', name: string, container: object): ApiObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 1,
    ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', ...container }] } },
  },
});

const service = (name: string, port: number): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: name }, ports: [{ port }] },
});

const pod = (name: string, container: object): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', ...container }] },
});

const probe = (...command: readonly string[]) => ({ readinessProbe: { exec: { command }, periodSeconds: 1 } });
const succeeded = 'jsonpath={.status.phase}=Succeeded';
const timeout = '120s';

t.setTimeout(240_000);

t.test('what people deploy first', async t => {
  const cluster = await Cluster.create({ seed: 1, nodes: 2 });
  t.teardown(() => cluster.stop());
  const client = createClient({ ...cluster.config, insecureSkipTlsVerify: false, namespace: 'default' }, 'test');

  t.test('a redis behind a Service keeps what a client stores', async () => {
    await cluster.apply([
      workload('Deployment', 'redis', { image: 'redis:7-alpine', ...probe('redis-cli', 'ping') }),
      service('redis', 6379),
    ]);
    await cluster.waitFor('deployment/redis', 'Available', { timeout });
    const script = 'redis-cli -h redis set k v && [ "$(redis-cli -h redis get k)" = v ]';
    await cluster.apply(pod('client', { image: 'redis:7-alpine', command: ['sh', '-c', script] }));
    await cluster.waitFor('pod/client', succeeded, { timeout });
  });

  t.test('a postgres is ready, and lets in who has the password', async () => {
    const env = [{ name: 'POSTGRES_PASSWORD', value: 'x' }];
    await cluster.apply([
      workload('StatefulSet', 'pg', { image: 'postgres:17', env, ...probe('pg_isready', '-U', 'postgres') }),
      service('pg', 5432),
    ]);
    await cluster.waitFor('statefulset/pg', 'jsonpath={.status.readyReplicas}=1', { timeout });
    const command = ['psql', '-h', 'pg', '-U', 'postgres', '-c', 'select 1'];
    await cluster.apply(pod('psql', { image: 'postgres:17', env: [{ name: 'PGPASSWORD', value: 'x' }], command }));
    await cluster.waitFor('pod/psql', succeeded, { timeout });
  });

  t.test('a command that is not there has an Event that says where to look', async t => {
    await cluster.apply(pod('wrong', { image: 'redis', command: ['frobnicate'] }));
    await cluster.waitFor('pod/wrong', 'jsonpath={.status.phase}=Failed', { timeout });
    const hinted = async (): Promise<boolean> => {
      const { items } = await client.resource<KubeObject & Said>(EVENTS).list({ namespace: 'default' });
      return items.some(
        ({ reason, message = '' }) => reason === 'NotSimulated' && message.includes('`kubette images`'),
      );
    };
    await cluster.waitFor('pod/wrong', async () => hinted(), { timeout });
    t.ok(await hinted());
  });

  t.test('a Job of an image that nobody knows completes', async () => {
    const spec = { restartPolicy: 'Never', containers: [{ name: 'c', image: 'example.com/worker:1' }] };
    await cluster.apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'work', namespace: 'default' },
      spec: { template: { spec } },
    });
    await cluster.waitFor('job/work', 'Complete', { timeout });
  });
});
