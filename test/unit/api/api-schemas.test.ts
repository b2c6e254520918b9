import { mkdtempSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../../src/api/api-schemas.js';
import { checkApiSchemas } from '../../../src/api/build/check-schemas.js';
import type { CatalogEntry } from '../../../src/api/catalog.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import { apiGroup } from '../../../src/api/discovery.js';
import { loadApi } from '../../../src/api/load.js';
import { customKind } from '../../support/custom-kind.js';
import { createOpenApiDocuments } from '../../../src/api/openapi/documents.js';
import { api, catalog } from '../../support/schemas.js';

t.test('the catalog', async t => {
  const info = (group: string, version: string, plural: string) => catalog.find(group, version, plural)?.info;
  t.equal(catalog.find('', 'v1', 'pods')?.schema.fields.struct.byName.get('spec')?.type.kind, 'struct');
  t.equal(catalog.preferred('horizontalpodautoscalers.autoscaling')?.info.version, 'v2');
  t.strictSame(info('events.k8s.io', 'v1', 'events')?.storage, { group: '', version: 'v1', resource: 'events' });
  t.equal(catalog.findKind('apps', 'v1', 'Deployment')?.info.plural, 'deployments');
  t.equal(info('', 'v1', 'bindings')?.storageVersionHash, undefined, 'what is not stored has no hash');
  const hashes: [group: string, version: string, plural: string, hash: string][] = [
    ['apps', 'v1', 'deployments', '8aSe+NMegvE='],
    ['', 'v1', 'pods', 'xPOwRZ+Yhw8='],
    ['events.k8s.io', 'v1', 'events', 'r2yiGXH7wu8='],
    ['autoscaling', 'v1', 'horizontalpodautoscalers', 'qwQve8ut294='],
  ];
  for (const [group, version, plural, hash] of hashes)
    t.equal(info(group, version, plural)?.storageVersionHash, hash, plural);
  t.throws(() => createCatalog({ 'deployment.apps': {} }, api), /deployment\.apps/, 'a misspelt strategy is an error');
  const own = createCatalog({ 'horizontalpodautoscalers.autoscaling/v1': { validate: () => [] } }, api);
  t.type(own.find('autoscaling', 'v1', 'horizontalpodautoscalers')?.strategy.validate, 'function');
  t.equal(own.find('autoscaling', 'v2', 'horizontalpodautoscalers')?.strategy.validate, undefined);
  for (const { info: each, schema } of catalog.entries()) {
    t.ok(schema.columns.definitions.length > 0, `${each.plural} has columns`);
    for (const sub of each.subresources)
      t.ok(
        sub.kind.endsWith('Options') || api.kind(sub.group, sub.version, sub.kind) !== undefined,
        `${each.plural}/${sub.name} has a kind that exists`,
      );
    const roots = [...each.selectableFields.values(), ...Object.values(each.resetFields).flat()].map(
      p => p.split('.')[0],
    );
    for (const root of roots) t.ok(schema.fields.struct.byName.has(root ?? ''), `${each.plural} has ${root ?? ''}`);
    if (each.stored) t.ok(api.kind(each.group, each.version, each.listKind), `${each.plural} has a list`);
  }
});

t.test('custom resources come and go', async t => {
  const mutable = createCatalog({}, api);
  const pods = mutable.find('', 'v1', 'pods');
  if (pods === undefined) return void t.fail('no pods');
  const spec = { type: 'object', properties: { at: { 'x-kubernetes-int-or-string': true } } };
  const widgets = customKind(api, { type: 'object', properties: { spec } });
  const before = mutable.generation;
  mutable.setCustom([widgets, { ...pods, strategy: { default: () => undefined } }]);
  t.ok(mutable.generation > before);
  t.equal(mutable.find('', 'v1', 'pods')?.strategy.default, undefined, 'built-in resources stay');
  t.match(mutable.groupVersions().at(-1), { group: 'example.org', version: 'v1' });
  t.match(apiGroup(mutable, 'example.org'), { name: 'example.org' });
  const documents = createOpenApiDocuments(mutable);
  const document = JSON.parse((await documents.v3('apis/example.org/v1'))?.toString() ?? '') as {
    paths: Record<string, { patch: { requestBody: { content: object } } }>;
    components: { schemas: Record<string, { properties: object }> };
  };
  t.ok('/apis/example.org/v1/namespaces/{namespace}/widgets/{name}' in document.paths, 'with an OpenAPI document');
  const { patch } = document.paths['/apis/example.org/v1/namespaces/{namespace}/widgets/{name}'] ?? {};
  t.same(Object.keys(patch?.requestBody.content ?? {}), [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
  ]);
  const ref = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
  t.match(document.components.schemas['org.example.v1.Widget'], {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [{ $ref: `#/components/schemas/${ref}` }] },
      spec: { properties: { at: { anyOf: [{ type: 'integer' }, { type: 'string' }] } } },
    },
    'x-kubernetes-group-version-kind': [{ group: 'example.org', kind: 'Widget', version: 'v1' }],
  });
  t.match(document.components.schemas['org.example.v1.WidgetList'], {
    properties: { items: { items: { $ref: '#/components/schemas/org.example.v1.Widget' } } },
  });
  t.ok(ref in document.components.schemas);
  mutable.setCustom([]);
  t.equal(await documents.v3('apis/example.org/v1'), undefined, 'which goes with them');
});

t.test('custom resources of an owner come and go, and those of others stay', async t => {
  const mutable = createCatalog({}, api);
  const kindOf = (group: string, plural: string) => {
    const { info, ...rest } = customKind(api, { type: 'object' });
    const kind = plural.toUpperCase();
    return { ...rest, info: { ...info, group, plural, kind, listKind: `${kind}List` } };
  };
  const [a, b, c] = [kindOf('x.org', 'as'), kindOf('x.org', 'bs'), kindOf('b.org', 'cs')];
  const steps: readonly { name: string; put: [string, CatalogEntry[]]; expect: readonly string[] }[] = [
    { name: 'one', put: ['a', [a]], expect: ['x.org/as'] },
    { name: 'another one in its group', put: ['b', [b]], expect: ['x.org/as', 'x.org/bs'] },
    { name: 'in a group before', put: ['c', [c]], expect: ['b.org/cs', 'x.org/as', 'x.org/bs'] },
    { name: 'the first one goes', put: ['a', []], expect: ['b.org/cs', 'x.org/bs'] },
    { name: 'its kind is served anew', put: ['b', [{ ...b }]], expect: ['b.org/cs', 'x.org/bs'] },
    { name: 'the last one of a group goes', put: ['c', []], expect: ['x.org/bs'] },
    { name: 'built-in ones are not replaced', put: ['d', mutable.entries().slice(0, 3)], expect: ['x.org/bs'] },
  ];
  const builtIn = mutable.entries().length;
  for (const { name, put, expect } of steps) {
    const before = mutable.generation;
    mutable.putCustom(...put);
    t.ok(mutable.generation > before, `${name}: told by the generation`);
    const own = mutable.groupVersions().slice(api.groupVersions.length);
    const found = own.flatMap(({ group, version }) => mutable.served(group, version).map(({ info }) => info));
    t.strictSame(
      found.map(({ group, plural }) => `${group}/${plural}`),
      expect,
      name,
    );
    t.equal(mutable.entries().length, builtIn + expect.length, name);
    for (const entry of [a, b, c]) {
      const { group, version, plural, kind } = entry.info;
      const there = expect.includes(`${group}/${plural}`);
      t.equal(mutable.find(group, version, plural) !== undefined, there, `${name}: ${plural} by path`);
      t.equal(mutable.findKind(group, version, kind) !== undefined, there, `${name}: ${plural} by kind`);
      t.equal(mutable.preferred(`${plural}.${group}`) !== undefined, there, `${name}: ${plural} by resource`);
    }
  }
});

t.test('a mistake in api-schemas is found by the build', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-schemas-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(packageFolder('api-schemas'), folder, { recursive: true });
  t.doesNotThrow(() => checkApiSchemas(folder));
  const file = join(folder, 'coordination.v1.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"allowCreateOnUpdate"', '"allowCreateOnUpdte"'));
  t.throws(() => checkApiSchemas(folder), /coordination\.v1\.json\/resources\/0/);
  writeFileSync(file, text.replace('"LeaseSpec", "pb"', '"LeaseSpecs", "pb"'));
  t.throws(() => loadApi(folder).kind('coordination.k8s.io', 'v1', 'Lease')?.type.fields, /no type LeaseSpecs/);
});
