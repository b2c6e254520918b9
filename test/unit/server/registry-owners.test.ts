import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Strategy } from '../../../src/api/strategy.js';
import { fixture, plain } from '../../support/registries.js';
import { configMap, failure, key, NS, patch } from '../../support/registry-writes.js';

t.test('apply creates, and the same again writes nothing', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const apply = () => maps.patch(f.context(), key('a'), patch('apply', configMap('a', { data: { k: '1' } })), '');
  t.equal((await apply()).created, true);
  f.clock.step(60_000);
  const again = await apply();
  t.equal(again.created, false);
  t.equal(plain(again.object).metadata.resourceVersion, '1');
  t.match(plain(again.object).metadata.managedFields, [{ operation: 'Apply', time: '2026-01-01T00:00:00Z' }]);
});

t.test('an empty list is owned by who sent it, and stored as none', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const roles = f.registry('roles.rbac.authorization.k8s.io');
  const body = (): KubeObject => ({ metadata: { name: 'r' }, rules: [] });
  const created = plain((await roles.create(f.context(), NS, body())).object);
  t.equal(created['rules'], null);
  t.match(created.metadata.managedFields, [{ fieldsV1: { 'f:rules': {} } }]);
  await roles.update(f.context(), key('r'), body(), '');
  t.equal(f.store.observed(), 1, 'the same again is not written');
});

t.test('managedFields: [] forgets who owned what', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, configMap('a', { data: { k: '1' } }));
  const clear = patch('merge', { metadata: { managedFields: [] } });
  t.equal(plain((await maps.patch(f.context(), key('a'), clear, '')).object).metadata.managedFields, undefined);
});

t.test('scale: a view with owners of its own', async t => {
  const strategy: Strategy = {
    subresources: {
      scale: {
        kind: 'view',
        fieldMap: { 'spec.replicas': 'spec.replicas' },
        get: object => ({
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: {
            name: object.metadata.name ?? '',
            namespace: object.metadata.namespace ?? '',
            uid: object.metadata.uid ?? '',
            resourceVersion: object.metadata.resourceVersion ?? '',
          },
          spec: { replicas: (object['spec'] as { replicas: number }).replicas },
        }),
        put(object, view) {
          (object['spec'] as { replicas: number }).replicas = (view['spec'] as { replicas: number }).replicas;
        },
      },
    },
  };
  const f = await fixture({ strategies: { 'deployments.apps': strategy } });
  t.teardown(f.close);
  const deployments = f.registry('deployments.apps');
  const spec = {
    replicas: 1,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  };
  await deployments.create(f.context(), NS, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec,
  });
  const ctx = f.context({ fieldManager: 'scaler' });
  const scaled = await deployments.patch(ctx, key('d'), patch('merge', { spec: { replicas: 4 } }), 'scale');
  t.match(plain(scaled.object), { kind: 'Scale', spec: { replicas: 4 }, metadata: { resourceVersion: '2' } });
  t.match(await deployments.getSubresource(f.context(), key('d'), 'scale', {}), {
    kind: 'Scale',
    spec: { replicas: 4 },
  });
  const stored = plain(await deployments.get(f.context(), key('d'), {}));
  t.match(stored, { spec: { replicas: 4 }, metadata: { generation: 2 } });
  const scaler = stored.metadata.managedFields?.find(entry => entry.manager === 'scaler');
  t.match(scaler, { subresource: 'scale', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } });
  const stale = {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'd', resourceVersion: '1' },
    spec: { replicas: 9 },
  };
  t.equal((await failure(deployments.update(ctx, key('d'), stale, 'scale'))).reason, 'Conflict');
});
