import { gunzipSync } from 'node:zlib';
import t from 'tap';
import type { FakeApi } from '../../support/fake-api.js';
import { CONFIGMAPS, configMap, withApi, status, TABLE } from '../../support/server-requests.js';

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
    for (let i = 0; i < 250; i++) fake.put('middling', configMap(`n${i}`, { text: 'x'.repeat(200) }));
    const whole = await api.request('GET', '/api/v1/namespaces/middling/configmaps');
    t.ok(whole.text.length > 64 * 1024 && whole.text.length < 128 * 1024, `${whole.text.length} bytes`);
    t.equal(whole.headers['content-length'], String(whole.text.length), 'one of several pieces says how long it is');
    t.equal((whole.body as { items: unknown[] }).items.length, 250);
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
