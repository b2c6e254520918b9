import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { CLUSTER_ROLES, PODS, SECRETS, SERVICE_ACCOUNTS } from '../../../src/client/resources.js';
import type { Client } from '../../../src/client/types.js';
import { ALL_CONTROLLERS } from '../../../src/controllers/all.js';
import { clusterRoleAggregationController } from '../../../src/controllers/clusterroleaggregation/controller.js';
import type { Problems } from '../../../src/controllers/namespace/conditions.js';
import { deleteContent } from '../../../src/controllers/namespace/content.js';
import { serviceAccountTokenController } from '../../../src/controllers/serviceaccount/tokens-controller.js';
import { selectControllers, UnknownControllerError } from '../../../src/controllers/select.js';
import type { KubeObject, Pod, Secret } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { pod } from '../../support/controlled-objects.js';

t.test('--controllers', async t => {
  const names = (list: string): string[] => selectControllers(ALL_CONTROLLERS, list.split(',')).map(c => c.name);
  t.equal(names('*').length, ALL_CONTROLLERS.length);
  t.notOk(names('*,-scheduler').includes('scheduler'));
  t.same(names('endpointslice,deployment-controller'), ['deployment-controller', 'endpointslice-controller']);
  t.same(names('-scheduler'), []);
  t.throws(() => names('*,-nope'), UnknownControllerError);
});

t.test('aggregated ClusterRoles', async t => {
  const cluster = createFakeCluster();
  const rule = (resource: string) => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
  const role = (name: string, labels: Record<string, string>, rules: unknown[]): KubeObject => ({
    metadata: { name, labels },
    rules,
  });
  const sum = {
    metadata: { name: 'sum', labels: { to: 'sum' } },
    aggregationRule: {
      clusterRoleSelectors: [{ matchLabels: { to: 'sum' } }, { matchExpressions: [{ key: 'x', operator: 'Exists' }] }],
    },
    rules: null,
  };
  cluster.load(
    CLUSTER_ROLES,
    sum,
    role('b', { to: 'sum' }, [rule('b'), rule('shared')]),
    role('a', { to: 'sum', x: '' }, [rule('shared'), rule('a')]),
    role('c', { to: 'other' }, [rule('c')]),
    role('d', { x: 'y' }, [rule('d')]),
  );
  const { reconcile } = clusterRoleAggregationController.build(cluster.context());
  await reconcile('sum');
  t.same(cluster.get(CLUSTER_ROLES, 'sum')?.['rules'], [rule('shared'), rule('a'), rule('b'), rule('d')]);
  await reconcile('sum');
  await reconcile('c');
  await reconcile('gone');
  t.equal(cluster.actions.length, 1, 'nothing changed, nothing written');
  cluster.queued.clear();
  cluster.load(CLUSTER_ROLES, role('c', { to: 'sum' }, [rule('c')]));
  t.ok(cluster.queued.has('sum'), 'any change of any role is looked at');
});

t.test('Secrets for tokens are filled in, and go with their account', async t => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const serviceAccountKey = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const secret = (name: string, account: string, uid?: string): Secret => ({
    metadata: {
      name,
      namespace: 'default',
      annotations: {
        'kubernetes.io/service-account.name': account,
        ...(uid === undefined ? {} : { 'kubernetes.io/service-account.uid': uid }),
      },
    },
    type: 'kubernetes.io/service-account-token',
  });
  const cluster = createFakeCluster();
  cluster.load(SERVICE_ACCOUNTS, { metadata: { name: 'robot', namespace: 'default', uid: 'u' } });
  cluster.load(SECRETS, secret('mine', 'robot'), secret('stale', 'robot', 'old'), secret('lost', 'nobody'));
  const { reconcile } = serviceAccountTokenController.build(cluster.context({ rootCa: 'CA', serviceAccountKey }));
  for (const name of ['mine', 'stale', 'lost']) await reconcile(`default/${name}`);
  t.strictSame(
    cluster.list(SECRETS).map(s => s.metadata.name),
    ['mine'],
  );
  const [mine] = cluster.list(SECRETS) as Secret[];
  t.equal(mine?.metadata.annotations?.['kubernetes.io/service-account.uid'], 'u');
  t.same(Object.keys(mine?.data ?? {}).sort(), ['ca.crt', 'namespace', 'token']);
  const written = cluster.actions.length;
  await reconcile('default/mine');
  t.equal(cluster.actions.length, written, 'nothing is missing');
});

t.test('a namespace is emptied of Pods first', async t => {
  const configMaps = { group: '', version: 'v1', resource: 'configmaps', namespaced: true };
  const resources = [PODS, configMaps].map(ref => ({
    ref,
    kind: '',
    versions: [ref.version],
    verbs: ['delete', 'deletecollection', 'list'],
  }));
  const held = pod({ name: 'held', deleting: true, extra: {} });
  const finalized = { ...held, metadata: { ...held.metadata, finalizers: ['example.org/keep'] } };
  const empty = async (pods: Pod[], sinceMs: number) => {
    const deleted: string[] = [];
    const client = {
      request: async (_method: string, path: string) => void deleted.push(path.split('/').at(-1) ?? ''),
      resource: (ref: { resource: string }) => ({ list: async () => ({ items: ref.resource === 'pods' ? pods : [] }) }),
    } as unknown as Client;
    const problems: Problems = new Map();
    const { estimateSeconds } = await deleteContent(client, resources, 'ns', sinceMs, problems);
    return { deleted, estimateSeconds, problems: [...problems.values()].map(({ message }) => message) };
  };
  t.strictSame(await empty([], 0), { deleted: ['pods', 'configmaps'], estimateSeconds: 0, problems: [] });
  t.strictSame(
    await empty([finalized], 60_000),
    { deleted: ['pods'], estimateSeconds: 15, problems: [] },
    'a finalizer may take its time',
  );
  t.strictSame(
    await empty([held], 60_000),
    {
      deleted: ['pods'],
      estimateSeconds: 0,
      problems: [
        'Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: ns for gvr: /v1, Resource=pods',
      ],
    },
    'what neither has grace nor finalizers should be gone',
  );
});
