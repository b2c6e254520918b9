import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { DeleteOptions, Strategy } from '../../../src/api/strategy.js';
import { fixture, plain, record, type Fixture } from '../../support/registries.js';
import { configMap, failure, key, NOW, NS, patch } from '../../support/registry-writes.js';

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
