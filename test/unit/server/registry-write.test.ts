import { given } from '../../support/steps.js';
import t from 'tap';
import { StatusError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { DeleteOptions, Strategy } from '../../../src/api/strategy.js';
import type { AdmissionPlugin } from '../../../src/server/admission/types.js';
import type { PatchRequest } from '../../../src/server/registry/types.js';
import { fixture, plain, record, type Fixture } from '../../support/registries.js';

const NS = 'ns';
const key = (name: string) => ({ namespace: NS, name });
const configMap = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});
const NOW: DeleteOptions = { dryRun: false };

async function failure(promise: Promise<unknown>): Promise<StatusError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

const patch = (type: PatchRequest['type'], body: unknown, force = false): PatchRequest => ({
  type,
  decode: () => given({ patch: body, duplicateKeys: [] }),
  raw: Buffer.from(JSON.stringify(body)),
  force,
});

t.test('what the server sets, wipes and keeps', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const given = {
    name: 'a',
    uid: 'mine',
    creationTimestamp: '2001-01-01T00:00:00Z',
    deletionTimestamp: '2001-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 5,
    selfLink: '/x',
    generation: 7,
  };
  const created = plain((await maps.create(f.context(), NS, { ...configMap('a'), metadata: { ...given } })).object);
  t.match(created.metadata, { namespace: NS, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' });
  t.match(created.metadata.uid, /^[0-9a-f-]{36}$/);
  t.equal(created.metadata.generation, 7, 'survives on kinds that do not manage it');
  t.notOk(created.metadata.deletionTimestamp ?? created.metadata.selfLink);

  f.clock.step(5000);
  const body = { ...configMap('a', { data: { k: '1' } }), metadata: { ...given, uid: created.metadata.uid ?? '' } };
  const error = await failure(maps.update(f.context(), key('a'), body, ''));
  t.equal(
    error.message,
    'ConfigMap "a" is invalid: [metadata.deletionTimestamp: Invalid value: "2001-01-01T00:00:00Z": field is immutable, metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable]',
  );
  t.equal(error.status.details?.causes?.length, 4, 'checked by generic code and by the kind');
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...metadata } = body.metadata;
  const updated = plain((await maps.update(f.context(), key('a'), { ...body, metadata }, '')).object);
  t.match(updated.metadata, {
    resourceVersion: '2',
    creationTimestamp: '2026-01-01T00:00:00Z',
    uid: created.metadata.uid,
  });
});

t.test('creations that are refused', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, configMap('a'));
  const cases: { name: string; object: KubeObject; code: number; reason?: string; message: string }[] = [
    {
      name: 'exists',
      object: configMap('a'),
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists',
    },
    {
      name: 'no name',
      object: { metadata: {} },
      code: 422,
      reason: 'Invalid',
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    },
    {
      name: 'resourceVersion',
      object: { metadata: { name: 'b', resourceVersion: '1' } },
      code: 500,
      message: 'resourceVersion should not be set on objects to be created',
    },
    {
      name: 'other namespace',
      object: { metadata: { name: 'b', namespace: 'zz' } },
      code: 400,
      reason: 'BadRequest',
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    },
    {
      name: 'taken name that could have been generated',
      object: { metadata: { name: 'a', generateName: 'g-' } },
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists, the server was not able to generate a unique name for the object',
    },
  ];
  for (const { name, object, code, reason, message } of cases) {
    const error = await failure(maps.create(f.context(), NS, object));
    t.same([error.code, error.reason, error.message], [code, reason, message], name);
  }
  await maps.create(f.context(), NS, { metadata: { name: 'f', finalizers: ['e.org/f'] } });
  await maps.delete(f.context(), key('f'), NOW);
  const error = await failure(maps.create(f.context(), NS, configMap('f')));
  t.equal(error.message, 'object is being deleted: configmaps "f" already exists');
});

t.test('generated names', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const { object } = await maps.create(f.context(), NS, { metadata: { generateName: 'g-' } });
  t.match(plain(object).metadata.name, /^g-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  const long = await maps.create(f.context(), NS, { metadata: { generateName: 'x'.repeat(70) } });
  t.equal(plain(long.object).metadata.name?.length, 63);
});

t.test('a generated name that is taken is tried again, eight times in all', async t => {
  const tried: string[] = [];
  const strategy: Strategy = {
    prepareForCreate(_ctx, object) {
      tried.push(object.metadata.name ?? '');
      object.metadata.name = tried.length > 8 ? 'free' : 'taken';
    },
  };
  const f = await fixture({ strategies: { configmaps: strategy } });
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, configMap('taken'));
  tried.length = 0;
  const error = await failure(maps.create(f.context(), NS, { metadata: { generateName: 'g-' } }));
  t.equal(tried.length, 8);
  t.equal(new Set(tried).size, 8, 'a new name each time');
  t.equal(error.status.details?.retryAfterSeconds, 1);
  const { object } = await maps.create(f.context(), NS, { metadata: { generateName: 'g-' } });
  t.equal(plain(object).metadata.name, 'free');
});

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

t.test('concurrent patches all count', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, configMap('a'));
  const fields = Array.from({ length: 20 }, (_, i) => `k${i}`);
  await Promise.all(fields.map(k => maps.patch(f.context(), key('a'), patch('merge', { data: { [k]: 'v' } }), '')));
  const { object } = await maps.get(f.context(), key('a'), {});
  t.equal(Object.keys(object['data'] as object).length, 20);
});

t.test('patches that are refused', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  await maps.create(f.context(), NS, { ...configMap('a', { data: { k: '1' } }) });
  const live = (await maps.get(f.context(), key('a'), {})).encode().toString();
  const meta = live.slice(live.indexOf('"metadata"'), live.indexOf(',"data"'));
  const wrong = (data: string): string => `{"apiVersion":"v1","data":${data},"kind":"ConfigMap",${meta}}`;
  const invalid = (value: string, why: string): string =>
    ` "" is invalid: patch: Invalid value: ${JSON.stringify(value)}: ${why}`;
  const number = 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string';
  const cases: { name: string; request: PatchRequest; code: number; message: string }[] = [
    {
      name: 'merge, wrong type',
      request: patch('merge', { data: { z: 5 } }),
      code: 422,
      message: invalid(wrong('{"k":"1","z":5}'), number),
    },
    {
      name: 'json, wrong type',
      request: patch('json', [{ op: 'add', path: '/data/a', value: 5 }]),
      code: 422,
      message: invalid(wrong('{"a":5,"k":"1"}'), number),
    },
    {
      name: 'strategic, wrong type',
      request: patch('strategic', { data: 'x' }),
      code: 422,
      message: invalid('map[data:x]', 'cannot restore map from string'),
    },
    {
      name: 'strategic, unknown field',
      request: patch('strategic', { foo: 1 }),
      code: 422,
      message: invalid('map[foo:1]', 'strict decoding error: unknown field "foo"'),
    },
    {
      name: 'merge, twice the same field',
      request: { ...patch('merge', { data: { z: '2' } }), raw: Buffer.from('{"data":{"z":"1","z":"2"}}') },
      code: 422,
      message: invalid(wrong('{"k":"1","z":"2"}'), 'strict decoding error: duplicate field "data.z"'),
    },
    {
      name: 'json, twice the same member',
      request: {
        ...patch('json', [{ op: 'add', path: '/data/z', value: '2' }]),
        raw: Buffer.from('[{"op":"add","op":"add","path":"/data/z","value":"2"}]'),
      },
      code: 422,
      message: invalid(wrong('{"k":"1","z":"2"}'), 'strict decoding error: json patch duplicate field "[0].op"'),
    },
    {
      name: 'strategic, nulls are gone from what is shown',
      request: patch('strategic', { data: { z: { a: null } } }),
      code: 422,
      message: invalid('map[data:map[z:map[]]]', 'unrecognized type: string'),
    },
    {
      name: 'strategic, no base64',
      request: patch('strategic', { binaryData: { z: 'AAA' } }),
      code: 422,
      message: invalid('map[binaryData:map[z:AAA]]', 'error decoding from json: illegal base64 data at input byte 0'),
    },
    {
      name: 'merge with null',
      request: patch('merge', null),
      code: 400,
      message: 'Invalid JSON Patch',
    },
    {
      name: 'json, without apiVersion',
      request: patch('json', [{ op: 'remove', path: '/apiVersion' }]),
      code: 422,
      message: invalid(
        wrong('{"k":"1"}').replace('"apiVersion":"v1",', ''),
        'strict decoding error: unknown field "data", unknown field "metadata"',
      ),
    },
    {
      name: 'json, kind of another type',
      request: patch('json', [{ op: 'replace', path: '/kind', value: 5 }]),
      code: 422,
      message: invalid(
        wrong('{"k":"1"}').replace('"kind":"ConfigMap"', '"kind":5'),
        "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string",
      ),
    },
    {
      name: 'apply, value that does not fit',
      request: patch('apply', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        binaryData: { z: 'AAA' },
      }),
      code: 500,
      message:
        'failed to convert new object (/a; /v1, Kind=ConfigMap) to proper version: unable to convert unstructured ' +
        'object to /v1, Kind=ConfigMap: error decoding from json: illegal base64 data at input byte 0',
    },
    {
      name: 'apply, twice the same key',
      request: {
        ...patch('apply', {}),
        decode: () =>
          given({
            patch: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { z: '1' } },
            duplicateKeys: ['line 7: key "z" already set in map'],
          }),
      },
      code: 400,
      message:
        'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n' +
        '  line 7: key "z" already set in map',
    },
    {
      name: 'apply, version of too many parts',
      request: patch('apply', { apiVersion: 'a/b/c', kind: 'ConfigMap', metadata: { name: 'a' } }),
      code: 400,
      message: 'invalid object type: /, Kind=',
    },
    {
      name: 'json, fails',
      request: patch('json', [{ op: 'test', path: '/data/k', value: '2' }]),
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    },
    {
      name: 'renames',
      request: patch('merge', { metadata: { name: 'b' } }),
      code: 400,
      message: 'the name of the object (b) does not match the name on the URL (a)',
    },
    {
      name: 'old resourceVersion',
      request: patch('merge', { metadata: { resourceVersion: '99' } }),
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    },
    {
      name: 'other uid',
      request: patch('merge', { metadata: { uid: 'u' } }),
      code: 422,
      message: 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "u": field is immutable',
    },
  ];
  for (const { name, request, code, message } of cases) {
    const error = await failure(maps.patch(f.context(), key('a'), request, ''));
    t.same([error.code, error.message], [code, message], name);
  }
  await maps.patch(f.context({ fieldValidation: 'Warn' }), key('a'), patch('strategic', { foo: 1 }), '');
  t.same(f.warnings, ['unknown field "foo"']);
  const text = 'uid mismatch: the provided object specified uid 1, and no existing object was found';
  const applied = { ...configMap('n'), metadata: { name: 'n', uid: '1' } };
  const error = await failure(maps.patch(f.context(), key('n'), patch('apply', applied), ''));
  t.same([error.code, error.message], [409, `Operation cannot be fulfilled on configmaps "n": ${text}`]);
});

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

const graceful: Strategy = {
  gracePeriodSeconds: (object, requested) =>
    (object['spec'] as { nodeName?: string }).nodeName ? (requested ?? 30) : 0,
};
const pod = (name: string, nodeName: string, finalizers: string[] = []): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, finalizers },
  spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
});

t.test('graceful deletion', async t => {
  const f = await fixture({ strategies: { pods: graceful } });
  t.teardown(f.close);
  const pods = f.registry('pods');
  const remove = async (name: string, options: Omit<DeleteOptions, 'dryRun'> = {}): Promise<string> => {
    const result = await pods.delete(f.context(), key(name), { dryRun: false, ...options });
    if (result.kind !== 'object') return 'status';
    const { deletionTimestamp, deletionGracePeriodSeconds, generation } = plain(result.object).metadata;
    return `${deletionTimestamp?.slice(11, 19)} ${deletionGracePeriodSeconds} gen ${generation}${result.deleted ? ' gone' : ''}`;
  };
  await pods.create(f.context(), NS, pod('a', ''));
  const w = await record(pods, f.context(), NS, { resourceVersion: '1' });
  t.equal(await remove('a'), '00:00:00 0 gen 2 gone', 'not scheduled: at once');
  t.same(await w.until(2), ['MODIFIED a@2', 'DELETED a@3'], 'but said to be deleted first');

  await pods.create(f.context(), NS, pod('b', 'n'));
  t.equal(await remove('b'), '00:00:30 30 gen 2');
  t.equal(await remove('b', { gracePeriodSeconds: 60 }), '00:00:30 30 gen 2', 'longer has no effect');
  f.clock.step(1000);
  t.equal(await remove('b', { gracePeriodSeconds: 5 }), '00:00:05 5 gen 2', 'shorter counts from the first deletion');
  t.equal(await remove('b', { gracePeriodSeconds: -7 }), '00:00:01 1 gen 2', 'negative is 1');
  t.equal(await remove('b', { gracePeriodSeconds: 0 }), '00:00:00 0 gen 2 gone');
  t.equal((await failure(remove('b'))).code, 404);

  await pods.create(f.context(), NS, pod('e', 'n', ['e.org/f']));
  t.equal(await remove('e', { gracePeriodSeconds: 10 }), '00:00:11 10 gen 2');
  t.equal(await remove('e', { gracePeriodSeconds: 0 }), '00:00:01 0 gen 2', 'the finalizer still holds it');
  const drop = patch('merge', { metadata: { finalizers: null } });
  const rv = plain((await pods.get(f.context(), key('e'), {})).object as KubeObject).metadata.resourceVersion;
  const last = await pods.patch(f.context(), key('e'), drop, '');
  t.equal(plain(last.object).metadata.resourceVersion, rv, 'the answer is the object as it was');
  t.equal((await failure(pods.get(f.context(), key('e'), {}))).code, 404);
});

t.test('finalizers, propagation and preconditions', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  const cases: { options: object; finalizers?: string[]; then: string[] | undefined }[] = [
    { options: {}, then: undefined },
    { options: { propagationPolicy: 'Background' }, then: undefined },
    { options: { propagationPolicy: 'Foreground' }, then: ['foregroundDeletion'] },
    { options: { propagationPolicy: 'Orphan' }, then: ['orphan'] },
    { options: { orphanDependents: true }, then: ['orphan'] },
    { options: { orphanDependents: false }, then: undefined },
    { options: {}, finalizers: ['orphan'], then: ['orphan'] },
    { options: { propagationPolicy: 'Background' }, finalizers: ['orphan'], then: undefined },
    {
      options: { propagationPolicy: 'Foreground' },
      finalizers: ['e.org/f', 'orphan'],
      then: ['e.org/f', 'foregroundDeletion'],
    },
  ];
  for (const [i, { options, finalizers = [], then }] of cases.entries()) {
    const name = `a${i}`;
    await maps.create(f.context(), NS, { metadata: { name, finalizers } });
    await maps.delete(f.context(), key(name), { dryRun: false, ...options });
    const left = await maps.get(f.context(), key(name), {}).catch(() => undefined);
    t.same(left?.object.metadata.finalizers, then, JSON.stringify({ options, finalizers }));
    if (left !== undefined) t.equal(left.object.metadata.deletionGracePeriodSeconds, 0);
  }

  await maps.create(f.context(), NS, { metadata: { name: 'f', finalizers: ['e.org/f'] } });
  await maps.delete(f.context(), key('f'), NOW);
  const before = f.store.observed();
  f.clock.step(5000);
  await maps.delete(f.context(), key('f'), NOW);
  t.equal(f.store.observed(), before, 'deleting again changes nothing');
  const more = patch('merge', { metadata: { finalizers: ['e.org/f', 'n.e/w'] } });
  t.equal(
    (await failure(maps.patch(f.context(), key('f'), more, ''))).message,
    'ConfigMap "f" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"n.e/w"}',
  );

  const { object } = await maps.create(f.context(), NS, configMap('p'));
  const { uid = '', resourceVersion = '' } = plain(object).metadata;
  const refused: [object, number, string][] = [
    [
      { preconditions: { uid: 'bad' } },
      409,
      `Operation cannot be fulfilled on ConfigMap "p": the UID in the precondition (bad) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    ],
    [
      { preconditions: { resourceVersion: '1' } },
      409,
      `Operation cannot be fulfilled on ConfigMap "p": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    ],
    [
      { propagationPolicy: 'Foo' },
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
  ];
  for (const [options, code, message] of refused) {
    const error = await failure(maps.delete(f.context(), key('p'), { dryRun: false, ...options }));
    t.same([error.code, error.message], [code, message]);
  }
  const gone = await maps.delete(f.context(), key('p'), { dryRun: false, preconditions: { uid, resourceVersion } });
  t.match(gone, {
    kind: 'status',
    deleted: true,
    status: { status: 'Success', details: { name: 'p', kind: 'configmaps', uid } },
  });
});

t.test('a kind deleted in two phases', async t => {
  const strategy: Strategy = {
    finalized: object => ((object['spec'] as { finalizers?: string[] } | undefined)?.finalizers ?? []).length === 0,
    markDeleting: object => void (object['status'] = { phase: 'Terminating' }),
    subresources: { finalize: { kind: 'part' } },
  };
  const f = await fixture({ strategies: { namespaces: strategy } });
  t.teardown(f.close);
  const namespaces = f.registry('namespaces');
  const body = (finalizers: string[]): KubeObject => ({ metadata: { name: 'x' }, spec: { finalizers } });
  await namespaces.create(f.context(), '', body(['kubernetes']));
  const at = { namespace: '', name: 'x' };
  const first = await namespaces.delete(f.context(), at, NOW);
  const marked = first.kind === 'object' ? plain(first.object) : undefined;
  t.match(marked, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, status: { phase: 'Terminating' } });
  t.equal(marked?.metadata.deletionGracePeriodSeconds, undefined);
  const second = await namespaces.delete(f.context(), at, NOW);
  t.notOk(second.deleted);
  t.equal(f.store.observed(), 2);
  await namespaces.update(f.context(), at, body([]), 'finalize');
  t.equal((await failure(namespaces.get(f.context(), at, {}))).code, 404);
});

t.test('deletecollection', async t => {
  const f: Fixture = await fixture();
  t.teardown(f.close);
  const maps = f.registry('configmaps');
  for (const name of ['a', 'b', 'c']) {
    await maps.create(f.context(), NS, { metadata: { name, labels: { half: name === 'c' ? '2' : '1' } } });
  }
  const deleted = await maps.deleteCollection(f.context(), NS, NOW, { labelSelector: 'half=1' });
  t.same(
    deleted.items.map(i => `${i.key.name}@${i.revision}`),
    ['a@1', 'b@2'],
    'as they were',
  );
  t.same(
    (await maps.list(f.context(), '', {})).items.map(i => i.key.name),
    ['c'],
  );
  t.equal((await maps.deleteCollection(f.context(), 'none', NOW, {})).items.length, 0);
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
