import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Strategy } from '../../../src/api/strategy.js';
import { startFakeApi, type FakeApi } from '../../support/fake-api.js';
import { until } from '../../support/until.js';

const CONFIGMAPS = '/api/v1/namespaces/d/configmaps';
const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({ metadata: { name }, data });

async function withApi(t: Test, options?: Parameters<typeof startFakeApi>[0]): Promise<FakeApi> {
  const api = await startFakeApi(options);
  t.teardown(() => api.close());
  return api;
}

const status = (code: number, reason: string | undefined, message: string, details?: object): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  ...(reason === undefined ? {} : { reason }),
  ...(details === undefined ? {} : { details }),
  code,
});
const NOT_SERVED = status(404, 'NotFound', 'the server could not find the requested resource', {});
const NO_METHOD = status(
  405,
  'MethodNotAllowed',
  'the server does not allow this method on the requested resource',
  {},
);
const ENCODINGS = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const UNKNOWN_BODY = status(
  415,
  'UnsupportedMediaType',
  `the body of the request was in an unknown format - accepted media types include: ${ENCODINGS}`,
);
const options422 = (kind: string, text: string, reason: string, message: string, field: string): object =>
  status(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${text}`, {
    group: 'meta.k8s.io',
    kind,
    causes: [{ reason, message, field }],
  });

interface Row {
  readonly name: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly code: number;
  readonly expect?: object;
  readonly text?: string;
}

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

const ROWS: readonly Row[] = [
  { name: 'unknown path', path: '/nope', code: 404, text: '404 page not found\n' },
  { name: 'unknown group', path: '/apis/nosuch.io/v1/x', code: 404, text: '404 page not found\n' },
  { name: 'unknown version of a group', path: '/apis/apps/v9/deployments', code: 404, expect: NOT_SERVED },
  { name: 'unknown core version', path: '/api/v2', code: 404, expect: NOT_SERVED },
  { name: 'unknown resource', path: '/api/v1/foos', code: 404, expect: NOT_SERVED },
  { name: 'unknown subresource', path: `${CONFIGMAPS}/a/nope`, code: 404, expect: NOT_SERVED },
  { name: 'namespaced object without namespace', path: '/api/v1/configmaps/a', code: 404, expect: NOT_SERVED },
  { name: 'cluster resource in a namespace', path: '/api/v1/namespaces/d/nodes', code: 404, expect: NOT_SERVED },
  {
    name: 'below a subresource',
    path: '/apis/apps/v1/namespaces/d/deployments/a/scale/x',
    code: 404,
    expect: NOT_SERVED,
  },
  { name: 'POST to an object', method: 'POST', path: `${CONFIGMAPS}/a`, body: '{}', code: 405, expect: NO_METHOD },
  { name: 'PUT to a collection', method: 'PUT', path: CONFIGMAPS, body: '{}', code: 405, expect: NO_METHOD },
  {
    name: 'POST across namespaces',
    method: 'POST',
    path: '/api/v1/configmaps',
    body: '{}',
    code: 405,
    expect: NO_METHOD,
  },
  { name: 'GET of an action', path: '/api/v1/namespaces/d/pods/p/binding', code: 405, expect: NO_METHOD },
  {
    name: 'namespaces cannot be deleted together',
    method: 'DELETE',
    path: '/api/v1/namespaces',
    code: 405,
    expect: NO_METHOD,
  },
  { name: 'HEAD of an object', method: 'HEAD', path: `${CONFIGMAPS}/a`, code: 405 },
  { name: 'OPTIONS', method: 'OPTIONS', path: CONFIGMAPS, code: 405, expect: NO_METHOD },
  { name: 'DELETE of discovery', method: 'DELETE', path: '/api/v1', code: 405, expect: NO_METHOD },
  { name: 'escapes that cannot be read', path: '/api/v1/%zz', code: 400 },
  { name: 'two slashes in front', path: '//api/v1/namespaces', code: 404 },
  { name: 'an empty name before another part', path: `${CONFIGMAPS}//a`, code: 404, expect: NOT_SERVED },
  { name: 'a health check with a slash', path: '/readyz/', code: 404 },
  { name: 'metrics with a slash', path: '/metrics/', code: 404 },
  { name: 'the index by another name', path: '/index.html', code: 200 },
  { name: 'the version as text', path: '/version', headers: { accept: 'text/html' }, code: 406 },
  { name: 'an exported object', path: `${CONFIGMAPS}/a?export=true`, code: 400 },
  { name: 'special verb without a resource', path: '/api/v1/watch', code: 500 },
  {
    name: 'bad credentials',
    path: CONFIGMAPS,
    headers: { authorization: 'Bearer bad' },
    code: 401,
    expect: status(401, 'Unauthorized', 'Unauthorized'),
  },
  {
    name: 'not allowed',
    path: CONFIGMAPS,
    headers: { 'x-user': 'nobody' },
    code: 403,
    expect: status(
      403,
      'Forbidden',
      'configmaps is forbidden: User "nobody" cannot list resource "configmaps" in API group "" in the namespace "d"',
      { kind: 'configmaps' },
    ),
  },
  {
    name: 'not allowed, subresource',
    path: '/apis/apps/v1/namespaces/d/deployments/x/scale',
    headers: { 'x-user': 'nobody' },
    code: 403,
    expect: status(
      403,
      'Forbidden',
      'deployments.apps "x" is forbidden: User "nobody" cannot get resource "deployments/scale" in API group "apps" in the namespace "d"',
      { name: 'x', group: 'apps', kind: 'deployments' },
    ),
  },
  {
    name: 'not allowed, path',
    path: '/metrics',
    headers: { 'x-user': 'nobody' },
    code: 403,
    expect: status(403, 'Forbidden', 'forbidden: User "nobody" cannot get path "/metrics"', {}),
  },
  {
    name: 'no such object',
    path: `${CONFIGMAPS}/none`,
    code: 404,
    expect: status(404, 'NotFound', 'configmaps "none" not found', { name: 'none', kind: 'configmaps' }),
  },
  {
    name: 'Accept that names nothing served',
    path: `${CONFIGMAPS}/a`,
    headers: { accept: 'application/cbor' },
    code: 406,
    expect: status(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${ENCODINGS}`, {}),
  },
  {
    name: 'Accept of an unknown conversion',
    path: `${CONFIGMAPS}/a`,
    headers: { accept: 'application/json;as=Foo;v=v1;g=meta.k8s.io' },
    code: 406,
  },
  {
    name: 'list as one PartialObjectMetadata',
    path: CONFIGMAPS,
    headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    code: 406,
    expect: status(
      406,
      'NotAcceptable',
      'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
    ),
  },
  {
    name: 'bad includeObject',
    path: `${CONFIGMAPS}?includeObject=Foo`,
    headers: { accept: TABLE },
    code: 400,
    expect: status(
      400,
      'BadRequest',
      `Unable to convert to Table as requested: includeObject: Invalid value: "Foo": must be 'Metadata', 'Object', 'None', or empty`,
    ),
  },
  {
    name: 'watch as YAML',
    path: `${CONFIGMAPS}?watch=1`,
    headers: { accept: 'application/yaml' },
    code: 406,
  },
  {
    name: 'unknown content type',
    method: 'POST',
    path: CONFIGMAPS,
    headers: { 'content-type': 'application/foo' },
    body: '{}',
    code: 415,
    expect: UNKNOWN_BODY,
  },
  {
    name: 'malformed content type',
    method: 'POST',
    path: CONFIGMAPS,
    headers: { 'content-type': 'a b;' },
    body: '{}',
    code: 415,
    expect: UNKNOWN_BODY,
  },
  {
    name: 'PATCH of an unknown type',
    method: 'PATCH',
    path: `${CONFIGMAPS}/a`,
    headers: { 'content-type': 'application/json' },
    body: '{}',
    code: 415,
    expect: status(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}),
  },
  {
    name: 'empty body',
    method: 'POST',
    path: CONFIGMAPS,
    headers: { 'content-type': 'application/json' },
    body: '',
    code: 400,
    expect: status(
      400,
      'BadRequest',
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ),
  },
  {
    name: 'body over 3 MiB',
    method: 'POST',
    path: CONFIGMAPS,
    body: Buffer.alloc(3 * 1024 * 1024 + 1, 'x'),
    code: 413,
    expect: status(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728'),
  },
  {
    name: 'unknown field, Strict',
    method: 'POST',
    path: `${CONFIGMAPS}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"s"},"foo":1}',
    code: 400,
    expect: status(
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"',
    ),
  },
  {
    name: 'bad dryRun',
    method: 'POST',
    path: `${CONFIGMAPS}?dryRun=Foo`,
    body: '{"metadata":{"name":"s"}}',
    code: 422,
    expect: options422(
      'CreateOptions',
      'dryRun: Unsupported value: ["Foo"]: supported values: "All"',
      'FieldValueNotSupported',
      'Unsupported value: ["Foo"]: supported values: "All"',
      'dryRun',
    ),
  },
  {
    name: 'long fieldManager',
    method: 'PUT',
    path: `${CONFIGMAPS}/a?fieldManager=${'x'.repeat(129)}`,
    body: '{"metadata":{"name":"a"}}',
    code: 422,
    expect: options422(
      'UpdateOptions',
      'fieldManager: Too long: may not be more than 128 bytes',
      'FieldValueTooLong',
      'Too long: may not be more than 128 bytes',
      'fieldManager',
    ),
  },
  {
    name: 'apply without fieldManager',
    method: 'PATCH',
    path: `${CONFIGMAPS}/a`,
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: 'a: b',
    code: 422,
    expect: options422(
      'PatchOptions',
      'fieldManager: Required value: is required for apply patch',
      'FieldValueRequired',
      'Required value: is required for apply patch',
      'fieldManager',
    ),
  },
  {
    name: 'force on another patch',
    method: 'PATCH',
    path: `${CONFIGMAPS}/a?force=false`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: '{}',
    code: 422,
    expect: options422(
      'PatchOptions',
      'force: Forbidden: may not be specified for non-apply patch',
      'FieldValueForbidden',
      'Forbidden: may not be specified for non-apply patch',
      'force',
    ),
  },
  {
    name: 'malformed JSON patch',
    method: 'PATCH',
    path: `${CONFIGMAPS}/a`,
    headers: { 'content-type': 'application/json-patch+json' },
    body: '[nul',
    code: 400,
    expect: status(400, 'BadRequest', "error decoding patch: invalid character ' ' in literal null (expecting 'l')"),
  },
  {
    name: 'malformed patch of a missing object',
    method: 'PATCH',
    path: `${CONFIGMAPS}/none`,
    headers: { 'content-type': 'application/json-patch+json' },
    body: 'nonsense',
    code: 404,
  },
  {
    name: 'bad gracePeriodSeconds',
    method: 'DELETE',
    path: `${CONFIGMAPS}/a?gracePeriodSeconds=abc`,
    code: 400,
    expect: status(400, 'BadRequest', 'strconv.ParseInt: parsing "abc": invalid syntax'),
  },
  {
    name: 'bad propagationPolicy',
    method: 'DELETE',
    path: `${CONFIGMAPS}/a`,
    body: '{"propagationPolicy":"X"}',
    code: 422,
    expect: options422(
      'DeleteOptions',
      'propagationPolicy: Unsupported value: "X": supported values: "Foreground", "Background", "Orphan", "nil"',
      'FieldValueNotSupported',
      'Unsupported value: "X": supported values: "Foreground", "Background", "Orphan", "nil"',
      'propagationPolicy',
    ),
  },
  {
    name: 'DeleteOptions of another kind',
    method: 'DELETE',
    path: `${CONFIGMAPS}/a`,
    body: '{"apiVersion":"v1","kind":"Pod"}',
    code: 400,
    expect: status(
      400,
      'BadRequest',
      'no kind "Pod" is registered for version "v1" in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"',
    ),
  },
  {
    name: 'DeleteOptions that are not JSON',
    method: 'DELETE',
    path: `${CONFIGMAPS}/a`,
    body: 'nope',
    code: 400,
    expect: status(
      400,
      'BadRequest',
      "couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u')",
    ),
  },
  {
    name: 'bad timeout',
    path: `${CONFIGMAPS}?timeout=abc`,
    code: 400,
    expect: status(400, 'BadRequest', 'invalid timeout specified in the request URL - time: invalid duration "abc"'),
  },
];

t.test('requests that are refused', async t => {
  const api = await withApi(t);
  api.registry('configmaps').put('d', configMap('a'));
  for (const row of ROWS) {
    const { method = 'GET', path, headers, body } = row;
    const answer = await api.request(method, path, {
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
    t.equal(answer.status, row.code, row.name);
    if (row.expect !== undefined) t.same(answer.body, row.expect, row.name);
    if (row.text !== undefined) t.equal(answer.text, row.text, row.name);
  }
  t.same(api.logged, [], 'nothing of that is unexpected');
  t.equal((await api.request('GET', CONFIGMAPS)).status, 200, 'and the server still serves');
});

t.test('what is not HTTP, or comes too slowly', async t => {
  const api = await withApi(t);
  const malformed = await api.socket();
  malformed.write('not http at all\r\n\r\n');
  const [reply] = (await once(malformed, 'data')) as [Buffer];
  t.match(reply.toString(), /^HTTP\/1\.1 400 Bad Request\r\n/);

  const slow = await api.socket();
  slow.write(
    `POST ${CONFIGMAPS}?timeout=50ms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  const [late] = (await once(slow, 'data')) as [Buffer];
  t.match(late.toString(), /^HTTP\/1\.1 504 /, 'a body that never ends runs into the deadline');
  t.match(late.toString(), /Timeout: request did not complete within the allotted timeout/);
  t.match(late.toString(), /connection: close/i);
  slow.destroy();

  const cut = await api.socket();
  cut.write(`POST ${CONFIGMAPS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
  cut.destroy();
  t.equal((await api.request('GET', CONFIGMAPS)).status, 200);
});

t.test('answers', async t => {
  const api = await withApi(t);
  const fake = api.registry('configmaps');
  fake.put('d', configMap('a', { k: '1' }));

  await t.test('headers of every answer', async t => {
    const { headers } = await api.request('GET', `${CONFIGMAPS}/a`, { headers: { 'audit-id': 'mine' } });
    t.equal(headers['audit-id'], 'mine');
    t.equal(headers['cache-control'], 'no-cache, private');
    t.equal(headers['content-type'], 'application/json');
    const error = await api.request('GET', `${CONFIGMAPS}/none`);
    t.match(error.headers['audit-id'], /^[0-9a-f-]{36}$/);
  });

  await t.test('compact and indented', async t => {
    const compact = await api.request('GET', `${CONFIGMAPS}/a`);
    t.equal(compact.text, `${JSON.stringify(compact.body)}\n`);
    for (const [path, headers] of [
      [`${CONFIGMAPS}/a?pretty=true`, {}],
      [`${CONFIGMAPS}/a`, { 'user-agent': 'curl/8.0' }],
      [`${CONFIGMAPS}/a`, { accept: 'application/json;pretty=1' }],
    ] as const)
      t.match((await api.request('GET', path, { headers })).text, /^{\n {2}"kind": "ConfigMap",\n/);
    const asked = await api.request('GET', `${CONFIGMAPS}/a?pretty=false`, { headers: { 'user-agent': 'curl/8.0' } });
    t.notMatch(asked.text, /\n {2}/);
  });

  await t.test('YAML', async t => {
    const { text, headers } = await api.request('GET', `${CONFIGMAPS}/a`, { headers: { accept: 'application/yaml' } });
    t.equal(headers['content-type'], 'application/yaml');
    t.equal(text, 'apiVersion: v1\ndata:\n  k: "1"\nkind: ConfigMap\nmetadata:\n  name: a\n  resourceVersion: "2"\n');
  });

  await t.test('Tables and partial metadata', async t => {
    const table = await api.request('GET', CONFIGMAPS, { headers: { accept: TABLE } });
    t.match(table.body, {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '2' },
      columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', priority: 0 }],
      rows: [{ object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } } }],
    });
    const none = await api.request('GET', `${CONFIGMAPS}?includeObject=None`, { headers: { accept: TABLE } });
    t.match(none.body, { rows: [{ object: null }] });
    const partial = await api.request('GET', CONFIGMAPS, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    });
    t.match(partial.body, { kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata' }] });
  });

  await t.test('warnings', async t => {
    const answer = await api.request('POST', CONFIGMAPS, { body: '{"metadata":{"name":"w","foo":1},"bar":"\\u0007"}' });
    t.equal(answer.status, 201);
    t.equal(answer.headers['warning'], '299 - "unknown field \\"metadata.foo\\"", 299 - "unknown field \\"bar\\""');
    const quiet = await api.request('POST', `${CONFIGMAPS}?fieldValidation=Ignore`, {
      body: '{"metadata":{"name":"w2"},"bar":1}',
    });
    t.equal(quiet.headers['warning'], undefined);
    t.match(
      (await api.request('GET', '/api/v1/namespaces/d/endpoints')).headers['warning'],
      /v1 Endpoints is deprecated/,
    );
  });

  await t.test('who writes', async t => {
    await api.request('POST', CONFIGMAPS, {
      body: '{"metadata":{"name":"m"}}',
      headers: { 'user-agent': 'tool/1.0 (x)' },
    });
    t.match(fake.calls.at(-1)?.args[2], { fieldManager: 'tool', dryRun: false, fieldValidation: 'Warn' });
    await api.request('PUT', `${CONFIGMAPS}/m?fieldManager=me&dryRun=All`, { body: '{"metadata":{"name":"m"}}' });
    t.match(fake.calls.at(-1)?.args[3], { fieldManager: 'me', dryRun: true });
  });

  await t.test('deletion', async t => {
    const kept = await api.request('DELETE', `${CONFIGMAPS}/a`, {
      body: '{"gracePeriodSeconds":30,"orphanDependents":false,"preconditions":{"uid":"u"}}',
      headers: { 'content-type': 'application/json' },
    });
    t.equal(kept.status, 202, 'only for clients that asked for orphanDependents=false');
    t.same(fake.calls.at(-1)?.args[1], {
      gracePeriodSeconds: 30,
      orphanDependents: false,
      preconditions: { uid: 'u' },
      dryRun: false,
    });
    const empty = await api.request('DELETE', `${CONFIGMAPS}/a?propagationPolicy=Orphan`, {
      headers: { 'content-type': 'application/json' },
    });
    t.equal(empty.status, 200, 'a content type without a body');
    t.same(fake.calls.at(-1)?.args[1], { propagationPolicy: 'Orphan', dryRun: false });
  });

  await t.test('long lists', async t => {
    for (let i = 0; i < 1500; i++) fake.put('big', configMap(`n${i}`, { text: 'x'.repeat(200) }));
    const plain = await api.request('GET', '/api/v1/namespaces/big/configmaps');
    t.equal((plain.body as { items: unknown[] }).items.length, 1500);
    t.equal(plain.headers['content-encoding'], undefined);
    const zipped = await fetchRaw(api, '/api/v1/namespaces/big/configmaps', { 'accept-encoding': 'deflate, gzip' });
    t.equal(zipped.headers['content-encoding'], 'gzip');
    t.equal(zipped.headers['vary'], 'Accept-Encoding');
    t.equal(gunzipSync(zipped.bytes).toString(), plain.text);
    const small = await api.request('GET', CONFIGMAPS, { headers: { 'accept-encoding': 'gzip' } });
    t.equal(small.headers['content-encoding'], undefined, 'short answers are not compressed');
  });
});

async function fetchRaw(
  api: FakeApi,
  path: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, string>; bytes: Buffer }> {
  const socket = await api.socket();
  const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
  socket.write(`GET ${path} HTTP/1.0\r\nHost: x\r\n${lines.join('')}\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  const at = all.indexOf('\r\n\r\n');
  const parsed = all
    .subarray(0, at)
    .toString()
    .split('\r\n')
    .slice(1)
    .map(line => line.split(': '))
    .map(([k = '', ...v]) => [k.toLowerCase(), v.join(': ')] as const);
  return { headers: Object.fromEntries(parsed), bytes: all.subarray(at + 4) };
}

t.test('documents', async t => {
  const api = await withApi(t);
  const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const first = await api.request('GET', '/apis', { headers: { accept: `${AGGREGATED},application/json` } });
  t.equal(first.headers['content-type'], AGGREGATED);
  t.equal(first.headers['cache-control'], 'public');
  t.match(first.headers['etag'], /^"[0-9A-F]{128}"$/);
  const again = await api.request('GET', '/apis', {
    headers: { accept: AGGREGATED, 'if-none-match': String(first.headers['etag']) },
  });
  t.equal(again.status, 304);
  t.equal(again.text, '');
  const old = AGGREGATED.replace('v=v2', 'v=v2beta1');
  t.match((await api.request('GET', '/apis', { headers: { accept: `${old},application/json` } })).body, {
    kind: 'APIGroupList',
  });
  t.equal((await api.request('GET', '/apis', { headers: { accept: old } })).status, 406);
  t.match((await api.request('POST', '/apis/apps', { body: '{}' })).body, { kind: 'APIGroup', name: 'apps' });
  t.match((await api.request('GET', '/')).body, { paths: ['/.well-known/openid-configuration'] });
  t.match((await api.request('GET', '/version/')).body, { major: '1', minor: '35' });

  const health: [string, number, string][] = [
    ['/healthz', 200, 'ok'],
    ['/livez/ping', 200, 'ok'],
    ['/readyz?verbose', 200, '[+]ping ok\n[+]log ok\nreadyz check passed\n'],
    [
      '/readyz?verbose&exclude=ping&exclude=x',
      200,
      '[+]ping excluded: ok\n[+]log ok\nwarn: some health checks cannot be excluded: no matches for "x"\nreadyz check passed\n',
    ],
    ['/healthz/nosuch', 404, '404 page not found\n'],
  ];
  for (const [path, code, text] of health) {
    const answer = await api.request('GET', path);
    t.equal(answer.status, code, path);
    t.equal(answer.text, text, path);
  }

  const v2 = await api.request('GET', '/openapi/v2', {
    headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
  });
  t.equal(v2.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  t.equal((await api.request('GET', '/openapi/v2', { headers: { accept: 'text/html' } })).status, 406);
  t.same((await api.request('GET', '/openapi/v3')).body, {
    paths: { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=ABC' } },
  });
  const wrong = await api.request('GET', '/openapi/v3/api/v1?hash=OLD');
  t.equal(wrong.status, 301);
  t.equal(wrong.headers['location'], '/openapi/v3/api/v1?hash=ABC');
  const right = await api.request('GET', '/openapi/v3/api/v1?hash=ABC');
  t.equal(right.headers['cache-control'], 'public, immutable');
  t.equal((await api.request('GET', '/openapi/v3/apis/x/v1')).status, 404);
  t.match(
    (await api.request('GET', '/metrics')).text,
    /apiserver_request_total\{verb="LIST"|apiserver_request_total\{/,
  );
});

t.test('watches', async t => {
  const api = await withApi(t);
  const fake = api.registry('configmaps');
  const lines = (text: string): unknown[] =>
    text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown);

  const open = async (path: string, accept = 'application/json') => {
    const socket = await api.socket();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`);
    const body = (): string =>
      text
        .slice(text.indexOf('\r\n\r\n') + 4)
        .split('\r\n')
        .filter((_, i) => i % 2 === 1)
        .join('');
    return { socket, head: () => text, body };
  };

  await t.test('headers come at once, events as they happen, a clean end when the server stops', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`);
    await until('headers', () => watch.head().includes('\r\n\r\n'));
    t.match(watch.head(), /^HTTP\/1\.1 200 OK/);
    t.match(watch.head(), /transfer-encoding: chunked/i);
    fake.put('d', configMap('a'));
    fake.send([{ type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true }]);
    await until('events', () => watch.body().includes('BOOKMARK'));
    t.match(lines(watch.body()), [
      { type: 'ADDED', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } } },
      {
        type: 'BOOKMARK',
        object: {
          kind: 'ConfigMap',
          apiVersion: 'v1',
          metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } },
        },
      },
    ]);
    watch.socket.destroy();
    await until('the registry hears of it', () => fake.listeners.size === 0);
  });

  await t.test('as Table: columns once', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`, TABLE);
    await until('watching', () => fake.listeners.size === 1);
    fake.put('d', configMap('b'));
    fake.put('d', configMap('c'));
    await until('events', () => watch.body().includes('"c"'));
    t.match(lines(watch.body()), [
      { type: 'ADDED', object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }], rows: [{}] } },
      { type: 'ADDED', object: { kind: 'Table', columnDefinitions: null, rows: [{}] } },
    ]);
    watch.socket.destroy();
    await until('gone', () => fake.listeners.size === 0);
  });

  await t.test('under the old prefix, for one object', async t => {
    const watch = await open('/api/v1/watch/namespaces/d/configmaps/a?resourceVersion=5');
    await until('watching', () => fake.listeners.size === 1);
    t.same(fake.calls.at(-1), {
      verb: 'watch',
      args: ['d', { resourceVersion: '5', fieldSelector: 'metadata.name=a' }],
    });
    watch.socket.destroy();
    await until('gone', () => fake.listeners.size === 0);
  });

  await t.test('a client that stops reading is seen by the registry and can be cut off', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`);
    await until('watching', () => fake.listeners.size === 1);
    watch.socket.pause();
    const [listener] = fake.listeners;
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 400 && (listener?.backlog() ?? 0) < 4 << 20; i++)
      fake.put('d', configMap('big', { text: 'x'.repeat(64 << 10) }), 'MODIFIED');
    t.ok((listener?.backlog() ?? 0) > 1 << 20, 'what the client does not take is counted');
    t.ok(process.memoryUsage().rss - before < 300 << 20);
    listener?.end();
    fake.listeners.clear();
    watch.socket.destroy();
  });

  await t.test('over a WebSocket', async t => {
    const url = `wss://127.0.0.1:${api.port}${CONFIGMAPS}?watch=true`;
    const refused = new WebSocket(url, { rejectUnauthorized: false });
    const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    t.equal(answer.statusCode, 403, 'no Origin');
    refused.on('error', () => undefined);
    refused.terminate();
    const socket = new WebSocket(url, { rejectUnauthorized: false, origin: 'http://x' });
    await once(socket, 'open');
    await until('watching', () => fake.listeners.size === 1);
    const frame = once(socket, 'message');
    fake.put('d', configMap('ws'));
    const [data, binary] = (await frame) as [Buffer, boolean];
    t.notOk(binary, 'JSON is sent as text');
    t.match(data.toString(), /^\{"type":"ADDED".*\}\n$/);
    socket.close();
    await until('gone', () => fake.listeners.size === 0);
    const none = await api.request('GET', `${CONFIGMAPS}/none`, {
      headers: { connection: 'upgrade', upgrade: 'websocket' },
    });
    t.equal(none.status, 404, 'an upgrade request may fail like any other');
  });

  await t.test('server stop', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`);
    await until('watching', () => fake.listeners.size === 1);
    api.stop();
    await until('a clean end', () => watch.head().endsWith('0\r\n\r\n'));
    t.pass();
  });
});

t.test('requests that a node answers', async t => {
  const now = Date.now();
  const times = { notBefore: now - 1000, notAfter: now + 3_600_000 };
  const ca = issueCertificate({ subject: { commonName: 'ca' }, usage: 'ca', ...times });
  const subject = { commonName: 'system:node:n', organizations: ['system:nodes'] };
  const pair = issueCertificate({ subject, usage: 'server', issuer: ca, ...times });
  const seen: string[] = [];
  const agent = createHttpsServer({ key: pair.key, cert: pair.cert }, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url?.startsWith('/containerLogs/d/bad')) return void response.writeHead(400).end('no such container');
    response.writeHead(200, { 'Content-Type': 'text/plain', 'X-Own': 'yes' });
    request.pipe(response);
    if (request.method === 'GET') response.write('line\n');
  });
  agent.on('upgrade', (request, socket, head: Buffer) => {
    seen.push(`upgrade ${request.headers.upgrade ?? ''} ${request.url}`);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    );
    socket.write(head);
    socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk.toString()}`));
    socket.on('end', () => socket.end());
  });
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  t.teardown(() => {
    agent.closeAllConnections();
    agent.close();
  });
  const node = (port: number): KubeObject => ({
    metadata: { name: 'n' },
    status: {
      addresses: [{ type: 'InternalDNS', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  let port = (agent.address() as AddressInfo).port;
  const strategy: Strategy = {
    subresources: {
      log: {
        kind: 'connect',
        target: (_ctx, key) =>
          key.name === 'unscheduled'
            ? undefined
            : { kind: 'kubelet', node: 'n', path: `/containerLogs/d/${key.name}/c`, upgrade: false },
      },
      exec: {
        kind: 'connect',
        target: (_ctx, key, query) => ({
          kind: 'kubelet',
          node: 'n',
          path: `/exec/d/${key.name}?${query.toString()}`,
          upgrade: true,
        }),
      },
      proxy: {
        kind: 'connect',
        target: () => ({ kind: 'kubelet-proxy', node: 'n' }),
      },
    },
  };
  const api = await withApi(t, {
    strategies: { pods: strategy },
    objects: { get: () => node(port) },
    kubelet: { ...pair, ca: ca.cert },
  });
  const pods = '/api/v1/namespaces/d/pods';

  t.equal((await api.request('GET', `${pods}/unscheduled/log`)).status, 204);
  const log = await api.request('GET', `${pods}/p/log`);
  t.equal(log.text, 'line\n');
  t.equal(log.headers['content-type'], 'text/plain');
  t.same((await api.request('GET', `${pods}/bad/log`)).body, status(400, 'BadRequest', 'no such container'));
  t.same(
    (await api.request('GET', `${pods}/p/exec?command=x`)).body,
    status(400, 'BadRequest', 'Upgrade request required'),
  );
  const moved = await api.request('GET', `${pods}/p/proxy?a=b`);
  t.equal(moved.status, 301);
  t.equal(moved.headers['location'], `${pods}/p/proxy/?a=b`);
  const proxied = await api.request('POST', `${pods}/p/proxy/a%2Fb/?q=1`, { body: 'hello' });
  t.equal(proxied.text, 'hello');
  t.equal(proxied.headers['x-own'], 'yes');
  t.ok(seen.includes('POST /a/b/?q=1'), 'the path below the proxy, and the query');

  const socket = await api.socket();
  socket.write(
    `POST ${pods}/p/exec?command=ls&command=-l HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`,
  );
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until('switched', () => text.includes('\r\n\r\n'));
  t.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  t.match(text, /X-Stream-Protocol-Version: v4\.channel\.k8s\.io/);
  socket.write('abc');
  await until('echo', () => text.endsWith('echo abc'));
  socket.end();
  await once(socket, 'close');
  t.ok(seen.includes('upgrade SPDY/3.1 /exec/d/p?command=ls&command=-l'));

  port = 1;
  t.same(
    (await api.request('GET', `${pods}/p/log`)).body,
    status(
      500,
      undefined,
      'Get "https://127.0.0.1:1/containerLogs/d/p/c": dial tcp 127.0.0.1:1: connect: connection refused',
    ),
  );
  t.same(
    (await api.request('GET', `${pods}/p/proxy/`)).body,
    status(
      503,
      'ServiceUnavailable',
      'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    ),
  );
  const dead = await api.request('POST', `${pods}/p/exec?command=x`, {
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
  });
  t.same(dead.body, status(500, undefined, 'error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused'));
});

t.test('a bug in a handler is a 500, said in the log', async t => {
  const api = await withApi(t);
  Object.defineProperty(api.context, 'registryOf', {
    value: () => {
      throw new TypeError('boom');
    },
  });
  const answer = await api.request('GET', CONFIGMAPS);
  t.equal(answer.status, 500);
  t.same(answer.body, status(500, 'InternalError', 'Internal error occurred: boom', { causes: [{ message: 'boom' }] }));
  t.equal(api.logged.length, 1);
});
