import t, { type Test } from 'tap';
import { cloneJson } from '../../../src/machinery/json-equal.js';
import { atOnce } from '../../../src/machinery/steps.js';
import type { JsonObject } from '../../../src/machinery/types.js';
import type { CatalogEntry } from '../../../src/api/catalog.js';
import { loadApi } from '../../../src/api/load.js';
import { printerColumns } from '../../../src/api/structural/columns.js';
import type { JsonSchemaProps } from '../../../src/api/structural/json-schema-props.js';
import { customKind } from '../../support/custom-kind.js';
import { startFakeApi, type FakeApi } from '../../support/fake-api.js';
import { fixture, plain } from '../../support/registries.js';

const WIDGETS = '/apis/example.org/v1/namespaces/d/widgets';

const string: JsonSchemaProps = { type: 'string' };
const spec: JsonSchemaProps = {
  type: 'object',
  properties: {
    size: { type: 'integer' },
    on: { type: 'boolean' },
    name: { type: 'string', default: 'dee' },
    tags: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
    opt: { type: 'string', nullable: true },
    any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    map: { type: 'object', additionalProperties: { type: 'integer' } },
  },
};

/** The HTTP face over real registries, which serve widgets, too. */
async function withWidgets(t: Test): Promise<FakeApi> {
  const f = await fixture();
  f.catalog.setCustom([customKind(loadApi(), { type: 'object', properties: { spec } })]);
  const api = await startFakeApi({
    catalog: f.catalog,
    registryOf: entry => f.registries.get(entry),
    objects: f.registries.objects,
  });
  t.teardown(async () => {
    await api.close();
    f.close();
  });
  return api;
}

const widget = (spec: unknown, metadata: object = {}): JsonObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'a', ...metadata },
  spec,
});

const send = async (api: FakeApi, method: string, path: string, body: unknown, type = 'application/json') => {
  const headers = { 'content-type': type, 'user-agent': 'test' };
  const answer = await api.request(method, path, { headers, body: JSON.stringify(body) });
  const json = answer.body as { spec?: unknown; metadata: JsonObject; message?: string };
  const warnings = [answer.headers['warning'] ?? []].flat().join(' ');
  return { code: answer.status, spec: json.spec, metadata: json.metadata, message: json.message, warnings };
};

const PATCHES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
  strategic: 'application/strategic-merge-patch+json',
};

const KEPT = { any: { n: null, z: 0 }, map: { b: 0 }, name: 'dee', on: false, opt: null, size: 0 };
const SENT = { size: 0, on: false, tags: null, opt: null, name: null, any: { z: 0, n: null }, map: { b: 0, a: null } };

t.test('nulls and zeros live through POST, PUT and every patch; what is unknown goes, with a word', async t => {
  const api = await withWidgets(t);
  const created = await send(api, 'POST', WIDGETS, widget({ ...SENT, extra: 1 }));
  t.equal(created.code, 201);
  t.same(created.spec, KEPT);
  t.equal(created.warnings, '299 - "unknown field \\"spec.extra\\""');
  const owned = created.metadata['managedFields'] as { fieldsV1: JsonObject }[];
  t.same(
    owned[0]?.fieldsV1,
    {
      'f:spec': {
        '.': {},
        'f:any': { '.': {}, 'f:n': {}, 'f:z': {} },
        'f:map': { '.': {}, 'f:b': {} },
        'f:name': {},
        'f:on': {},
        'f:opt': {},
        'f:size': {},
      },
    },
    'zeros and nulls are owned as well',
  );
  const { resourceVersion } = created.metadata;
  const put = await send(api, 'PUT', `${WIDGETS}/a`, widget({ ...SENT, size: 1, extra: 1 }, { resourceVersion }));
  t.same(put.spec, { ...KEPT, size: 1 });
  t.match(put.warnings, /unknown field/);
  const merged = await send(
    api,
    'PATCH',
    `${WIDGETS}/a`,
    { spec: { size: 0, extra: 1, map: { c: 0 } } },
    PATCHES.merge,
  );
  t.same(merged.spec, { ...KEPT, map: { b: 0, c: 0 } });
  t.match(merged.warnings, /unknown field/);
  const operations = [
    { op: 'add', path: '/spec/any/y', value: null },
    { op: 'add', path: '/spec/zz', value: 0 },
    { op: 'add', path: '/spec/tags', value: null },
  ];
  const patched = await send(api, 'PATCH', `${WIDGETS}/a`, operations, PATCHES.json);
  t.same(patched.spec, { ...KEPT, any: { n: null, y: null, z: 0 }, map: { b: 0, c: 0 } });
  t.match(patched.warnings, /unknown field \\"spec.zz\\"/);
  const apply = `${WIDGETS}/a?fieldManager=m&force=true`;
  const applied = await send(
    api,
    'PATCH',
    apply,
    widget({ opt: null, any: { n: null, q: 0 }, on: false }),
    PATCHES.apply,
  );
  t.same(applied.spec, { ...KEPT, any: { n: null, q: 0, y: null, z: 0 }, map: { b: 0, c: 0 } });
  t.same((await api.request('GET', `${WIDGETS}/a`)).body, (await api.request('GET', `${WIDGETS}/a`)).body);
});

t.test('what is refused', async t => {
  const api = await withWidgets(t);
  await send(api, 'POST', WIDGETS, widget({}));
  const refused = async (
    wanted: readonly [number, string | RegExp],
    ...request: [string, string, unknown, string?]
  ) => {
    const answer = await send(api, ...request);
    t.equal(answer.code, wanted[0]);
    t.match(answer.message, wanted[1]);
  };
  const known = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
  const body = 'the body of the request was in an unknown format - accepted media types include:';
  await refused([415, `${body} ${known}`], 'PATCH', `${WIDGETS}/a`, {}, PATCHES.strategic);
  await refused(
    [415, `${body} application/json, application/yaml`],
    'POST',
    WIDGETS,
    {},
    'application/vnd.kubernetes.protobuf',
  );
  const wrong = 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"';
  await refused(
    [422, `Widget.example.org "b" is invalid: ${wrong}`],
    'POST',
    WIDGETS,
    widget({ size: 'x' }, { name: 'b' }),
  );
  const other = 'Gadget.example.org "a" is invalid: kind: Invalid value: "Gadget": must be Widget';
  await refused([422, other], 'POST', WIDGETS, { ...widget({}), kind: 'Gadget' });
  await refused([422, other], 'PATCH', `${WIDGETS}/a`, { kind: 'Gadget' }, PATCHES.merge);
  await refused(
    [422, /": Object 'Kind' is missing in '\{"apiVersion":"example.org\/v1","metadata":\{/],
    'PATCH',
    `${WIDGETS}/a`,
    { kind: null },
    PATCHES.merge,
  );
  const apply =
    'failed to create typed patch object (/a; example.org/v1, Kind=Widget): .spec.zz: field not declared in schema';
  await refused([500, apply], 'PATCH', `${WIDGETS}/a?fieldManager=m`, widget({ zz: 1 }), PATCHES.apply);
  const strict = 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.zz"';
  await refused([400, strict], 'POST', `${WIDGETS}?fieldValidation=Strict`, widget({ zz: 1 }));
  const accept = { accept: 'application/vnd.kubernetes.protobuf' };
  const binary = await api.request('GET', `${WIDGETS}/a`, { headers: accept });
  t.equal(binary.status, 406);
});

t.test('apply keeps a null that is refused where an update would drop it', async t => {
  const api = await withWidgets(t);
  await send(api, 'POST', WIDGETS, widget({ tags: null, size: 1 }));
  const wrong = 'spec.tags: Invalid value: "null": spec.tags in body must be of type array: "null"';
  const applied = await send(api, 'PATCH', `${WIDGETS}/a?fieldManager=m`, widget({ tags: null }), PATCHES.apply);
  t.equal(applied.message, `Widget.example.org "a" is invalid: ${wrong}`);
});

t.test('an object that fits its types only without what is dropped is stored, and nobody owns it', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const status = { type: 'object', properties: { ready: { type: 'integer' } } };
  const subresource = { name: 'status', kind: 'Widget', group: 'example.org', version: 'v1' };
  const entry = customKind(
    loadApi(),
    { type: 'object', properties: { spec, status } },
    { subresources: [{ ...subresource, verbs: ['get', 'update'] }], resetFields: { '': ['status'], status: ['spec'] } },
  );
  f.catalog.setCustom([entry]);
  const registry = f.registries.get(entry);
  const canonical = (name: string, ready: unknown) =>
    atOnce(entry.schema.canonicalize({ ...widget({ size: 1 }, { name }), status: { ready } })).object;
  const stored = plain((await registry.create(f.context(), 'd', canonical('a', 'soon'))).object);
  t.same([stored['status'], stored.metadata.managedFields], [undefined, undefined]);
  const other = plain((await registry.create(f.context(), 'd', canonical('b', 1))).object);
  t.same([other['status'], other.metadata.managedFields?.length], [undefined, 1]);
});

t.test('what is stored is read by the schema of today, and written so by the next write', async t => {
  const f = await fixture();
  t.teardown(f.close);
  const withDefault = (value: string): CatalogEntry => {
    const more = { type: 'object', properties: { more: { ...string, default: value } } };
    return customKind(loadApi(), { type: 'object', properties: { spec: more } });
  };
  const at = { namespace: 'd', name: 'a' };
  const ctx = f.context();
  const older = customKind(loadApi(), { type: 'object', properties: { spec } });
  f.catalog.setCustom([older]);
  const owners = [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }];
  const body = widget({ size: 1 }, { ownerReferences: owners });
  const { object } = await f.registries.get(older).create(ctx, 'd', atOnce(older.schema.canonicalize(body)).object);
  const text = JSON.stringify(plain(object).metadata.ownerReferences);
  t.equal(text, JSON.stringify(owners), 'metadata is in Go’s order');
  const first = withDefault('one');
  f.catalog.setCustom([first]);
  const read = plain(await f.registries.get(first).get(ctx, at, {}));
  t.same(read['spec'], { more: 'one' });
  t.equal(read.metadata.resourceVersion, plain(object).metadata.resourceVersion);
  await f.registries.get(first).update(ctx, at, cloneJson(read), '');
  const second = withDefault('two');
  f.catalog.setCustom([second]);
  const later = plain(await f.registries.get(second).get(ctx, at, {}));
  t.same(later['spec'], { more: 'one' }, 'what was filled in has been stored');
});

t.test('columns come from JSONPath', async t => {
  const { definitions, row } = printerColumns([
    { name: 'S', type: 'string', jsonPath: '.spec.s' },
    { name: 'N', type: 'integer', jsonPath: '.spec.n', description: 'the number' },
    { name: 'First', type: 'string', jsonPath: '.spec.l[*].name', priority: 1 },
    { name: 'O', type: 'string', jsonPath: '.spec.o' },
    { name: 'D', type: 'date', jsonPath: '.spec.d' },
  ]);
  t.same(definitions.map(({ name, description, priority }) => [name, description, priority]).slice(1, 4), [
    ['S', 'Custom resource definition column (in JSONPath format): .spec.s', 0],
    ['N', 'the number', 0],
    ['First', 'Custom resource definition column (in JSONPath format): .spec.l[*].name', 1],
  ]);
  const of = (spec: object): readonly unknown[] => row({ metadata: { name: 'a' }, spec }, Date.UTC(2026, 0, 2)).cells;
  const d = '2026-01-01T00:00:00Z';
  t.same(of({ s: 7, n: 1.5, l: [{ name: 'x' }, { name: 'y' }], o: { k: 1 }, d }), ['a', '7', 1, 'x', '{"k":1}', '24h']);
  t.same(of({ s: '', n: 'x', l: [], d: 'never' }), ['a', '', null, null, null, '<invalid>']);
});

t.test('lists hold whole objects', async t => {
  const api = await withWidgets(t);
  await send(api, 'POST', WIDGETS, widget({ size: 1 }));
  const { body } = await api.request('GET', WIDGETS);
  t.match(body, {
    apiVersion: 'example.org/v1',
    kind: 'WidgetList',
    metadata: { continue: '', resourceVersion: String },
    items: [{ apiVersion: 'example.org/v1', kind: 'Widget', spec: { name: 'dee', size: 1 } }],
  });
});
