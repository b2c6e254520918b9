import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadKubeConfig } from '../../../src/client/kubeconfig.js';
import { createClient } from '../../../src/client/rest-client.js';
import { PODS, SERVICES } from '../../../src/client/resources.js';
import { Cluster, WaitError, type ClusterOptions } from '../../../src/testing/index.js';

const create = async (t: Test, options: ClusterOptions): Promise<Cluster> => {
  const cluster = await Cluster.create({ seed: 1, ...options });
  t.teardown(() => cluster.stop());
  return cluster;
};

const widget = (plural: string, kind: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.example.com` },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural, singular: kind.toLowerCase(), kind },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
});

t.test('definitions of folders are served when create resolves; objects come in any order', async t => {
  const folder = t.testdir();
  await mkdir(join(folder, 'crd', 'bases'), { recursive: true });
  await writeFile(
    join(folder, 'crd', 'bases', 'widgets.yaml'),
    `---\n${JSON.stringify(widget('widgets', 'Widget'))}\n`,
  );
  await writeFile(
    join(folder, 'crd', 'kustomization.yaml'),
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
  );
  await writeFile(
    join(folder, 'app.yaml'),
    `apiVersion: example.com/v1
kind: Gadget
metadata: {name: one, namespace: shop}
spec: {size: 3}
---
# nothing
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`,
  );
  const cluster = await create(t, {
    apiServerOnly: true,
    crds: [join(folder, 'crd')],
    objects: [
      { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'first' }, spec: { size: 1 } },
      { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }] },
    ],
  });
  const sizeOf = async (object: string, namespace?: string): Promise<unknown> =>
    (await cluster.waitFor(object, 'create', namespace === undefined ? {} : { namespace }))?.['spec'];
  t.same(await sizeOf('widget/first'), { size: 1 });
  t.ok(await cluster.waitFor('cm/c', 'create'));
  const [gadget] = await cluster.apply([join(folder, 'app.yaml'), widget('gadgets', 'Gadget')]);
  t.match(gadget, { kind: 'Gadget', metadata: { name: 'one', namespace: 'shop' } });
  t.same(await sizeOf('gadgets.example.com/one', 'shop'), { size: 3 });
  await t.rejects(cluster.apply('apiVersion: v1\nkind: Nothing\nmetadata: {name: a}'), {
    message: 'the server has no resource Nothing in v1',
  });
  await t.rejects(cluster.apply(join(folder, 'none.yaml')), {
    name: 'DocumentError',
    message: /none.yaml cannot be read/,
  });
  await t.rejects(cluster.apply('a: b\n: ['), { name: 'DocumentError', message: /the text, document 1/ });
});

t.test('whoever is given access may do what RBAC allows them; files are gone with the cluster', async t => {
  const cluster = await create(t, { apiServerOnly: true });
  const jane = cluster.as('jane', ['dev']);
  t.equal(jane.env.KUBECONFIG, jane.kubeconfigPath);
  t.not(jane.kubeconfigPath, cluster.kubeconfigPath);
  t.equal(readFileSync(jane.kubeconfigPath, 'utf8'), jane.kubeconfig);
  t.equal(statSync(jane.kubeconfigPath).mode & 0o777, 0o600);
  const hers = createClient(await loadKubeConfig(jane.kubeconfigPath), 'test');
  const refused = await hers
    .resource(PODS)
    .list({ namespace: 'default' })
    .then(
      () => undefined,
      (e: Error) => e.message,
    );
  t.match(refused, /User "jane" cannot list resource "pods"/);
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'dev' } };
  await cluster.apply([
    { ...rbac, kind: 'Role', rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] },
    {
      ...rbac,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'dev' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'dev' }],
    },
  ]);
  t.same((await hers.resource(PODS).list({ namespace: 'default' })).items, []);
  t.match(cluster.requests({ user: 'jane' }), [
    { verb: 'list', resource: 'pods', namespace: 'default', status: 403, reason: 'Forbidden' },
    { verb: 'list', resource: 'pods', status: 200, userAgent: 'test' },
  ]);
  hers.close();
  await cluster.stop();
  await cluster.stop();
  t.notOk(existsSync(jane.kubeconfigPath));
  t.notOk(existsSync(cluster.kubeconfigPath));
});

t.test('a wait that fails shows the object; one that is given up rejects with the reason', async t => {
  const cluster = await create(t, { apiServerOnly: true });
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { ports: [{ port: 80 }] },
  });
  const fails = await cluster
    .waitFor('svc/web', 'jsonpath={.spec.clusterIP}=1.2.3.4', { timeout: '50ms' })
    .catch((error: unknown) => error);
  t.ok(fails instanceof WaitError);
  t.match(fails, {
    message:
      /^services\/web in namespace default: waited 50 ms for .spec.clusterIP to be 1.2.3.4; it was last\n[^]*"loadBalancer"/,
    last: { kind: 'Service' },
  });
  await t.rejects(cluster.waitFor('svc/none', 'Available', { timeout: 1 }), {
    message: 'services/none in namespace default: waited 1 ms for condition Available; there is no such object',
  });
  t.ok(await cluster.waitFor('svc/web', 'jsonpath={.spec.clusterIP}'));
  t.ok(await cluster.waitFor('services/web', object => Array.isArray((object?.['spec'] as { ports: unknown }).ports)));
  const gone = cluster.waitFor('svc/web', 'delete');
  const client = createClient({ ...cluster.config, insecureSkipTlsVerify: false, namespace: 'default' }, 'test');
  await client.resource(SERVICES).delete({ namespace: 'default', name: 'web' });
  client.close();
  t.equal(await gone, undefined);
  const given = new AbortController();
  const waits = cluster.waitFor('svc/web', 'create', { signal: given.signal });
  given.abort(new Error('enough'));
  await t.rejects(waits, { message: 'enough' });
  for (const [object, condition, error] of [
    ['web', 'Available', /want e.g. "deployment\/web"/],
    ['thing/web', 'Available', /the server has no resource "thing"/],
    ['svc/web', 'jsonpath={.a', /jsonpath/],
    ['svc/web', 'Avail able', /is no condition/],
  ] as const)
    await t.rejects(cluster.waitFor(object, condition), { message: error });
  await t.rejects(cluster.waitFor('svc/web', 'create', { timeout: 'soon' }), RangeError);
});

t.test('Pods run in a fresh namespace', async t => {
  const cluster = await create(t, { nodes: 1 });
  const namespace = await cluster.namespace();
  t.match(namespace, /^test-[0-9a-f]{8}$/);
  await cluster.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'nginx' }] },
        },
      },
    },
    { namespace },
  );
  t.match(await cluster.waitFor('deployment/web', 'Available', { namespace }), { status: { readyReplicas: 1 } });
  await t.rejects(cluster.namespace(namespace), { name: 'StatusError', reason: 'AlreadyExists' });
});
