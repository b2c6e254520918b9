import { given } from '../support/steps.js';
import type { Test } from 'tap';
import { cloneJson } from '../../src/machinery/json-equal.js';
import { StatusError } from '../../src/machinery/status.js';
import type { KubeObject } from '../../src/machinery/types.js';
import { apiVersionOf } from '../../src/api/resource-info.js';
import type { DeleteOptions } from '../../src/api/strategy.js';
import { storedItem } from '../../src/server/responses/list-text.js';
import type { PatchRequest, Registry } from '../../src/server/registry/types.js';
import { plain, record, type Fixture } from '../support/registries.js';
import type { Example } from './registry-examples.js';

const NOW: DeleteOptions = { dryRun: false, propagationPolicy: 'Background' };
const FINALIZER = 'example.org/hold';

const merge = (body: object): PatchRequest => ({
  type: 'merge',
  decode: () => given({ patch: body, duplicateKeys: [] }),
  raw: Buffer.from(JSON.stringify(body)),
  force: false,
});

export async function reason(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (error instanceof StatusError) return error.reason ?? error.message;
    throw error;
  }
}

/** What every stored kind does, whatever else it does. Leaves nothing behind. */
export async function registrySuite(t: Test, f: Fixture, registry: Registry, example: Example): Promise<void> {
  const { info } = registry;
  const namespace = info.namespaced ? 'ns' : '';
  const ctx = f.context();
  const at = (name: string) => ({ namespace, name });
  const make = (metadata: object): KubeObject => ({
    apiVersion: apiVersionOf(info),
    kind: info.kind,
    ...cloneJson(example),
    metadata,
  });
  const create = async (metadata: object): Promise<KubeObject> =>
    plain((await registry.create(ctx, namespace, make(metadata))).object);
  const before = await registry.list(ctx, namespace, {});
  const watch = await record(registry, ctx, namespace, { resourceVersion: before.resourceVersion });

  const created = await create({ name: 'a' });
  t.match(created, { kind: info.kind, apiVersion: apiVersionOf(info), metadata: { name: 'a', uid: String } });
  t.equal(created.metadata.namespace, info.namespaced ? namespace : undefined);
  const entries = created.metadata.managedFields ?? [];
  t.ok(
    entries.every(e => e.manager === 'test' && e.apiVersion === apiVersionOf(info)),
    'whoever wrote it owns it',
  );
  t.same(plain(await registry.get(ctx, at('a'), {})), created, 'reads what was created');
  const listed = await registry.list(ctx, namespace, { fieldSelector: 'metadata.name=a' });
  const item = listed.items.map(storedItem)[0] as KubeObject;
  t.same({ ...item, kind: info.kind, apiVersion: apiVersionOf(info) }, created, 'lists it');
  t.equal(await reason(registry.create(ctx, namespace, make({ name: 'a' }))), 'AlreadyExists');

  const revision = await f.store.latest(ctx.signal);
  await registry.update(ctx, at('a'), cloneJson(created), '');
  t.equal(await f.store.latest(ctx.signal), revision, 'putting back what was read writes nothing');
  const labelled = plain((await registry.patch(ctx, at('a'), merge({ metadata: { labels: { x: 'y' } } }), '')).object);
  t.match(labelled.metadata, { labels: { x: 'y' }, uid: created.metadata.uid });
  t.equal(await reason(registry.update(ctx, at('a'), cloneJson(created), '')), 'Conflict', 'an old resourceVersion');

  await registry.patch(ctx, at('a'), merge({ metadata: { finalizers: [FINALIZER] } }), '');
  await registry.delete(ctx, at('a'), NOW);
  const held = await registry.get(ctx, at('a'), {});
  t.match(held.object.metadata.deletionTimestamp, /Z$/, 'a finalizer holds it');
  await registry.patch(ctx, at('a'), merge({ metadata: { finalizers: null } }), '');
  if (f.catalog.preferred(info.plural)?.strategy.finalized === undefined) {
    t.equal(await reason(registry.get(ctx, at('a'), {})), 'NotFound', 'removing it lets it go');
    const types = ['ADDED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED'];
    // A fresh list has seen all of it, and so have watchers.
    await registry.list(ctx, namespace, {});
    await watch.until(types.length);
    t.same(
      watch.events.map(e => e.type),
      types,
      'a watcher saw all of it',
    );
  }
  watch.watch.stop();

  const generated = await create({ generateName: 'g-', labels: { x: 'y' } });
  t.match(generated.metadata.name, /^g-[a-z0-9]{5}$/);
  if (!info.verbs.includes('deletecollection')) return;
  const deleted = await registry.deleteCollection(ctx, namespace, NOW, { labelSelector: 'x=y' });
  t.equal(deleted.items.length, 1);
  t.equal((await registry.list(ctx, namespace, {})).items.length, before.items.length, 'nothing is left');
}
