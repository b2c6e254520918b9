import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { SettingName } from '../../../src/containers/behaviour/settings.js';
import {
  BehaviourFileError,
  Cluster,
  type ApiObject,
  type ClusterOptions,
  type ToldBehaviour,
} from '../../../src/testing/index.js';

// Whole clusters, on a machine that runs others beside them.
t.setTimeout(240_000);

/** The library's types have what there is: neither compiles without the other. */
const SAME: Record<SettingName, true> extends Record<keyof ToldBehaviour, true>
  ? Record<keyof ToldBehaviour, true> extends Record<SettingName, true>
    ? true
    : never
  : never = true;

const create = async (t: Test, options: ClusterOptions): Promise<Cluster> => {
  const cluster = await Cluster.create({ seed: 1, clock: 'virtual', ...options });
  t.teardown(() => cluster.stop());
  return cluster;
};

const deployment = (name: string, annotations: Record<string, string>, container: object = {}): ApiObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name }, annotations },
      spec: { containers: [{ name: 'c', image: 'acme/app:v1', ...container }] },
    },
  },
});

type Status = {
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly running?: object;
  };
  readonly lastState: { readonly terminated?: { readonly exitCode: number; readonly reason: string } };
};

/** The first container of the only Pod of a Deployment. */
async function statusOf(cluster: Cluster, app: string): Promise<Status | undefined> {
  const pods = await list(cluster, `/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`);
  return (pods[0]?.['status'] as { containerStatuses?: Status[] } | undefined)?.containerStatuses?.[0];
}

async function list(cluster: Cluster, path: string): Promise<ApiObject[]> {
  const { createTransport } = await import('../../../src/client/transport.js');
  const { server, ca, cert, key } = cluster.config;
  const transport = createTransport(
    { server, ca, cert, key, insecureSkipTlsVerify: false, namespace: 'default' },
    'test',
  );
  try {
    const answer = await transport.open({ method: 'GET', path, idleTimeoutMs: 0 });
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return (JSON.parse(Buffer.concat(chunks).toString()) as { items: ApiObject[] }).items;
  } finally {
    transport.close();
  }
}

t.test('exits, is killed and cannot be pulled, as annotations of templates say', async t => {
  t.ok(SAME);
  const cluster = await create(t, {});
  await cluster.apply([
    deployment('exits', { 'sim.kubette.io/exit-after': '30s', 'sim.kubette.io/exit-code': '3' }),
    deployment('killed', { 'sim.kubette.io/oom-after': '30s' }),
    deployment('absent', { 'sim.kubette.io/pull-error': 'not-found' }),
    deployment('wrong', { 'sim.kubette.io/exit-code': 'three' }),
  ]);
  await cluster.settled();
  t.match(await statusOf(cluster, 'exits'), { restartCount: 0, state: { running: {} } });
  t.match((await statusOf(cluster, 'absent'))?.state.waiting, {
    reason: 'ErrImagePull',
    message: /docker\.io\/acme\/app:v1: not found$/,
  });
  await cluster.clock.advance('35s');
  t.match(await statusOf(cluster, 'exits'), { restartCount: 1, lastState: { terminated: { exitCode: 3 } } });
  t.match(await statusOf(cluster, 'killed'), {
    restartCount: 1,
    lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
  });
  await cluster.clock.advance('30s');
  t.match(await statusOf(cluster, 'exits'), { restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } });
  t.equal((await statusOf(cluster, 'absent'))?.state.waiting?.reason, 'ImagePullBackOff');
  const events = await list(cluster, '/api/v1/namespaces/default/events');
  t.match(
    events.find(event => event['reason'] === 'InvalidBehaviour'),
    {
      type: 'Warning',
      message: 'sim.kubette.io/exit-code: want a whole number from 0 to 255, not "three"',
      involvedObject: { kind: 'Pod', name: /^wrong-/ },
    },
  );
});

t.test('an autoscaler sees the processor that is told', async t => {
  const cluster = await create(t, {
    behaviour: [{ match: { labels: { app: 'busy' } }, behaviour: { cpu: '160%' } }],
  });
  await cluster.apply([
    deployment('busy', {}, { resources: { requests: { cpu: '100m' } } }),
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'busy', namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'busy' },
        maxReplicas: 10,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    },
  ]);
  const replicas = async (): Promise<number> => {
    const [found] = await list(cluster, '/apis/apps/v1/namespaces/default/deployments');
    return (found?.['spec'] as { replicas: number }).replicas;
  };
  for (let i = 0; i < 20 && (await replicas()) < 2; i++) await cluster.clock.advance('15s');
  t.equal(await replicas(), 2, '160 % of the request is twice the target');
});

t.test('a file, and what is wrong with one', async t => {
  const file = join(t.testdir(), 'behaviour.yaml');
  writeFileSync(file, 'apiVersion: sim.kubette.io/v1alpha1\nkind: Behaviour\nrules:\n- behaviour: { exitCode: 3 }\n');
  const cluster = await create(t, { behaviour: file });
  await cluster.apply(deployment('exits', {}));
  await cluster.clock.advance('1s');
  t.equal((await statusOf(cluster, 'exits'))?.lastState.terminated?.exitCode, 3);
  await t.rejects(create(t, { behaviour: [{ behaviour: { exitCode: 300 } }] }), BehaviourFileError);
  await t.rejects(create(t, { behaviour: [{ behaviour: { exitCode: 300 } }] }), {
    message: 'behaviour:1: rules[0].behaviour.exitCode: want a whole number from 0 to 255, not 300',
  });
  await t.rejects(create(t, { behaviour: '/nowhere.yaml' }), { code: 'ENOENT' });
});
