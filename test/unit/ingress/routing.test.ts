import t from 'tap';
import { hostName } from '../../../src/ingress/routing/host-name.js';
import { ingressRules } from '../../../src/ingress/routing/ingress-rules.js';
import { requestPath } from '../../../src/ingress/routing/request-path.js';
import { compileRoutes } from '../../../src/ingress/routing/route-table.js';
import { backendKey } from '../../../src/ingress/routing/route.js';
import type { Ingress } from '../../../src/machinery/types.js';

type Paths = readonly (readonly [type: string, path: string, service: string])[];

const backend = (service: string) => ({ service: { name: service, port: { number: 80 } } });

function ingress(
  name: string,
  hosts: Readonly<Record<string, Paths>>,
  more: { spec?: Ingress['spec']; annotations?: Record<string, string>; created?: string } = {},
): Ingress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'shop',
      name,
      creationTimestamp: more.created ?? '2026-01-01T00:00:00Z',
      ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
    },
    spec: {
      rules: Object.entries(hosts).map(([host, paths]) => ({
        ...(host === '' ? {} : { host }),
        http: { paths: paths.map(([pathType, path, service]) => ({ pathType, path, backend: backend(service) })) },
      })),
      ...more.spec,
    },
  };
}

/** Who gets "host/path" by the rules: a Service's name, or nobody. */
function whoGets(ingresses: readonly Ingress[], url: string): string {
  const slash = url.indexOf('/');
  const host = hostName(url.slice(0, slash));
  const path = requestPath(url.slice(slash));
  if (host === undefined || path === undefined) return 'bad request';
  const table = compileRoutes(ingresses.flatMap(each => ingressRules(each).rules));
  const found = table.find({ host, path, method: 'GET', header: () => undefined, parameter: () => undefined });
  return found?.route.backends[0]?.to?.service ?? 'nobody';
}

const PREFIXES: Paths = [
  ['Prefix', '/', 'root'],
  ['Prefix', '/foo', 'foo'],
  ['Prefix', '/foo/bar/', 'bar'],
  ['Exact', '/foo/exact', 'exact'],
  ['Exact', '/slash/', 'slash'],
  ['ImplementationSpecific', '/own', 'own'],
];

t.test('who gets a request', async t => {
  const one = [ingress('one', { 'a.example.com': PREFIXES, '*.example.com': [['Prefix', '/', 'star']] })];
  const rows: { name: string; ingresses?: Ingress[]; url: string; expect: string }[] = [
    { name: 'the root takes what nobody else does', url: 'a.example.com/x/y', expect: 'root' },
    { name: 'a prefix takes itself', url: 'a.example.com/foo', expect: 'foo' },
    { name: 'and what is below', url: 'a.example.com/foo/x?bar=/foo/bar', expect: 'foo' },
    { name: 'by whole elements', url: 'a.example.com/foobar', expect: 'root' },
    { name: 'the longest one', url: 'a.example.com/foo/bar/x', expect: 'bar' },
    { name: 'a slash at its end is no element', url: 'a.example.com/foo/bar', expect: 'bar' },
    { name: 'an exact path before a prefix', url: 'a.example.com/foo/exact', expect: 'exact' },
    { name: 'takes nothing below', url: 'a.example.com/foo/exact/x', expect: 'foo' },
    { name: 'and has a slash at its end or none', url: 'a.example.com/slash', expect: 'root' },
    { name: 'where it has one', url: 'a.example.com/slash/', expect: 'slash' },
    { name: 'what is left to the implementation is a prefix', url: 'a.example.com/own/x', expect: 'own' },
    { name: 'dots are resolved before anybody is asked', url: 'a.example.com/x/../foo/./bar', expect: 'bar' },
    { name: 'encoded ones, too', url: 'a.example.com/x/%2e%2E/foo', expect: 'foo' },
    { name: 'and empty elements are none', url: 'a.example.com//foo//bar', expect: 'bar' },
    { name: 'nothing is above the root', url: 'a.example.com/../foo', expect: 'bad request' },
    { name: 'broken escapes are none', url: 'a.example.com/%zz', expect: 'bad request' },
    { name: 'nor is what decodes to a zero byte', url: 'a.example.com/foo%00', expect: 'bad request' },
    { name: 'hosts are not written in one case only, and have ports', url: 'A.Example.COM:8080/foo', expect: 'foo' },
    { name: 'nor without the dot of the root', url: 'a.example.com./foo', expect: 'foo' },
    { name: 'a star is one label', url: 'b.example.com/foo', expect: 'star' },
    { name: 'not two', url: 'c.b.example.com/foo', expect: 'nobody' },
    { name: 'and not none', url: 'example.com/foo', expect: 'nobody' },
    {
      name: 'a host of its own does not fall back to the star',
      ingresses: [
        ingress('one', { 'a.example.com': [['Prefix', '/foo', 'foo']], '*.example.com': [['Prefix', '/', 'star']] }),
      ],
      url: 'a.example.com/bar',
      expect: 'nobody',
    },
    {
      name: 'a rule without a host is for all others',
      ingresses: [ingress('one', { '': [['Prefix', '/', 'any']], 'a.example.com': [['Prefix', '/', 'a']] })],
      url: '10.0.0.1/bar',
      expect: 'any',
    },
    {
      name: 'the older of two Ingresses',
      ingresses: [
        ingress('young', { 'a.example.com': [['Prefix', '/', 'young']] }, { created: '2026-01-02T00:00:00Z' }),
        ingress('old', { 'a.example.com': [['Prefix', '/', 'old']] }),
      ],
      url: 'a.example.com/',
      expect: 'old',
    },
    { name: 'no host at all', url: 'a b/', expect: 'bad request' },
    { name: 'a host with a path', url: 'a.example.com#/', expect: 'bad request' },
  ];
  for (const { name, ingresses = one, url, expect } of rows)
    t.equal(whoGets(ingresses, url), expect, `${name}: ${url}`);
});

t.test('default backends', async t => {
  const own = ingress('own', { 'a.example.com': [['Exact', '/foo', 'foo']] });
  own.spec = { ...own.spec, defaultBackend: backend('rest') };
  const all: Ingress = { ...ingress('all', {}), spec: { defaultBackend: backend('all') } };
  const rows = [
    { url: 'a.example.com/bar', expect: 'rest' },
    { url: 'a.example.com/foo', expect: 'foo' },
    { url: 'b.example.com/foo', expect: 'all' },
  ];
  for (const { url, expect } of rows) t.equal(whoGets([own, all], url), expect, url);
});

t.test('what an Ingress says beside its rules', async t => {
  const spec = { tls: [{ hosts: ['a.example.com'], secretName: 'cert' }] };
  const annotations = {
    'nginx.ingress.kubernetes.io/proxy-body-size': '8m',
    'nginx.ingress.kubernetes.io/proxy-read-timeout': 'soon',
    'nginx.ingress.kubernetes.io/canary': 'true',
    'example.com/other': 'x',
  };
  const said = ingressRules(
    ingress(
      'one',
      { 'a.example.com': [['Prefix', '/', 'a']], 'b.example.com': [['Prefix', '/', 'b']] },
      { spec, annotations },
    ),
  );
  t.same(
    said.rules.map(({ host, route }) => [host, route.onlySecure === true, route.maxBody, route.readTimeoutMs]),
    [
      ['a.example.com', true, 8 * 1024 * 1024, 60_000],
      ['b.example.com', false, 8 * 1024 * 1024, 60_000],
    ],
  );
  t.same(
    said.certificates.map(({ host, secret }) => [host, secret]),
    [['a.example.com', 'shop/cert']],
  );
  t.same(said.backends.map(backendKey), ['shop/a:80', 'shop/b:80']);
  t.same(
    said.problems.map(({ message }) => message),
    [
      'nginx.ingress.kubernetes.io/proxy-read-timeout: "soon" is not understood',
      'nginx.ingress.kubernetes.io/canary has no effect here',
    ],
  );
  const resource: Ingress = {
    ...ingress('one', {}),
    spec: { defaultBackend: { resource: { kind: 'Bucket', name: 'static' } } },
  };
  t.same(
    ingressRules(resource).problems.map(({ reason }) => reason),
    ['UnsupportedBackend'],
  );
});

t.test('rules that ask for more', async t => {
  const route = { name: '' };
  const rule = (name: string, more: object) => ({
    host: 'a',
    star: 'many' as const,
    path: { kind: 'prefix' as const, path: '/' },
    headers: [],
    query: [],
    origin: { created: '', key: name, index: 0 },
    route: { ...route, name },
    ...more,
  });
  const table = compileRoutes([
    rule('plain', {}),
    rule('header', { headers: [{ name: 'version', value: '2' }] }),
    rule('two headers', {
      headers: [
        { name: 'version', value: '2' },
        { name: 'user', value: 'jane' },
      ],
    }),
    rule('query', { query: [{ name: 'q', value: 'x' }] }),
    rule('method', { method: 'PUT' }),
    rule('deep', { path: { kind: 'prefix', path: '/deep' }, method: 'PUT' }),
    rule('star', { host: '*.a' }),
  ]);
  const rows: {
    ask: [host: string, method: string, path: string, headers?: object, query?: object];
    expect: string;
  }[] = [
    { ask: ['a', 'GET', '/'], expect: 'plain' },
    { ask: ['a', 'GET', '/', { version: '2' }], expect: 'header' },
    { ask: ['a', 'GET', '/', { version: '2', user: 'jane' }], expect: 'two headers' },
    { ask: ['a', 'GET', '/', { version: '3' }, { q: 'x' }], expect: 'query' },
    { ask: ['a', 'PUT', '/', { version: '2' }], expect: 'method' },
    { ask: ['a', 'GET', '/deep/x'], expect: 'plain' },
    { ask: ['a', 'PUT', '/deep/x'], expect: 'deep' },
    { ask: ['c.b.a', 'GET', '/'], expect: 'star' },
  ];
  for (const {
    ask: [host, method, path, headers = {}, query = {}],
    expect,
  } of rows) {
    const found = table.find({
      host,
      method,
      path: requestPath(path) ?? { text: '', elements: [] },
      header: name => (headers as Record<string, string>)[name],
      parameter: name => (query as Record<string, string>)[name],
    });
    t.equal(found?.route.name, expect, `${method} ${host}${path}`);
  }
});
