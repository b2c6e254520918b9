import t from 'tap';
import { StatusError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Strategy } from '../../../src/api/strategy.js';
import type { AdmissionPlugin } from '../../../src/server/admission/types.js';
import { fixture, plain } from '../../support/registries.js';
import { configMap, failure, key, NOW, NS, patch } from '../../support/registry-writes.js';

t.test('optimistic concurrency', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const leases = f.registry('leases.coordination.k8s.io');
  const uid =
    plain((await maps.create(f.context(), NS, configMap('a', { data: { k: '0' } }))).object).metadata.uid ?? '';
  await leases.create(f.context(), NS, { metadata: { name: 'a' }, spec: {} });
  const put = (metadata: object, name = 'a') =>
    maps.update(f.context(), key(name), { ...configMap('a'), metadata: { name, ...metadata }, data: { k: '1' } }, '');
  const modified =
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again';
  const precondition = (given: string, found: string, name: string): string =>
    `Operation cannot be fulfilled on configmaps "${name}": StorageError: invalid object, Code: 4, Key: /registry/configmaps/ns/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${given}, UID in object meta: ${found}`;
  const cases: { name: string; run: () => Promise<unknown>; code: number; message: string }[] = [
    { name: 'old', run: () => put({ resourceVersion: '9' }), code: 409, message: modified },
    {
      name: 'no number',
      run: () => put({ resourceVersion: 'abc' }),
      code: 500,
      message: 'strconv.ParseUint: parsing "abc": invalid syntax',
    },
    { name: 'other uid', run: () => put({ uid: 'other' }), code: 409, message: precondition('other', uid, 'a') },
    { name: 'uid, absent', run: () => put({ uid: 'u' }, 'zz'), code: 409, message: precondition('u', '', 'zz') },
    { name: 'absent', run: () => put({}, 'zz'), code: 404, message: 'configmaps "zz" not found' },
    {
      name: 'other name',
      run: () => maps.update(f.context(), key('a'), configMap('b'), ''),
      code: 400,
      message: 'the name of the object (b) does not match the name on the URL (a)',
    },
    {
      name: 'no name',
      run: () => maps.update(f.context(), key('a'), { metadata: {} }, ''),
      code: 400,
      message: 'the name of the object (a based on URL) was undeterminable: name must be provided',
    },
    {
      name: 'must say which',
      run: () => leases.update(f.context(), key('a'), { metadata: { name: 'a' }, spec: {} }, ''),
      code: 422,
      message:
        'leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    },
  ];
  for (const { name, run, code, message } of cases) {
    const error = await failure(run());
    t.same([error.code, error.message], [code, message], name);
  }
  const before = f.store.observed();
  await put({});
  await put({ resourceVersion: '0' });
  await put({ resourceVersion: String(before + 1), uid });
  t.equal(f.store.observed(), before + 1, 'the same again is not written');
});

t.test('an update creates where the kind allows it', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const leases = f.registry('leases.coordination.k8s.io');
  const body = { metadata: { name: 'a' }, spec: {} };
  const asked: string[] = [];
  const ctx = { ...f.context(), mayCreate: async () => void asked.push('create') };
  t.equal((await leases.update(ctx, key('a'), body, '')).created, true);
  t.same(asked, ['create']);
  const error = await failure(leases.patch(f.context(), key('b'), patch('merge', {}), ''));
  t.equal(error.code, 404);
});

t.test('what a client may not change is put back; generation follows the spec', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const deployments = f.registry('deployments.apps');
  const spec = (replicas: number) => ({
    replicas,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  });
  const deployment = (replicas: number, status: object): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: spec(replicas),
    status,
  });
  const created = plain((await deployments.create(f.context(), NS, deployment(1, { replicas: 9 }))).object);
  t.notOk((created['status'] as { replicas?: number } | undefined)?.replicas, 'status does not come by creation');
  t.equal(created.metadata.generation, 1);
  const status = plain(
    (await deployments.update(f.context(), key('d'), deployment(5, { replicas: 3 }), 'status')).object,
  );
  t.match(status, { metadata: { generation: 1 }, spec: { replicas: 1 }, status: { replicas: 3 } });
  const main = plain((await deployments.update(f.context(), key('d'), deployment(2, { replicas: 7 }), '')).object);
  t.match(main, { metadata: { generation: 2 }, spec: { replicas: 2 }, status: { replicas: 3 } });
  const missing = await failure(
    deployments.update(f.context(), key('x'), { ...deployment(1, {}), metadata: { name: 'x' } }, 'status'),
  );
  t.equal(missing.code, 404);
});

t.test('dry runs do everything but store', async t => {
  let reserved = 0;
  const strategy: Strategy = { reserve: async () => void reserved++ };
  const f = await fixture({ strategies: { configmaps: strategy } });
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const ctx = f.context({ dryRun: true });
  const created = plain((await maps.create(ctx, NS, configMap('a'))).object);
  t.ok(created.metadata.uid);
  t.notOk(created.metadata.resourceVersion);
  t.equal(f.store.observed(), 0);

  await maps.create(f.context(), NS, { ...configMap('a'), metadata: { name: 'a', finalizers: ['e.org/f'] } });
  t.equal((await failure(maps.create(ctx, NS, configMap('a')))).reason, 'AlreadyExists');
  t.match(plain((await maps.update(ctx, key('a'), configMap('a', { data: { k: '1' } }), '')).object), {
    metadata: { resourceVersion: '1' },
    data: { k: '1' },
  });
  const deleted = await maps.delete(f.context(), key('a'), { dryRun: true });
  t.match(deleted.kind === 'object' ? plain(deleted.object).metadata : {}, {
    deletionTimestamp: /Z$/,
    resourceVersion: '1',
  });
  t.equal(f.store.observed(), 1);
  t.equal(reserved, 4, 'values are chosen in every one of them');
});

t.test('hooks run in order, and what fails stores nothing', async t => {
  const calls: string[] = [];
  let fail = '';
  const note = (name: string): void => {
    calls.push(name);
    if (name === fail) throw new StatusError(400, 'BadRequest', name);
  };
  const strategy: Strategy = {
    default: () => note('default'),
    reserve: async () => note('reserve'),
    prepareForCreate: () => note('prepareForCreate'),
    prepareForUpdate: () => note('prepareForUpdate'),
    validate: () => (note('validate'), []),
    validateUpdate: () => (note('validateUpdate'), []),
    warnings: () => (note('warnings'), ['careful']),
    canonicalize: () => note('canonicalize'),
    afterCreate: async () => note('afterCreate'),
    afterUpdate: async () => note('afterUpdate'),
    afterDelete: async () => note('afterDelete'),
  };
  const plugin: AdmissionPlugin = {
    name: 'Test',
    admit: (_ctx, request) => note(`admit ${request.operation}`),
    validate: (_ctx, request) => note(`check ${request.operation}`),
  };
  const f = await fixture({ strategies: { configmaps: strategy }, admission: [plugin] });
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const create = [
    'default',
    'admit CREATE',
    'reserve',
    'prepareForCreate',
    'validate',
    'warnings',
    'canonicalize',
    'check CREATE',
    'default',
  ];
  const update = [
    'default',
    'admit UPDATE',
    'reserve',
    'prepareForUpdate',
    'validateUpdate',
    'warnings',
    'canonicalize',
    'check UPDATE',
    'default',
  ];

  await maps.create(f.context(), NS, configMap('a'));
  t.same(calls.splice(0), [...create, 'afterCreate']);
  t.same(f.warnings.splice(0), ['careful']);
  await maps.update(f.context(), key('a'), configMap('a', { data: { k: '1' } }), '');
  t.same(calls.splice(0), [...update, 'afterUpdate']);
  await maps.delete(f.context(), key('a'), NOW);
  t.same(calls.splice(0), ['admit DELETE', 'check DELETE', 'afterDelete']);

  for (const step of create.slice(3).filter(s => s !== 'default')) {
    fail = step;
    await failure(maps.create(f.context(), NS, configMap('a')));
    t.equal(calls.splice(0).at(-1), step, `${step} fails`);
  }
  t.equal((await maps.list(f.context(), NS, {})).items.length, 0);
});

t.test('objects: the registries as strategies and admission see them', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const { objects } = f.registries;
  const ctx = f.context();
  await objects.create(ctx, 'configmaps', { ...configMap('a'), metadata: { name: 'a', namespace: NS } });
  await Promise.all(
    ['x', 'y', 'z'].map(k =>
      objects.update(ctx, 'configmaps', key('a'), object => {
        object['data'] = { ...(object['data'] as object | undefined), [k]: '1' };
      }),
    ),
  );
  t.same(objects.get('configmaps', key('a'))?.['data'], { x: '1', y: '1', z: '1' });
  t.equal([...objects.list('configmaps', NS)].length, 1);
  t.throws(() => Object.assign(objects.get('configmaps', key('a'))?.metadata ?? {}, { name: 'b' }), 'read-only');
  await objects.delete(ctx, 'configmaps', key('a'), NOW);
  t.equal(objects.get('configmaps', key('a')), undefined);
  t.equal(objects.info('deployments.apps')?.kind, 'Deployment');
});
