import t from 'tap';
import { describe, readModelDocs } from '../../../src/api/build/descriptions.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import { documentV2 } from '../../../src/api/openapi/document-v2.js';
import { documentV2Protobuf } from '../../../src/api/openapi/document-v2-protobuf.js';
import { customKind } from '../../support/custom-kind.js';
import { sha512 } from '../../../src/api/openapi/document-bytes.js';
import { joined, linesOf, partOf, readLines } from '../../../src/api/openapi/parts-v2.js';
import { atOnce } from '../../../src/machinery/steps.js';
import { createOpenApiDocuments, TITLE } from '../../../src/api/openapi/documents.js';
import { api, catalog } from '../../support/schemas.js';

interface Operation {
  parameters?: { name: string }[];
  'x-kubernetes-action'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string };
}

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
