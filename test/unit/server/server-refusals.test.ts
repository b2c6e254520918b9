import { once } from 'node:events';
import t from 'tap';
import { CONFIGMAPS, configMap, withApi, status, TABLE } from '../../support/server-requests.js';

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
