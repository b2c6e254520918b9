import t from 'tap';
import { apiResourceList } from '../../../../src/api/discovery.js';
import { createMemoryStore } from '../../../../src/storage/memory/memory-store.js';
import { definedKinds, definitionOf, versionOf, widget } from '../../../support/defined-kinds.js';
import { record } from '../../../support/registries.js';
import { until } from '../../../support/until.js';

const ALL = { dryRun: false };
const NAME = 'widgets.example.org';

t.test('a definition becomes a kind that is served from when it is established', async t => {
  const f = await definedKinds(t);
  const seen: boolean[] = [];
  const definitions = await record(f.registry('customresourcedefinitions.apiextensions.k8s.io'), f.context(), '', {});
  await f.define(definitionOf({ shortNames: ['wd'] }));
  await until('a watcher is told', () => {
    for (const event of definitions.events.splice(0))
      if ('object' in event && f.conditions(NAME).includes('Established=True InitialNamesAccepted'))
        seen.push(f.catalog.find('example.org', 'v1', 'widgets') !== undefined);
    return seen.length > 0;
  });
  t.ok(
    seen.every(served => served),
    'who is told that it is established finds it served',
  );
  t.same(f.conditions(NAME), ['NamesAccepted=True NoConflicts', 'Established=True InitialNamesAccepted']);
  t.match(f.definition(NAME)?.status?.acceptedNames, { plural: 'widgets', listKind: 'WidgetList', shortNames: ['wd'] });
  const registry = f.registries.get(f.entry('example.org', 'v1', 'widgets'));
  await registry.create(f.context(), 'default', widget('a', { any: { thing: 1 } }));
  t.match((await registry.get(f.context(), { namespace: 'default', name: 'a' }, {})).object, { any: { thing: 1 } });
  t.match(f.registries.objects.get('apiservices.apiregistration.k8s.io', { namespace: '', name: 'v1.example.org' }), {
    metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
    spec: { group: 'example.org', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 100 },
  });
  definitions.watch.stop();
});

t.test('deleting a definition removes its objects, then itself; its watches end', async t => {
  const f = await definedKinds(t);
  await f.define(definitionOf());
  await f.established(NAME);
  const registry = f.registries.get(f.entry('example.org', 'v1', 'widgets'));
  await registry.create(f.context(), 'a', widget('one'));
  await registry.create(f.context(), 'b', {
    ...widget('two'),
    metadata: { name: 'two', finalizers: ['example.org/hold'] },
  });
  const watch = await record(registry, f.context(), '', {});
  const definitions = f.registry('customresourcedefinitions.apiextensions.k8s.io');
  await definitions.delete(f.context(), { namespace: '', name: NAME }, ALL);
  await until('what waits for nobody is gone', () => f.registries.count(f.entry('example.org', 'v1', 'widgets')) === 1);
  const going = f.entry('example.org', 'v1', 'widgets');
  t.same(
    (apiResourceList(f.catalog, 'example.org', 'v1') as { resources: { verbs: string[] }[] }).resources[0]?.verbs,
    ['delete', 'deletecollection', 'get', 'list', 'watch'],
    'discovery says what is left to do',
  );
  await t.rejects(f.registries.get(going).create(f.context(), 'a', widget('late')), {
    code: 403,
    message: /create not allowed while custom resource definition is terminating/,
  });
  t.notOk(watch.ended, 'watches go on while objects go');
  const held = await f.registries.get(going).get(f.context(), { namespace: 'b', name: 'two' }, {});
  const released = JSON.parse(held.encode().toString()) as ReturnType<typeof widget>;
  delete released.metadata.finalizers;
  await f.registries.get(going).update(f.context(), { namespace: 'b', name: 'two' }, released, '');
  await until('the definition is gone', () => f.definition(NAME) === undefined);
  t.equal(f.catalog.find('example.org', 'v1', 'widgets'), undefined);
  await until('the watch ends', () => watch.ended);
  t.same(
    watch.events.map(event => event.type),
    ['ADDED', 'ADDED', 'DELETED', 'MODIFIED', 'DELETED'],
  );
  const services = 'apiservices.apiregistration.k8s.io';
  await until('so does its APIService', () => {
    return f.registries.objects.get(services, { namespace: '', name: 'v1.example.org' }) === undefined;
  });
});

t.test(
  'a definition is deleted while its objects are made and watched: nothing stays, and watchers are told of each',
  async t => {
    const f = await definedKinds(t);
    await f.define(definitionOf());
    await f.established(NAME);
    const served = () => f.catalog.find('example.org', 'v1', 'widgets');
    const first = f.registries.get(f.entry('example.org', 'v1', 'widgets'));
    const watches = await Promise.all(Array.from({ length: 5 }, () => record(first, f.context(), '', {})));
    const refusals = new Set<string>();
    let made = 0;
    /** As a client does: of whatever serves the kind at the moment, until nothing does. */
    const writer = async (who: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const entry = served();
        if (entry === undefined) return;
        try {
          await f.registries.get(entry).create(f.context(), `ns${who}`, widget(`w${who}-${i}`));
          made++;
        } catch (error) {
          refusals.add((error as Error).message);
        }
        await new Promise(resolve => setImmediate(resolve));
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, (_, i) => writer(i)));
    await until('some are there', () => made >= 100);
    const definitions = f.registry('customresourcedefinitions.apiextensions.k8s.io');
    await definitions.delete(f.context(), { namespace: '', name: NAME }, ALL);
    await until('the definition is gone', () => f.definition(NAME) === undefined);
    await writers;
    t.ok(
      [...refusals].every(text => text.includes('create not allowed while custom resource definition is terminating')),
      [...refusals].join(),
    );
    await until('all watches end', () => watches.every(({ ended }) => ended));
    for (const { events } of watches) {
      const told = new Map<string, number>();
      for (const event of events) told.set(event.type, (told.get(event.type) ?? 0) + 1);
      t.same([told.get('ADDED'), told.get('DELETED')], [made, made], 'each has come and gone');
    }
    await f.define(definitionOf());
    await f.established(NAME);
    t.equal(f.registries.count(f.entry('example.org', 'v1', 'widgets')), 0, 'the next of that name begins with none');
  },
);

t.test('who converts with a certificate that nobody can check is not served', async t => {
  const f = await definedKinds(t);
  const webhook = {
    clientConfig: { url: 'https://127.0.0.1:1/', caBundle: 'aGVsbG8=' },
    conversionReviewVersions: ['v1'],
  };
  await f.define(definitionOf({ spec: { conversion: { strategy: 'Webhook', webhook } } }));
  await until('a verdict', () => f.conditions(NAME).includes('Established=False InvalidCABundle'));
  t.equal(f.catalog.find('example.org', 'v1', 'widgets'), undefined);
});

t.test('a changed kind is served anew: watches end, objects stay', async t => {
  const f = await definedKinds(t);
  await f.define(definitionOf());
  await f.established(NAME);
  const before = f.entry('example.org', 'v1', 'widgets');
  await f.registries.get(before).create(f.context(), 'a', widget('one', { spec: { size: 1 } }));
  const watch = await record(f.registries.get(before), f.context(), '', {});
  await f.registries.objects.update(
    f.context(),
    'customresourcedefinitions.apiextensions.k8s.io',
    { namespace: '', name: NAME },
    object => {
      const spec = object['spec'] as { versions: object[] };
      spec.versions = [
        versionOf('v1', { schema: { openAPIV3Schema: { type: 'object' } } }),
        versionOf('v2', { storage: false }),
      ];
    },
  );
  await until('the new entry', () => f.catalog.find('example.org', 'v2', 'widgets') !== undefined);
  await until('the watch ends', () => watch.ended);
  const now = f.entry('example.org', 'v1', 'widgets');
  t.not(now, before);
  const pruned = (await f.registries.get(now).get(f.context(), { namespace: 'a', name: 'one' }, {})).object;
  t.equal(pruned['spec'], undefined, 'read by the schema of today');
  t.equal(f.catalog.preferred('widgets.example.org')?.info.version, 'v2', 'the newest version is preferred');
});

t.test('names are given once in a group; who frees one gives it to the next', async t => {
  const f = await definedKinds(t);
  await f.define(definitionOf({ shortNames: ['w'] }));
  await f.established(NAME);
  await f.define(definitionOf({ plural: 'gadgets', kind: 'Widget', shortNames: ['w', 'g'] }));
  await until('a verdict', () => f.conditions('gadgets.example.org').length > 0);
  t.same(f.conditions('gadgets.example.org'), [
    'NamesAccepted=False ListKindConflict',
    'Established=False NotAccepted',
  ]);
  t.equal(f.catalog.find('example.org', 'v1', 'gadgets'), undefined);
  await f
    .registry('customresourcedefinitions.apiextensions.k8s.io')
    .delete(f.context(), { namespace: '', name: NAME }, ALL);
  await f.established('gadgets.example.org');
  t.match(f.definition('gadgets.example.org')?.status?.acceptedNames, { kind: 'Widget', shortNames: ['w', 'g'] });
});

t.test('many definitions that come at once want what only one of them can have', async t => {
  const f = await definedKinds(t);
  const names = Array.from({ length: 20 }, (_, i) => `kind${i}s`);
  await Promise.all(names.map(plural => f.define(definitionOf({ plural, kind: `K${plural}`, shortNames: ['k'] }))));
  const verdicts = (): string[] => names.flatMap(plural => f.conditions(`${plural}.example.org`));
  await until('verdicts', () => verdicts().filter(v => v.startsWith('NamesAccepted')).length === names.length);
  t.equal(verdicts().filter(v => v === 'NamesAccepted=True NoConflicts').length, 1);
  t.equal(verdicts().filter(v => v === 'NamesAccepted=False ShortNamesConflict').length, names.length - 1);
});

t.test('the community approves what goes by its name', async t => {
  const f = await definedKinds(t);
  for (const [annotation, expected] of [
    ['https://github.com/kubernetes/kubernetes/pull/1', 'True ApprovedAnnotation'],
    ['unapproved, experimental-only', 'False UnapprovedAnnotation'],
  ] as const) {
    const plural = annotation.startsWith('un') ? 'wilds' : 'tames';
    const definition = definitionOf({ group: 'x.k8s.io', plural, kind: plural });
    definition.metadata.annotations = { 'api-approved.kubernetes.io': annotation };
    await f.define(definition);
    const condition = `KubernetesAPIApprovalPolicyConformant=${expected}`;
    await until(condition, () => f.conditions(`${plural}.x.k8s.io`).includes(condition));
  }
});

t.test('APIServices of definitions are put back', async t => {
  const f = await definedKinds(t);
  await f.define(definitionOf());
  await f.established(NAME);
  const id = 'apiservices.apiregistration.k8s.io';
  const key = { namespace: '', name: 'v1.example.org' };
  const found = () => f.registries.objects.get(id, key) as { spec?: { versionPriority?: number } } | undefined;
  await until('it is there', () => found() !== undefined);
  await f.registries.objects.update(f.context(), id, key, object => {
    (object['spec'] as { versionPriority: number }).versionPriority = 7;
  });
  await until('the edit is undone', () => found()?.spec?.versionPriority === 100);
  await f.registry(id).delete(f.context(), key, ALL);
  await until('it is back', () => found() !== undefined);
});

t.test('after a restart every established kind is served from the first moment on', async t => {
  const store = createMemoryStore();
  t.teardown(() => store.close());
  const first = await definedKinds(t, { store });
  await first.define(definitionOf());
  await first.established(NAME);
  await first.registries.get(first.entry('example.org', 'v1', 'widgets')).create(first.context(), 'a', widget('one'));
  first.close();
  const second = await definedKinds(t, { store });
  const entry = second.entry('example.org', 'v1', 'widgets');
  t.equal(second.registries.count(entry), 1);
  t.same(
    [...second.registries.objects.list('widgets.example.org')].map(({ metadata }) => metadata.name),
    ['one'],
  );
});

t.test('a cleanup that was interrupted is taken up again', async t => {
  const store = createMemoryStore();
  t.teardown(() => store.close());
  const first = await definedKinds(t, { store });
  await first.define(definitionOf());
  await first.established(NAME);
  const registry = first.registries.get(first.entry('example.org', 'v1', 'widgets'));
  await registry.create(first.context(), 'a', widget('one'));
  first.close();
  // The mark is made by a server that maintains nothing, as one that is killed right after it.
  await first
    .registry('customresourcedefinitions.apiextensions.k8s.io')
    .delete({ ...first.context(), signal: new AbortController().signal }, { namespace: '', name: NAME }, ALL);
  const second = await definedKinds(t, { store });
  await until('it is gone', () => second.definition(NAME) === undefined);
  t.equal(second.catalog.find('example.org', 'v1', 'widgets'), undefined);
});
