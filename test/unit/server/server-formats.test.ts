import t from 'tap';
import { negotiate, PLAIN } from '../../../src/server/negotiation/media-types.js';
import { parseRequestInfo } from '../../../src/server/pipeline/request-info.js';
import { warningHeaders } from '../../../src/server/responses/warnings.js';
import { toYaml, yamlParts } from '../../../src/server/responses/yaml.js';

t.test('YAML as go-yaml writes it', async t => {
  const rows: [string, unknown, string][] = [
    ['sorted keys, sequences not indented', { b: [{ d: 1, c: true }], a: null }, 'a: null\nb:\n- c: true\n  d: 1\n'],
    ['digits by their number', { k10: 1, k2: 1, k: 1 }, 'k: 1\nk2: 1\nk10: 1\n'],
    ['empty containers', { a: {}, b: [] }, 'a: {}\nb: []\n'],
    [
      'text that would be read as something else',
      { a: ['1', 'true', 'null', '', 'yes', '1e3', '0x1f', '~'] },
      'a:\n- "1"\n- "true"\n- "null"\n- ""\n- "yes"\n- "1e3"\n- "0x1f"\n- "~"\n',
    ],
    ['times and sexagesimals', { a: ['2026-01-02T03:04:05Z', '1:20'] }, 'a:\n- "2026-01-02T03:04:05Z"\n- "1:20"\n'],
    [
      'indicators',
      { a: ['- x', '#c', 'a: b', 'a #b', '*', "it's", '%a', '{x}'] },
      "a:\n- '- x'\n- '#c'\n- 'a: b'\n- 'a #b'\n- '*'\n- it's\n- '%a'\n- '{x}'\n",
    ],
    [
      'lines',
      { a: 'one\ntwo\n', b: 'one\n\ntwo', c: 'x\n\n' },
      'a: |\n  one\n  two\nb: |-\n  one\n\n  two\nc: |+\n  x\n\n',
    ],
    ['control characters', { a: 'a\u0007b\tc' }, 'a: "a\\ab\\tc"\n'],
    ['keys are text, too', { true: 1, '1': 2, 'a b': 3 }, '"1": 2\na b: 3\n"true": 1\n'],
    [
      'long text is folded at spaces',
      { a: `${'x'.repeat(50)} ${'y'.repeat(50)} z` },
      `a: ${'x'.repeat(50)} ${'y'.repeat(50)}\n  z\n`,
    ],
  ];
  for (const [name, value, expect] of rows) {
    t.equal(toYaml(value), expect, name);
    t.equal([...yamlParts(value)].join(''), expect, `${name}, in parts`);
  }
});

t.test('request info', async t => {
  const rows: [string, string, Partial<ReturnType<typeof parseRequestInfo>>][] = [
    ['GET', '/', { isResource: false, verb: 'get' }],
    ['GET', '/api/v1', { isResource: false }],
    ['GET', '/apis/apps/v1', { isResource: false }],
    ['GET', '/api/v1/pods', { isResource: true, verb: 'list', resource: 'pods', namespace: '', version: 'v1' }],
    ['GET', '/api/v1/namespaces/n/pods/p', { verb: 'get', resource: 'pods', namespace: 'n', name: 'p' }],
    ['GET', '/api/v1/namespaces/n', { verb: 'get', resource: 'namespaces', namespace: 'n', name: 'n' }],
    ['GET', '/api/v1/namespaces/n/status', { resource: 'namespaces', subresource: 'status', name: 'n' }],
    ['PUT', '/api/v1/namespaces/n/finalize', { verb: 'update', resource: 'namespaces', subresource: 'finalize' }],
    ['POST', '/apis/apps/v1/namespaces/n/deployments', { verb: 'create', group: 'apps', resource: 'deployments' }],
    ['GET', '/apis/apps/v1/namespaces/n/deployments/d/scale', { verb: 'get', subresource: 'scale', name: 'd' }],
    ['GET', '/api/v1/pods?watch=1', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=False', { verb: 'list' }],
    ['GET', '/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dx', { verb: 'list' }],
    ['GET', '/api/v1/namespaces/n/pods?fieldSelector=metadata.name!%3Dx', { verb: 'list', name: '' }],
    ['GET', '/api/v1/watch/namespaces/n/pods/p', { verb: 'watch', resource: 'pods', namespace: 'n', name: 'p' }],
    ['DELETE', '/api/v1/namespaces/n/pods', { verb: 'deletecollection' }],
    ['DELETE', '/api/v1/namespaces/n/pods/p', { verb: 'delete' }],
    ['HEAD', '/api/v1/namespaces/n/pods/p', { verb: 'get' }],
    ['OPTIONS', '/api/v1/pods', { verb: '', isResource: true }],
    [
      'GET',
      '/api/v1/nodes/n/proxy/metrics/x',
      { subresource: 'proxy', parts: ['nodes', 'n', 'proxy', 'metrics', 'x'] },
    ],
  ];
  for (const [method, url, expect] of rows) {
    const [path = '', query = ''] = url.split('?');
    t.match(parseRequestInfo(method, path, new URLSearchParams(query)), expect, `${method} ${url}`);
  }
});

t.test('negotiation', async t => {
  const all = { ...PLAIN, transforms: true, tables: true };
  const json = { encoding: 'application/json', pretty: false };
  const table = { ...json, transform: { kind: 'Table', version: 'v1' } };
  const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const rows: [string | undefined, object | undefined][] = [
    [undefined, json],
    ['', json],
    ['*/*', json],
    ['application/*', json],
    ['application/yaml', { ...json, encoding: 'application/yaml' }],
    [
      'application/vnd.kubernetes.protobuf, application/json',
      { ...json, encoding: 'application/vnd.kubernetes.protobuf' },
    ],
    ['application/vnd.kubernetes.protobuf;q=0.5, application/json', json],
    ['application/json;q=0.8, */*', json],
    [`${TABLE},application/json`, table],
    [TABLE.replace('v=v1;', 'v=v9;'), undefined],
    [`${TABLE.replace('json', 'vnd.kubernetes.protobuf')},application/json`, json],
    ['application/json;as=Foo;v=v1;g=meta.k8s.io,application/json', json],
    ['application/json; pretty=1', { ...json, pretty: true }],
    ['application/json;stream=watch', json],
    ['application/yaml;stream=watch', undefined],
    ['text/html', undefined],
  ];
  for (const [accept, expect] of rows) t.same(negotiate(accept, all), expect, String(accept));
  t.equal(negotiate(TABLE, PLAIN), undefined, 'no Tables of documents');
  t.equal(negotiate(TABLE, { ...all, tables: false }), undefined, 'no Tables of reviews');
});

t.test('warnings keep within their budget', async t => {
  t.same(warningHeaders(['a', 'a', '', 'say "x"', 'two\nlines', 'c1\u0085']), ['299 - "a"', '299 - "say \\"x\\""']);
  const long = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(300, 'x'));
  const headers = warningHeaders(long);
  t.equal(headers.length, 16);
  t.ok(headers.every(h => h.length === 256 + '299 - ""'.length));
});
