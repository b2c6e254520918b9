import t, { type Test } from 'tap';
import { CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, NODES, SERVICES } from '../../../src/client/resources.js';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { startCluster, type RunningCluster } from '../../../src/cluster/start-cluster.js';
import type { ConfigMap, Deployment, KubeObject, Namespace, Node, Service } from '../../../src/machinery/types.js';
import { createClusterTime, type ClusterTime } from '../../../src/testing/cluster-time.js';
import { restoreState } from '../../../src/testing/reset.js';
import { stateOf, type StoreState } from '../../../src/testing/store-state.js';

interface Begun {
  readonly cluster: RunningCluster;
  readonly client: RestClient;
  readonly time: ClusterTime;
}

async function started(t: Test, nodes: number): Promise<Begun> {
  const time = createClusterTime({ clock: 'real' });
  const cluster = await startCluster({ nodes, clock: time.clock });
  const client = createClient(cluster.config, 'test');
  t.teardown(async () => {
    time.release();
    client.close();
    await cluster.close();
  });
  await time.begin(cluster.api);
  return { cluster, client, time };
}

const configMap = (name: string, more = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: {},
});
const kept = { namespace: 'default', name: 'kept' };

const widgets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} as KubeObject;
const DEFINITIONS = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  namespaced: false,
};
const WIDGETS = { group: 'example.com', version: 'v1', resource: 'widgets', namespaced: true };

/** All but Leases, which say who is alive. */
const shown = (state: StoreState): Map<string, string> =>
  new Map(
    [...state].flatMap(([key, { value }]) =>
      key.startsWith('/registry/leases/') ? [] : [[key, Buffer.from(value).toString('utf8')]],
    ),
  );

/** The events of a watch, until it ends. */
async function watched(
  t: Test,
  client: RestClient,
  resourceVersion: string,
): Promise<{ seen: string[]; ended: Promise<void> }> {
  const path = `/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=${resourceVersion}`;
  const answer = await client.transport.open({ method: 'GET', path, idleTimeoutMs: 0 });
  const seen: string[] = [];
  let rest = '';
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as {
        type: string;
        object: { code?: number; metadata: { name?: string } };
      };
      seen.push(`${type} ${object.metadata.name ?? object.code ?? ''}`);
    }
  });
  // It may be cut off with the cluster, when nobody looks at it any more.
  answer.on('error', (error: Error) => t.comment(error.message));
  t.teardown(() => answer.destroy());
  return { seen, ended: new Promise(resolve => answer.once('close', resolve)) };
}

t.test('a cluster is as it was: objects, definitions, Pods', async t => {
  const { cluster, client, time } = await started(t, 2);
  const configMaps = client.resource<ConfigMap>(CONFIG_MAPS);
  const before = await configMaps.create('default', configMap('kept'));
  await time.settled();
  const wanted = await stateOf(cluster.store);

  const { seen } = await watched(t, client, before.metadata.resourceVersion ?? '');
  await client
    .resource<Namespace>(NAMESPACES)
    .create('', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
  await configMaps.delete(kept);
  await configMaps.create('default', configMap('kept'));
  await configMaps.create('default', configMap('held', { finalizers: ['example.com/never'] }));
  await configMaps.delete({ namespace: 'default', name: 'held' });
  await client.resource<Deployment>(DEPLOYMENTS).create('default', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    },
  });
  await client.resource<Service>(SERVICES).create('default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] },
  });
  await client
    .resource<Node>(NODES)
    .patch(
      { namespace: '', name: 'node-1' },
      { metadata: { labels: { mine: 'yes' } }, spec: { unschedulable: true } },
      { type: 'merge' },
    );
  await client.resource(DEFINITIONS).create('', widgets);
  await time.settled();
  await client
    .resource(WIDGETS)
    .create('default', { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', finalizers: ['a/b'] } });
  await time.settled();
  t.ok(cluster.nodes.some(({ agent }) => (agent?.pods.list().length ?? 0) > 0));

  await restoreState(cluster, wanted, { time });
  const [now, then] = [shown(await stateOf(cluster.store)), shown(wanted)];
  t.same([...now.keys()], [...then.keys()]);
  for (const [key, text] of then) if (!key.startsWith('/registry/minions/')) t.equal(now.get(key), text, key);
  const node = await client.resource<Node>(NODES).get({ namespace: '', name: 'node-1' });
  t.same([node.metadata.labels?.['mine'], node.spec?.unschedulable], [undefined, undefined]);
  t.ok(node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'));
  t.same(
    cluster.nodes.flatMap(({ agent }) => agent?.pods.list().map(({ pod }) => pod.metadata.name)),
    [],
    'nothing runs any more',
  );
  t.same(seen.slice(-4), ['MODIFIED held', 'DELETED held', 'DELETED kept', 'ADDED kept'], 'informers are told of each');

  await client.resource(DEFINITIONS).create('', widgets);
  await time.settled();
  t.same((await client.resource(WIDGETS).list()).items, [], 'what is defined again has nothing of before');
  await restoreState(cluster, wanted, { time });
  t.same([...shown(await stateOf(cluster.store)).keys()], [...then.keys()], 'and again');
});

t.test('what is under way at a reset leaves nothing', async t => {
  const { cluster, client, time } = await started(t, 1);
  const wanted = await stateOf(cluster.store);
  for (const replicas of [1, 5]) {
    await client.resource<Deployment>(DEPLOYMENTS).create('default', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      },
    });
    await restoreState(cluster, wanted, { time });
    t.same([...shown(await stateOf(cluster.store)).keys()], [...shown(wanted).keys()]);
    t.same(cluster.nodes[0]?.agent?.pods.list(), []);
  }
});

t.test('where that is asked, informers get a 410', async t => {
  const { cluster, client, time } = await started(t, 0);
  const configMaps = client.resource<ConfigMap>(CONFIG_MAPS);
  const before = (await configMaps.create('default', configMap('kept'))).metadata.resourceVersion ?? '';
  await time.settled();
  const wanted = await stateOf(cluster.store);
  for (const changes of [['one'], []]) {
    for (const name of changes) await configMaps.create('default', configMap(name));
    const { resourceVersion } = await configMaps.list();
    const { seen, ended } = await watched(t, client, resourceVersion);
    await restoreState(cluster, wanted, { time, watches: 'expired' });
    await ended;
    t.same(seen, [], 'they are told of no change');
    const back = await watched(t, client, resourceVersion);
    await back.ended;
    t.same(back.seen, ['ERROR 410'], changes.length > 0 ? 'after changes' : 'though nothing had changed');
    t.same(
      (await configMaps.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name),
      ['kept', 'kube-root-ca.crt'],
    );
  }
  t.ok(Number(before) > 0);
});
