import t from 'tap';
import { documentV2Protobuf } from '../../../src/api/openapi/document-v2-protobuf.js';
import type { OpenApiDocuments } from '../../../src/api/openapi/documents.js';
import { realClock } from '../../../src/machinery/clock.js';
import { createTurns } from '../../../src/machinery/turns.js';
import type { EndpointSlice, Service } from '../../../src/machinery/types.js';
import type { RemoteApi } from '../../../src/server/aggregation/api-service.js';
import { unavailable } from '../../../src/server/aggregation/availability.js';
import { readAggregated, readLegacy } from '../../../src/server/aggregation/discovery-documents.js';
import { mergeDiscovery } from '../../../src/server/aggregation/merged-discovery.js';
import { addV2, withRemoteOpenApi } from '../../../src/server/aggregation/merged-openapi.js';
import { readV2 } from '../../../src/server/aggregation/openapi-v2.js';
import { createApiServiceTable } from '../../../src/server/aggregation/table.js';

const API: RemoteApi = {
  name: 'v1.agg.example',
  group: 'agg.example',
  version: 'v1',
  service: { namespace: 'ns', name: 'svc', port: 443 },
  ca: undefined,
  caIsReadable: true,
  insecure: false,
  groupPriority: 1000,
  versionPriority: 15,
};

const service = (spec: Service['spec']): Service =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: {}, spec }) as Service;
const slice = (ready: boolean | undefined, name: string, port: number | undefined): EndpointSlice => ({
  metadata: {},
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], ...(ready === undefined ? {} : { conditions: { ready } }) }],
  ports: [{ name, ...(port === undefined ? {} : { port }) }],
});
const https = service({ type: 'ClusterIP', ports: [{ name: 'https', port: 443 }] });

t.test('why an aggregated API cannot be there', async t => {
  const rows: [string, Service | undefined, EndpointSlice[], string | undefined][] = [
    ['no Service', undefined, [], 'ServiceNotFound'],
    ['another port', service({ type: 'ClusterIP', ports: [{ port: 80 }] }), [slice(true, '', 80)], 'ServicePortError'],
    ['no slices', https, [], 'EndpointsNotFound'],
    ['nobody ready', https, [slice(false, 'https', 443)], 'MissingEndpoints'],
    ['another port name', https, [slice(true, 'other', 443)], 'MissingEndpoints'],
    ['a port without a number', https, [slice(true, 'https', undefined)], 'MissingEndpoints'],
    ['ready', https, [slice(false, 'https', 443), slice(true, 'https', 443)], undefined],
    ['ready, where nothing is said', https, [slice(undefined, 'https', 443)], undefined],
    ['of another type nothing is known', service({ type: 'ExternalName', externalName: 'x' }), [], undefined],
    ['no type', service({ ports: [{ port: 80 }] }), [], 'ServicePortError'],
  ];
  for (const [name, found, slices, expect] of rows)
    t.equal(unavailable(API, { service: found, slices })?.reason, expect, name);
  t.equal(
    unavailable(API, { service: https, slices: [slice(false, 'https', 443)] })?.message,
    'endpointslices for service/svc in "ns" have no addresses with port name "https"',
  );
});

t.test('what a server says that it serves', async t => {
  const rows: [string, unknown, unknown][] = [
    ['nothing', null, undefined],
    ['another kind', { kind: 'Pod' }, undefined],
    ['no list', { kind: 'APIResourceList', resources: { a: 1 } }, []],
    [
      'entries that are none',
      {
        kind: 'APIResourceList',
        resources: [1, null, 'x', { name: 'a', kind: 7, verbs: ['get', 7], shortNames: 'a' }],
      },
      [
        {
          resource: 'a',
          responseKind: { group: '', version: '', kind: '' },
          scope: 'Cluster',
          singularResource: '',
          verbs: ['get'],
        },
      ],
    ],
    [
      'a subresource of another scope than its parent',
      { kind: 'APIResourceList', resources: [{ name: 'a', namespaced: true }, { name: 'a/b' }] },
      undefined,
    ],
    [
      'a subresource without a parent',
      { kind: 'APIResourceList', resources: [{ name: '__proto__/b', kind: 'B', verbs: ['get'] }] },
      [
        {
          resource: '__proto__',
          responseKind: { group: '', version: '', kind: '' },
          scope: 'Cluster',
          singularResource: '',
          verbs: null,
          subresources: [{ subresource: 'b', responseKind: { group: '', version: '', kind: 'B' }, verbs: ['get'] }],
        },
      ],
    ],
  ];
  for (const [name, document, expect] of rows) t.strictSame(readLegacy(document), expect, name);
  const many = Array.from({ length: 20_000 }, (_, i) => ({ name: `r${i}`, kind: 'R' }));
  t.equal(readLegacy({ kind: 'APIResourceList', resources: many })?.length, 5_000, 'only so many');
  const aggregated = readAggregated({
    kind: 'APIGroupDiscoveryList',
    items: [7, { metadata: { name: 'g' }, versions: [{ version: 'v1', resources: [{ resource: 'r', junk: 1 }] }] }],
  });
  t.strictSame(
    [...(aggregated ?? [])].map(([gv, resources]) => [gv, resources.map(r => r.resource)]),
    [['g/v1', ['r']]],
  );
});

t.test('one discovery document of all servers', async t => {
  const local = {
    kind: 'APIGroupDiscoveryList',
    items: [
      { metadata: { name: 'apps' }, versions: [{ version: 'v1', freshness: 'Current' }] },
      { metadata: { name: 'custom.example' }, versions: [{ version: 'v1', freshness: 'Current' }] },
    ],
  };
  const entry = (group: string, version: string, priority: number, stale = false) => ({
    api: { ...API, group, version, groupPriority: priority },
    resources: [],
    stale,
  });
  const merged = mergeDiscovery(local, [
    entry('agg.example', 'v1', 20_000),
    entry('custom.example', 'v2', 10),
    entry('apps', 'v1', 5, true),
    entry('a.example', 'v1', 1000),
  ]);
  t.strictSame(
    merged.items.map(({ metadata, versions }) => [metadata.name, versions]),
    [
      ['agg.example', [{ version: 'v1', freshness: 'Current' }]],
      ['a.example', [{ version: 'v1', freshness: 'Current' }]],
      [
        'custom.example',
        [
          { version: 'v1', freshness: 'Current' },
          { version: 'v2', freshness: 'Current' },
        ],
      ],
      ['apps', [{ version: 'v1', freshness: 'Stale' }]],
    ],
  );
});

t.test('groups stand where their most important version does', async t => {
  const of = (group: string, version: string, groupPriorityMinimum: number, versionPriority: number) => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}` },
    spec: { group, version, groupPriorityMinimum, versionPriority },
  });
  const all = [
    of('b', 'v1', 10, 5),
    of('a', 'v1', 10, 5),
    of('c', 'v1', 5, 1),
    of('c', 'v2', 90, 1),
    of('c', 'v3', 1, 9),
  ];
  const table = createApiServiceTable({ list: () => all, generation: () => 1 });
  t.strictSame(
    table.groups().map(group => group.map(({ metadata }) => metadata.name)),
    [['v3.c', 'v2.c', 'v1.c'], ['v1.a'], ['v1.b']],
  );
  t.equal(table.find('apis', 'a', 'v1')?.metadata.name, 'v1.a');
  t.equal(table.find('api', '', 'v1'), undefined);
});

t.test('OpenAPI v2 of all servers', async t => {
  const ref = (name: string) => ({ $ref: `#/definitions/${name}` });
  const remote = readV2(
    {
      paths: {
        '/apis/agg.example/v1/things': { get: ref('Thing') },
        '/apis/agg.example/v10/things': {},
        '/api/v1/pods': { stolen: true },
      },
      definitions: {
        Thing: { meta: ref('Meta'), same: ref('Same'), next: ref('Thing') },
        Meta: { other: true },
        Same: { same: true },
        Unused: {},
      },
    },
    API,
  );
  t.strictSame(Object.keys(remote.paths), ['/apis/agg.example/v1/things'], 'only its own group-version');
  t.strictSame(Object.keys(remote.definitions).sort(), ['Meta', 'Same', 'Thing'], 'only what it needs');
  const paths = new Map<string, unknown>([['/api/v1/pods', {}]]);
  const definitions = new Map<string, unknown>([
    ['Meta', { mine: true }],
    ['Same', { same: true }],
  ]);
  addV2(paths, definitions, remote);
  t.strictSame(Object.fromEntries(definitions), {
    Meta: { mine: true },
    Same: { same: true },
    Meta_v2: { other: true },
    Thing: { meta: ref('Meta_v2'), same: ref('Same'), next: ref('Thing') },
  });
  t.strictSame(Object.fromEntries(paths), {
    '/api/v1/pods': {},
    '/apis/agg.example/v1/things': { get: ref('Thing') },
  });
  t.strictSame(readV2('no document', API), { paths: {}, definitions: {} });
});

t.test("the protobuf form is this server's own, and behind it what only others have", async t => {
  const info = { title: 'T', version: 'v' };
  const document = { info, paths: {}, definitions: { Meta: { type: 'object' } } };
  const local = documentV2Protobuf(document);
  const json = Buffer.from(JSON.stringify(document));
  const v2 = { paths: { '/a': {} }, definitions: { Meta: { type: 'string' }, Thing: { type: 'object' } } };
  const documents = {
    v2: () => Promise.resolve(json),
    v2Protobuf: () => Promise.resolve(local),
  } as Partial<OpenApiDocuments> as OpenApiDocuments;
  let entries = [{ api: API, v2, v3: new Map(), converted: undefined }];
  const remote = { generation: () => entries.length, entries: () => entries };
  const merged = withRemoteOpenApi(documents, remote, createTurns(realClock));
  const added = { Meta_v2: v2.definitions.Meta, Thing: v2.definitions.Thing };
  t.strictSame(await merged.v2Protobuf(), Buffer.concat([local, documentV2Protobuf({ info, definitions: added })]));
  t.strictSame(JSON.parse((await merged.v2()).toString()), {
    info,
    paths: v2.paths,
    definitions: { ...document.definitions, ...added },
  });
  entries = [];
  t.equal(await merged.v2Protobuf(), local, 'nobody else');
});
