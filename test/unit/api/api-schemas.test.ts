import { mkdtempSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../../src/api/api-schemas.js';
import { checkApiSchemas } from '../../../src/api/build/check-schemas.js';
import { describe, readModelDocs } from '../../../src/api/build/descriptions.js';
import type { CatalogEntry } from '../../../src/api/catalog.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import {
  aggregatedCore,
  aggregatedGroups,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from '../../../src/api/discovery.js';
import { loadApi } from '../../../src/api/load.js';
import { documentV2 } from '../../../src/api/openapi/document-v2.js';
import { documentV2Protobuf } from '../../../src/api/openapi/document-v2-protobuf.js';
import { customKind } from '../../support/custom-kind.js';
import { sha512 } from '../../../src/api/openapi/document-bytes.js';
import { joined, linesOf, partOf, readLines } from '../../../src/api/openapi/parts-v2.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { createOpenApiDocuments, TITLE } from '../../../src/api/openapi/documents.js';

const api = loadApi();
const catalog = createCatalog({}, api);

interface Operation {
  parameters?: { name: string }[];
  'x-kubernetes-action'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string };
}

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

t.test('discovery', async t => {
  t.strictSame(apiVersions('127.0.0.1:6443'), {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  });
  const groups = (apiGroupList(catalog) as { groups: { name: string }[] }).groups.map(group => group.name);
  t.strictSame(groups.slice(0, 4), ['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io']);
  t.strictSame(apiGroup(catalog, 'autoscaling'), {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'autoscaling',
    versions: [
      { groupVersion: 'autoscaling/v2', version: 'v2' },
      { groupVersion: 'autoscaling/v1', version: 'v1' },
    ],
    preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
  });
  t.equal(apiGroup(catalog, 'nope'), undefined);
  const core = apiResourceList(catalog, '', 'v1') as { resources: { name: string }[] };
  t.notOk('apiVersion' in core);
  const named = (name: string) => core.resources.find(resource => resource.name === name);
  t.strictSame(named('namespaces'), {
    name: 'namespaces',
    singularName: 'namespace',
    namespaced: false,
    kind: 'Namespace',
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['ns'],
    storageVersionHash: 'Q3oi5N2YM8M=',
  });
  t.strictSame(named('pods/eviction'), {
    name: 'pods/eviction',
    singularName: '',
    namespaced: true,
    group: 'policy',
    version: 'v1',
    kind: 'Eviction',
    verbs: ['create'],
  });
  const names = core.resources.map(resource => resource.name);
  t.strictSame(names, [...names].sort(), 'in order of name');
  const aggregated = aggregatedGroups(catalog, 'v2') as {
    items: { metadata: { name: string }; versions: { resources: { resource: string }[] }[] }[];
  };
  const apps = aggregated.items.find(item => item.metadata.name === 'apps');
  t.strictSame(
    apps?.versions[0]?.resources.find(resource => resource.resource === 'replicasets'),
    {
      resource: 'replicasets',
      responseKind: { group: '', version: '', kind: 'ReplicaSet' },
      scope: 'Namespaced',
      singularResource: 'replicaset',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['rs'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: '', version: '', kind: 'ReplicaSet' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    },
  );
  t.match(aggregatedCore(catalog, 'v2beta1'), { apiVersion: 'apidiscovery.k8s.io/v2beta1', items: [{ metadata: {} }] });
});

/** Every $ref in a document, as a path into it. */
function* refs(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref' && typeof member === 'string') yield member;
    else yield* refs(member);
  }
}

const resolves = (document: object, ref: string): boolean => {
  let at: unknown = document;
  for (const part of ref.slice(2).split('/')) at = (at as Record<string, unknown> | undefined)?.[part];
  return at !== undefined;
};

t.test('OpenAPI', async t => {
  const documents = createOpenApiDocuments(catalog);
  const groups = new Set(api.groupVersions.map(gv => gv.group));
  t.equal(documents.paths().length, api.groupVersions.length + groups.size - 1 + 5, 'versions, groups and the rest');
  t.strictSame(documents.paths(), [...documents.paths()].sort());
  const ids = new Set<string>();
  for (const path of documents.paths()) {
    const bytes = await documents.v3(path);
    t.equal(await documents.hash(path), sha512(bytes ?? Buffer.alloc(0)), `${path}: its hash`);
    const document = JSON.parse(bytes?.toString() ?? '') as {
      paths: Record<string, Record<string, Operation & { operationId?: string }>>;
    };
    t.strictSame(
      [...refs(document)].filter(ref => !resolves(document, ref)),
      [],
      `${path}: every reference leads somewhere`,
    );
    for (const item of Object.values(document.paths)) {
      if (item['patch'] !== undefined && item['patch']['x-kubernetes-action'] !== 'connect')
        t.ok(
          item['patch'].parameters?.some(p => p.name === 'fieldValidation'),
          'a patch has fieldValidation',
        );
      for (const { operationId } of Object.values(item)) {
        if (operationId === undefined) continue;
        t.notOk(ids.has(operationId), `${operationId} is unique`);
        ids.add(operationId);
      }
    }
  }
  for (const id of [
    'listCoreV1PodForAllNamespaces',
    'createAppsV1NamespacedDeployment',
    'deleteRbacAuthorizationV1CollectionClusterRole',
    'connectCoreV1PostNamespacedPodExec',
    'patchAppsV1NamespacedDeploymentScale',
    'readCoreV1NamespacedPodLog',
    'watchCoreV1NamespacedPodList',
    'watchCoreV1Node',
    'watchAppsV1DeploymentListForAllNamespaces',
    'connectCoreV1HeadNodeProxyWithPath',
    'getAppsV1APIResources',
    'getRbacAuthorizationAPIGroup',
    'getCodeVersion',
  ])
    t.ok(ids.has(id), id);
  t.equal(await documents.v3('apis/nope/v1'), undefined);
  const core = JSON.parse(String(await documents.v3('api/v1'))) as {
    paths: Record<string, { parameters: { name: string }[]; delete?: { parameters: { name: string }[] } }>;
  };
  const list = core.paths['/api/v1/configmaps'];
  t.match(list?.parameters[0]?.name, 'allowWatchBookmarks', 'what all operations of a path take is said once');
  const collection = core.paths['/api/v1/namespaces/{namespace}/configmaps'];
  t.strictSame(
    collection?.parameters.map(p => p.name),
    ['namespace', 'pretty'],
  );
  t.notOk(collection?.delete?.parameters.some(p => p.name === 'pretty'));

  const descriptions = describe(api, readModelDocs());
  t.match(descriptions.get('io.k8s.api.core.v1.PodSpec.containers'), /^List of containers belonging to the pod/);
  t.match(descriptions.get('io.k8s.api.core.v1.Event'), /^Event is a report/);
  const v2 = documentV2(api, api.resources, descriptions, TITLE);
  t.strictSame(
    [...refs(v2)].filter(ref => !resolves(v2, ref)),
    [],
    'v2: every reference leads somewhere',
  );
  t.ok(documentV2Protobuf(v2).length > 100_000);
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

t.test('documents of many kinds are made in steps, and joined they say what one document of all would', async t => {
  const mutable = createCatalog({}, api);
  const kinds = Array.from({ length: 40 }, (_, i) => {
    const schema = { type: 'object', properties: { spec: { type: 'object', description: `Größe ${i}\n` } } };
    const { info, ...rest } = customKind(api, schema);
    const names = { plural: `widgets${i}`, group: `g${i % 7}.example.org` };
    return { ...rest, info: { ...info, ...names, storage: { ...info.storage, ...names, resource: names.plural } } };
  });
  mutable.setCustom(kinds);
  let turns = 0;
  const eager = { isOver: () => true, next: async () => void turns++ };
  const documents = createOpenApiDocuments(mutable, eager);
  const v2 = JSON.parse((await documents.v2()).toString()) as Record<'paths' | 'definitions', object>;
  t.ok(turns > 1000, 'rests between the members of the document');
  t.strictSame(
    [...refs(v2)].filter(ref => !resolves(v2, ref)),
    [],
    'every reference leads somewhere',
  );
  for (const { info } of kinds)
    t.ok(`/apis/${info.group}/v1/namespaces/{namespace}/${info.plural}/{name}` in v2.paths, info.plural);
  const again = await documents.v2();
  t.equal(again, await documents.v2(), 'made once');
  t.equal(await documents.hashOf(again), sha512(again));
  mutable.setCustom(kinds.slice(1));
  const less = JSON.parse((await documents.v2()).toString()) as typeof v2;
  t.notOk('/apis/g0.example.org/v1/namespaces/{namespace}/widgets0/{name}' in less.paths, 'one that is gone');
  t.equal(Object.keys(less.definitions).length, Object.keys(v2.definitions).length, 'its group still has the type');
});

t.test('lines of a part are the part', t => {
  const document = {
    swagger: '2.0',
    info: { title: 'x' },
    paths: { '/a b/': { get: { text: 'Größe\n"' } }, '/c': {} },
    definitions: {},
    parameters: { p: { in: 'query' } },
  };
  const part = atOnce(partOf(document));
  t.strictSame(atOnce(readLines(Buffer.from(linesOf(part)))), part);
  t.strictSame(JSON.parse(atOnce(joined([part])).toString()), document);
  t.end();
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
