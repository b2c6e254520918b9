import { join } from 'node:path';
import t from 'tap';
import { packageFolder, readApiSchemas } from '../../../src/api/api-schemas.js';
import { ownDescriptions } from '../../../src/api/build/descriptions.js';
import { loadApi } from '../../../src/api/load.js';
import { aggregatedFiles } from '../../../src/api/openapi/aggregated.js';
import { aggregatedDocuments } from '../../../src/api/openapi/aggregated-documents.js';
import { createOpenApi } from '../../../src/metrics/openapi.js';

const GV = { group: 'metrics.k8s.io', version: 'v1beta1' };
const PATH = 'apis/metrics.k8s.io/v1beta1';
const PACKAGE = 'io.k8s.metrics.pkg.apis.metrics.v1beta1';
/** No such folder: made from api-schemas/. */
const documents = aggregatedDocuments(GV, join(packageFolder('api-schemas'), 'none'));

/** Every $ref in a document. */
function references(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, inner] of Object.entries(value))
    if (key === '$ref') found.add(String(inner));
    else references(inner, found);
  return found;
}

interface Document {
  readonly paths: Record<string, object>;
  readonly definitions?: Record<string, object>;
  readonly parameters?: Record<string, object>;
  readonly components?: { readonly schemas: Record<string, object> };
}

t.test('both versions say what is served, and refer to nothing that is not there', async t => {
  const { v2, v3 } = await documents;
  const rows = [
    { name: 'v2', document: JSON.parse(v2.toString()) as Document },
    { name: 'v3', document: JSON.parse((v3.get(PATH) ?? '').toString()) as Document },
  ];
  for (const { name, document } of rows) {
    const definitions = document.definitions ?? document.components?.schemas ?? {};
    for (const place of references(document)) {
      const [, ...parts] = place.split('/');
      const found = parts.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
      t.ok(found, `${name}: ${place}`);
    }
    const paths = Object.keys(document.paths).filter(path => path.startsWith(`/${PATH}`));
    t.strictSame(
      paths.sort(),
      [
        '/',
        '/namespaces/{namespace}/pods',
        '/namespaces/{namespace}/pods/{name}',
        '/nodes',
        '/nodes/{name}',
        '/pods',
      ].map(path => `/${PATH}${path}`),
      name,
    );
    t.match(
      definitions[`${PACKAGE}.PodMetrics`],
      {
        required: ['containers', 'timestamp', 'window'],
        'x-kubernetes-group-version-kind': [{ ...GV, kind: 'PodMetrics' }],
      },
      name,
    );
    t.match(definitions['io.k8s.apimachinery.pkg.apis.meta.v1.Duration'], { type: 'string' }, name);
    t.notMatch(JSON.stringify(document), 'protobuf', `${name} promises what there is`);
    t.match(JSON.stringify(document), '"list objects of kind NodeMetrics"', name);
  }
});

t.test('the build describes every type and its fields', async t => {
  const own = ownDescriptions(readApiSchemas(undefined, 'aggregated').files);
  const api = loadApi(undefined, 'aggregated');
  for (const { name, fields } of [
    ...api.kinds.map(({ type }) => type),
    api.type('metrics.v1beta1.ContainerMetrics'),
  ].flatMap(type => (type?.name.startsWith(PACKAGE) === true ? [type] : [])))
    for (const key of [name, ...fields.filter(f => f.name !== 'metadata').map(f => `${name}.${f.name}`)])
      t.ok(own.get(key), key);
  const files = aggregatedFiles(api, own);
  t.match(files.get('aggregated/metrics.k8s.io_v1beta1/v2.json')?.toString(), 'What a node uses.');
});

t.test('answers', async t => {
  const made = await documents;
  const openApi = createOpenApi(made);
  const ask = (path: string, known?: string) => {
    const [before = '', query] = path.split('?');
    return openApi.answer({ path: before, query: new URLSearchParams(query), known });
  };
  const index = JSON.parse(ask('/openapi/v3').body.toString()) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  t.strictSame(Object.keys(index.paths), [...made.v3.keys()].sort());
  for (const [path, { serverRelativeURL }] of Object.entries(index.paths)) {
    const { code, headers, body } = ask(serverRelativeURL);
    t.strictSame([code, headers['Cache-Control'], body], [200, 'public, immutable', made.v3.get(path)], path);
  }
  const current = index.paths[PATH]?.serverRelativeURL;
  const rows = [
    { name: 'v2', path: '/openapi/v2', expect: { code: 200, body: made.v2 } },
    { name: 'without a hash', path: `/openapi/v3/${PATH}`, expect: { code: 200, body: made.v3.get(PATH) } },
    { name: 'an old hash', path: `/openapi/v3/${PATH}?hash=AB`, expect: { code: 301, headers: { Location: current } } },
  ];
  for (const { name, path, expect } of rows) t.match(ask(path), expect, name);
  for (const path of ['/openapi/v2', '/openapi/v3', current ?? ''])
    t.match(ask(path, ask(path).headers['Etag']), { code: 304, body: '' }, path);
  for (const path of ['/openapi/v4', '/openapi/v3/apis/apps/v1', '/openapi/v3/'])
    t.throws(() => ask(path), /could not find the requested resource/, path);
});
