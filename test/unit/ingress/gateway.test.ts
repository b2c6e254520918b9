import t from 'tap';
import {
  compileGateways,
  type CompiledGateways,
  type GatewayFacts,
} from '../../../src/ingress/gateway/compile-gateways.js';
import { commonHosts } from '../../../src/ingress/gateway/hostnames.js';
import { writtenConditions, holds, fails } from '../../../src/ingress/gateway/conditions.js';
import type { Gateway, HttpRoute, Listener, ReferenceGrant, RouteRule } from '../../../src/ingress/gateway/types.js';
import { gatewayClass } from '../../../src/ingress/addon/objects.js';
import { requestPath } from '../../../src/ingress/routing/request-path.js';
import { compileRoutes } from '../../../src/ingress/routing/route-table.js';

const ADDRESS = '172.18.255.1';
const HTTP: Listener = { name: 'http', port: 80, protocol: 'HTTP' };
const HTTPS: Listener = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } };

const gateway = (listeners: readonly Listener[], spec: object = {}): Gateway => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { namespace: 'infra', name: 'gw' },
  spec: { gatewayClassName: 'kubette', listeners, ...spec },
});
const route = (rules: readonly RouteRule[] | undefined, spec: object = {}, metadata: object = {}): HttpRoute => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { namespace: 'infra', name: 'web', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
  spec: { parentRefs: [{ name: 'gw' }], ...(rules === undefined ? {} : { rules }), ...spec },
});
const to = (name: string, more: object = {}) => ({ name, port: 80, ...more });
const grant = (namespace: string, from: string, kind: string, toKind: string, name?: string): ReferenceGrant => ({
  metadata: { namespace, name: 'grant' },
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind, namespace: from }],
    to: [{ group: '', kind: toKind, ...(name === undefined ? {} : { name }) }],
  },
});

function compile(facts: Partial<GatewayFacts>): CompiledGateways {
  return compileGateways({
    classes: [gatewayClass()],
    gateways: [gateway([HTTP])],
    routes: [],
    grants: [],
    addresses: [ADDRESS],
    labelsOf: namespace => ({ team: namespace }),
    backendProblemOf: ({ service }) => (service === 'missing' ? { message: 'there is none' } : undefined),
    certificateProblemOf: secret => (secret.endsWith('/cert') ? undefined : 'there is none'),
    ...facts,
  });
}
const told = (verdicts: readonly { type: string; status: string; reason: string }[] = []): string =>
  verdicts.map(({ type, status, reason }) => `${type}=${status}/${reason}`).join(' ');

t.test('what is said of Gateways and their listeners', t => {
  const ok = 'Accepted=True/Accepted Programmed=True/Programmed';
  const rows: { name: string; facts: Partial<GatewayFacts>; gateway: string | undefined; listener?: string }[] = [
    {
      name: 'HTTP',
      facts: {},
      gateway: ok,
      listener:
        'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs Conflicted=False/NoConflicts Programmed=True/Programmed',
    },
    { name: 'HTTPS', facts: { gateways: [gateway([HTTPS])] }, gateway: ok },
    {
      name: 'of another class',
      facts: { gateways: [gateway([HTTP], { gatewayClassName: 'other' })] },
      gateway: undefined,
    },
    {
      name: 'without an address',
      facts: { addresses: [] },
      gateway: 'Accepted=True/Accepted Programmed=False/AddressNotAssigned',
    },
    {
      name: 'at an address of another',
      facts: { gateways: [gateway([HTTP], { addresses: [{ value: '10.0.0.1' }] })] },
      gateway: 'Accepted=True/Accepted Programmed=False/AddressNotUsable',
    },
    {
      name: 'at a name',
      facts: { gateways: [gateway([HTTP], { addresses: [{ type: 'Hostname', value: 'a.example.com' }] })] },
      gateway: 'Accepted=False/UnsupportedAddress Programmed=False/Invalid',
    },
    {
      name: 'another protocol',
      facts: { gateways: [gateway([{ ...HTTP, protocol: 'TCP' }])] },
      gateway: 'Accepted=False/ListenersNotValid Programmed=False/Invalid',
      listener:
        'Accepted=False/UnsupportedProtocol ResolvedRefs=True/ResolvedRefs Conflicted=False/NoConflicts Programmed=False/Invalid',
    },
    {
      name: 'another port, beside one that is fine',
      facts: { gateways: [gateway([{ ...HTTP, port: 8080 }, HTTPS])] },
      gateway: 'Accepted=True/ListenersNotValid Programmed=True/Programmed',
      listener:
        'Accepted=False/PortUnavailable ResolvedRefs=True/ResolvedRefs Conflicted=False/NoConflicts Programmed=False/Invalid',
    },
    {
      name: 'no such certificate',
      facts: { gateways: [gateway([{ ...HTTPS, tls: { certificateRefs: [{ name: 'none' }] } }])] },
      gateway: 'Accepted=True/Accepted Programmed=False/Invalid',
      listener:
        'Accepted=True/Accepted ResolvedRefs=False/InvalidCertificateRef Conflicted=False/NoConflicts Programmed=False/Invalid',
    },
    {
      name: 'a certificate of another namespace',
      facts: { gateways: [gateway([{ ...HTTPS, tls: { certificateRefs: [{ name: 'cert', namespace: 'other' }] } }])] },
      gateway: 'Accepted=True/Accepted Programmed=False/Invalid',
      listener:
        'Accepted=True/Accepted ResolvedRefs=False/RefNotPermitted Conflicted=False/NoConflicts Programmed=False/Invalid',
    },
    {
      name: 'that allows it',
      facts: {
        gateways: [gateway([{ ...HTTPS, tls: { certificateRefs: [{ name: 'cert', namespace: 'other' }] } }])],
        grants: [grant('other', 'infra', 'Gateway', 'Secret', 'cert')],
      },
      gateway: ok,
    },
    {
      name: 'kinds of routes',
      facts: { gateways: [gateway([{ ...HTTP, allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }])] },
      gateway: 'Accepted=True/Accepted Programmed=False/Invalid',
      listener:
        'Accepted=True/Accepted ResolvedRefs=False/InvalidRouteKinds Conflicted=False/NoConflicts Programmed=False/Invalid',
    },
  ];
  for (const { name, facts, gateway: expected, listener } of rows) {
    const said = compile(facts).gateways.get('infra/gw');
    t.equal(said && told(said.verdicts), expected, name);
    if (listener !== undefined) t.equal(told(said?.listeners[0]?.verdicts), listener, `${name}, its listener`);
  }
  t.end();
});

t.test('what is said of routes', t => {
  const fine = 'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs';
  const elsewhere = { namespace: 'shop' };
  const parents = [{ name: 'gw', namespace: 'infra' }];
  const from = (namespaces: object): Partial<GatewayFacts> => ({
    gateways: [gateway([{ ...HTTP, allowedRoutes: { namespaces } }])],
  });
  const rows: { name: string; route: HttpRoute; facts?: Partial<GatewayFacts>; expect: string; attached?: number }[] = [
    { name: 'all is well', route: route([{ backendRefs: [to('a')] }]), expect: fine, attached: 1 },
    {
      name: 'no such Service',
      route: route([{ backendRefs: [to('missing')] }]),
      expect: 'Accepted=True/Accepted ResolvedRefs=False/BackendNotFound',
      attached: 1,
    },
    {
      name: 'no Service at all',
      route: route([{ backendRefs: [to('a', { kind: 'Bucket', group: 'example.com' })] }]),
      expect: 'Accepted=True/Accepted ResolvedRefs=False/InvalidKind',
    },
    {
      name: 'a Service of others',
      route: route([{ backendRefs: [to('a', { namespace: 'shop' })] }]),
      expect: 'Accepted=True/Accepted ResolvedRefs=False/RefNotPermitted',
    },
    {
      name: 'who allow it',
      route: route([{ backendRefs: [to('a', { namespace: 'shop' })] }]),
      facts: { grants: [grant('shop', 'infra', 'HTTPRoute', 'Service')] },
      expect: fine,
    },
    {
      name: 'but another one',
      route: route([{ backendRefs: [to('a', { namespace: 'shop' })] }]),
      facts: { grants: [grant('shop', 'infra', 'HTTPRoute', 'Service', 'b')] },
      expect: 'Accepted=True/Accepted ResolvedRefs=False/RefNotPermitted',
    },
    {
      name: 'no such listener',
      route: route([], { parentRefs: [{ name: 'gw', sectionName: 'x' }] }),
      expect: 'Accepted=False/NoMatchingParent ResolvedRefs=True/ResolvedRefs',
      attached: 0,
    },
    { name: 'no such Gateway', route: route([], { parentRefs: [{ name: 'other' }] }), expect: '', attached: 0 },
    {
      name: 'of another namespace',
      route: route([], { parentRefs: parents }, elsewhere),
      expect: 'Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs',
      attached: 0,
    },
    {
      name: 'where all may',
      route: route([], { parentRefs: parents }, elsewhere),
      facts: from({ from: 'All' }),
      expect: fine,
      attached: 1,
    },
    {
      name: 'where some may',
      route: route([], { parentRefs: parents }, elsewhere),
      facts: from({ from: 'Selector', selector: { matchLabels: { team: 'shop' } } }),
      expect: fine,
    },
    {
      name: 'of whom it is none',
      route: route([], { parentRefs: parents }, elsewhere),
      facts: from({ from: 'Selector', selector: { matchLabels: { team: 'x' } } }),
      expect: 'Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs',
    },
    {
      name: 'other hosts',
      route: route([], { hostnames: ['a.example.org'] }),
      facts: { gateways: [gateway([{ ...HTTP, hostname: '*.example.com' }])] },
      expect: 'Accepted=False/NoMatchingListenerHostname ResolvedRefs=True/ResolvedRefs',
    },
    {
      name: 'a filter that is not served',
      route: route([{ filters: [{ type: 'RequestMirror' }] }]),
      expect: 'Accepted=False/UnsupportedValue ResolvedRefs=True/ResolvedRefs',
      attached: 0,
    },
    {
      name: 'an expression that is none',
      route: route([{ matches: [{ path: { type: 'RegularExpression', value: '(' } }] }]),
      expect: 'Accepted=False/UnsupportedValue ResolvedRefs=True/ResolvedRefs',
    },
    {
      name: 'a header that ends another',
      route: route([
        {
          filters: [
            { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'a', value: 'b\r\nc: d' }] } },
          ],
        },
      ]),
      expect: 'Accepted=False/UnsupportedValue ResolvedRefs=True/ResolvedRefs',
    },
  ];
  for (const { name, route: given, facts = {}, expect, attached } of rows) {
    const compiled = compile({ routes: [given], ...facts });
    const said = compiled.routes.get(`${given.metadata.namespace ?? ''}/web`) ?? [];
    t.equal(said.map(({ verdicts }) => told(verdicts)).join('; '), expect, name);
    if (attached !== undefined)
      t.equal(compiled.gateways.get('infra/gw')?.listeners[0]?.attachedRoutes, attached, `${name}, attached`);
  }
  t.end();
});

t.test('hosts that a listener and a route have in common', t => {
  const rows: [listener: string | undefined, routes: string[], expect: string[]][] = [
    [undefined, [], ['']],
    [undefined, ['a.example.com'], ['a.example.com']],
    ['A.example.com', [], ['a.example.com']],
    [
      '*.example.com',
      ['a.example.com', 'b.a.example.com', 'example.com', 'a.example.org'],
      ['a.example.com', 'b.a.example.com'],
    ],
    ['a.example.com', ['*.example.com', '*.com', '*.org'], ['a.example.com']],
    ['*.example.com', ['*.a.example.com', '*.com'], ['*.a.example.com', '*.example.com']],
    ['a.example.com', ['b.example.com'], []],
  ];
  for (const [listener, routes, expect] of rows)
    t.same(commonHosts(listener, routes), expect, `${listener ?? 'any'} and ${routes.join(', ')}`);
  t.end();
});

t.test('what becomes of a request', t => {
  const rules: RouteRule[] = [
    { matches: [{ path: { value: '/' } }], backendRefs: [to('root')] },
    { matches: [{ path: { value: '/v' }, headers: [{ name: 'Version', value: '2' }] }], backendRefs: [to('two')] },
    { matches: [{ path: { value: '/v' } }], backendRefs: [to('one', { weight: 3 }), to('missing')] },
    { matches: [{ path: { type: 'RegularExpression', value: '/u/[0-9]+' } }], backendRefs: [to('user')] },
    {
      matches: [
        { path: { type: 'Exact', value: '/q' }, queryParams: [{ name: 'a', type: 'RegularExpression', value: 'x+' }] },
      ],
      backendRefs: [to('query')],
    },
    { matches: [{ path: { value: '/m' }, method: 'POST' }], backendRefs: [to('post')] },
    {
      matches: [{ path: { value: '/old' } }],
      filters: [
        {
          type: 'RequestRedirect',
          requestRedirect: {
            scheme: 'https',
            statusCode: 301,
            path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new path' },
          },
        },
      ],
    },
    {
      matches: [{ path: { value: '/slow' } }],
      backendRefs: [to('slow')],
      timeouts: { request: '10s', backendRequest: '2s' },
    },
    {
      matches: [{ path: { value: '/in' } }],
      filters: [
        {
          type: 'URLRewrite',
          urlRewrite: { hostname: 'inner', path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } },
        },
      ],
      backendRefs: [to('in')],
    },
  ];
  const compiled = compile({ routes: [route(rules, { hostnames: ['a.example.com'] })] });
  const table = compileRoutes(compiled.rules.get(80) ?? []);
  const ask = (
    path: string,
    {
      method = 'GET',
      headers = {},
      query = {},
      host = 'a.example.com',
    }: { method?: string; headers?: Record<string, string>; query?: Record<string, string>; host?: string } = {},
  ) =>
    table.find({
      ...{ host, method, path: requestPath(path) ?? { text: '', elements: [] } },
      header: name => headers[name],
      parameter: name => query[name],
    })?.route;
  const backends = (...args: Parameters<typeof ask>): string =>
    ask(...args)
      ?.backends.map(({ to: at, weight }) => `${at?.service ?? 'none'}*${weight}`)
      .join(' ') ?? 'nobody';
  const rows: { ask: Parameters<typeof ask>; expect: string }[] = [
    { ask: ['/x'], expect: 'root*1' },
    { ask: ['/v/x'], expect: 'one*3 none*1' },
    { ask: ['/v/x', { headers: { version: '2' } }], expect: 'two*1' },
    { ask: ['/u/12'], expect: 'user*1' },
    { ask: ['/u/12/x'], expect: 'root*1' },
    { ask: ['/q', { query: { a: 'xx' } }], expect: 'query*1' },
    { ask: ['/q', { query: { a: 'xy' } }], expect: 'root*1' },
    { ask: ['/m', { method: 'POST' }], expect: 'post*1' },
    { ask: ['/m'], expect: 'root*1' },
    { ask: ['/x', { host: 'b.example.com' }], expect: 'nobody' },
  ];
  for (const { ask: asked, expect } of rows) t.equal(backends(...asked), expect, JSON.stringify(asked));
  t.same(ask('/old/x')?.redirect, { status: 301, scheme: 'https', path: { kind: 'prefix', path: '/new%20path' } });
  t.same(ask('/in/x')?.rewrite, { host: 'inner', path: { kind: 'full', path: '/x' } });
  t.equal(ask('/slow')?.requestTimeoutMs, 2_000);
  t.end();
});

t.test('conditions keep their time while their status stays', t => {
  const before = writtenConditions([], [holds('Accepted'), holds('Other')], 1, 'then');
  t.same(
    writtenConditions(before, [holds('Accepted', 'Because'), fails('ResolvedRefs', 'InvalidKind', 'x')], 2, 'now'),
    [
      {
        type: 'Accepted',
        status: 'True',
        reason: 'Because',
        message: '',
        observedGeneration: 2,
        lastTransitionTime: 'then',
      },
      {
        type: 'ResolvedRefs',
        status: 'False',
        reason: 'InvalidKind',
        message: 'x',
        observedGeneration: 2,
        lastTransitionTime: 'now',
      },
      {
        type: 'Other',
        status: 'True',
        reason: 'Other',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: 'then',
      },
    ],
  );
  t.end();
});
