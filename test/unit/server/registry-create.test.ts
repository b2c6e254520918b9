import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Strategy } from '../../../src/api/strategy.js';
import { fixture, plain } from '../../support/registries.js';
import { configMap, failure, key, NOW, NS } from '../../support/registry-writes.js';

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
