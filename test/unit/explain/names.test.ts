import t from 'tap';
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../../../src/client/resources.js';
import type { Client, ListOptions, ResourceRef } from '../../../src/client/types.js';
import { sourcesOf } from '../../../src/explain/names.js';
import { formatTrace } from '../../../src/explain/trace-text.js';
import { forbiddenError, notFoundError } from '../../../src/machinery/status.js';
import type { KubeObject, Service } from '../../../src/machinery/types.js';
import type { TraceReport } from '../../../src/nodeagent/kubelet-api/trace-report.js';

const service = (name: string, spec: Service['spec']): KubeObject => ({ metadata: { namespace: 'shop', name }, spec });
const slice = (of: string, endpoints: object[]): KubeObject => ({
  metadata: { namespace: 'shop', name: `${of}-a`, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints,
});
const headless = { clusterIP: 'None', clusterIPs: ['None'] };
const OBJECTS: Readonly<Record<string, readonly KubeObject[]>> = {
  [NAMESPACES.resource]: [{ metadata: { name: 'shop' } }, { metadata: { name: 'default' } }],
  [SERVICES.resource]: [
    service('web', {
      clusterIP: '10.96.1.1',
      clusterIPs: ['10.96.1.1', 'fd00::1'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    }),
    service('db', { ...headless, selector: { app: 'db' } }),
    service('empty', { ...headless, selector: { app: 'empty', tier: 'x' } }),
    service('bare', headless),
    service('late', headless),
    service('alias', { type: 'ExternalName', externalName: 'example.com' }),
  ],
  [ENDPOINT_SLICES.resource]: [
    slice('db', [{ addresses: ['10.244.1.5'], hostname: 'db-0' }, { addresses: ['10.244.1.6'] }]),
    slice('late', [{ addresses: ['10.244.1.7'], conditions: { ready: false } }]),
  ],
};

/** Reads what there is; of a forbidden resource nothing. */
function client(forbidden?: string): Pick<Client, 'resource'> {
  const allowed = (ref: ResourceRef): readonly KubeObject[] => {
    if (ref.resource === forbidden) throw forbiddenError(ref, '', 'no');
    return OBJECTS[ref.resource] ?? [];
  };
  const resource = (ref: ResourceRef): unknown => ({
    get: async ({ namespace, name }: { namespace: string; name: string }) => {
      const found = allowed(ref).find(
        ({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === namespace,
      );
      if (found === undefined) throw notFoundError(ref, name);
      return found;
    },
    list: async ({ namespace, labelSelector, fieldSelector }: ListOptions = {}) => ({
      items: allowed(ref).filter(
        ({ metadata }) =>
          (labelSelector === undefined &&
            fieldSelector === undefined &&
            (namespace === undefined || namespace === metadata.namespace)) ||
          labelSelector === `kubernetes.io/service-name=${metadata.labels?.['kubernetes.io/service-name'] ?? ''}` ||
          fieldSelector === `metadata.name=${metadata.name ?? ''}`,
      ),
    }),
  });
  return { resource } as unknown as Pick<Client, 'resource'>;
}

const query = (type: 'A' | 'AAAA', name: string, rcode = 'NXDOMAIN', data: readonly string[] = []) => ({
  question: { name, type },
  server: '10.96.0.10',
  rcode,
  authoritative: true,
  records: data.map(value => ({ name, type, ttl: 30, data: value })),
  steps: [],
});

t.test('what a name stands for', async t => {
  const rows: readonly (readonly [name: string, expect: string | undefined])[] = [
    ['web.shop.svc.cluster.local', 'Service shop/web, ClusterIP 10.96.1.1, fd00::1'],
    ['WEB.Shop.svc.Cluster.local', 'Service shop/web, ClusterIP 10.96.1.1, fd00::1'],
    ['_http._tcp.web.shop.svc.cluster.local', 'Service shop/web, ClusterIP 10.96.1.1, fd00::1'],
    [
      '_https._udp.web.shop.svc.cluster.local',
      'Service shop/web has no port named https of protocol UDP, only http (TCP)',
    ],
    ['db.shop.svc.cluster.local', 'Service shop/db, 2 ready of 2 endpoints in EndpointSlice db-a'],
    ['db-0.db.shop.svc.cluster.local', 'Service shop/db, 1 ready of 2 endpoints in EndpointSlice db-a'],
    ['10-244-1-6.db.shop.svc.cluster.local', 'Service shop/db, 1 ready of 2 endpoints in EndpointSlice db-a'],
    [
      'db-7.db.shop.svc.cluster.local',
      'Service shop/db has no endpoint named db-7: a Pod has a name here when its hostname is that and its subdomain is db',
    ],
    ['empty.shop.svc.cluster.local', 'Service shop/empty has no endpoints: no Pod has the labels app=empty,tier=x'],
    ['bare.shop.svc.cluster.local', 'Service shop/bare has no selector, and no EndpointSlice has endpoints for it'],
    [
      'late.shop.svc.cluster.local',
      'Service shop/late: of 1 endpoints none is ready; publishNotReadyAddresses would give them names before they are',
    ],
    ['alias.shop.svc.cluster.local', 'Service shop/alias, ExternalName example.com'],
    ['web.default.svc.cluster.local', 'there is no Service web in namespace default; ask for web.shop'],
    ['wbe.shop.svc.cluster.local', 'there is no Service wbe in namespace shop (there is web)'],
    ['web.shpo.svc.cluster.local', 'there is no namespace shpo (there is shop)'],
    ['nope.default.svc.cluster.local', 'there is no Service nope in namespace default'],
    ['web.nope.svc.cluster.local', 'there is no namespace nope'],
    ['web.cluster.local', undefined],
    ['svc.cluster.local', undefined],
    ['example.com', undefined],
  ];
  for (const [name, expect] of rows) {
    const lookup = { clusterDomain: 'cluster.local', queries: [query('A', name), query('AAAA', name)] };
    const found = (await sourcesOf(client(), lookup)).map(({ name: asked, text }) => ({ name: asked, text }));
    t.same(found, expect === undefined ? [] : [{ name, text: expect }], name);
  }
  const queries = ['alias', 'wbe', 'db'].map(name => query('A', `${name}.shop.svc.cluster.local`));
  t.match(
    await sourcesOf(client(), { clusterDomain: 'cluster.local', queries }),
    [
      { service: { namespace: 'shop', name: 'alias' }, alias: 'example.com' },
      { missing: 'service', near: 'web' },
      { service: { namespace: 'shop', name: 'db' } },
    ],
    'and as what it is',
  );
  const lookup = { clusterDomain: 'cluster.local', queries: [query('A', 'web.shop.svc.cluster.local')] };
  t.same(await sourcesOf(client('services'), lookup), [], 'who may not read it is told nothing');
});

t.test('each name of the search path is printed with why it is not there', async t => {
  const lookup: TraceReport['lookup'] = {
    name: 'web.shop',
    nameservers: ['10.96.0.10'],
    search: ['default.svc.cluster.local', 'svc.cluster.local'],
    ndots: 5,
    clusterDomain: 'cluster.local',
    dnsPolicy: 'ClusterFirst',
    addresses: ['10.96.1.1'],
    canonicalName: 'web.shop.svc.cluster.local',
    fromHosts: false,
    queries: [
      query('A', 'web.shop.default.svc.cluster.local'),
      query('AAAA', 'web.shop.default.svc.cluster.local'),
      query('A', 'web.shop.svc.cluster.local', 'NOERROR', ['10.96.1.1']),
      query('AAAA', 'web.shop.svc.cluster.local', 'NOERROR'),
    ],
    unanswered: [],
  };
  const report = {
    version: 'v1',
    from: { kind: 'pod', namespace: 'default', name: 'client', addresses: ['10.244.1.2'], node: 'n' },
    url: 'http://web.shop',
  } as const;
  const print = async (of: TraceReport['lookup']): Promise<string[]> => {
    const sources = await sourcesOf(client(), of);
    return formatTrace({ ...report, lookup: of }, { dns: false, sources })
      .split('\n')
      .slice(2);
  };
  t.same(await print(lookup), [
    '1. Name lookup: web.shop',
    '   search default.svc.cluster.local svc.cluster.local; ndots 5; nameserver 10.96.0.10',
    '   A web.shop.default.svc.cluster.local at 10.96.0.10: NXDOMAIN',
    '   AAAA web.shop.default.svc.cluster.local at 10.96.0.10: NXDOMAIN',
    '       there is no Service shop in namespace default',
    '   A web.shop.svc.cluster.local at 10.96.0.10: NOERROR, A 10.96.1.1',
    '   AAAA web.shop.svc.cluster.local at 10.96.0.10: NOERROR',
    '       Service shop/web, ClusterIP 10.96.1.1, fd00::1',
    '   web.shop.svc.cluster.local is 10.96.1.1',
    '',
  ]);
  const lost = { addresses: [], failure: 'NXDOMAIN', dnsPolicy: 'Default', search: [], nameservers: ['172.18.0.1'] };
  t.same(await print({ ...lookup, ...lost, queries: [query('A', 'web.shop')] }), [
    '1. Name lookup: web.shop',
    '   search ; ndots 5; nameserver 172.18.0.1',
    '   A web.shop at 10.96.0.10: NXDOMAIN',
    '   no address (NXDOMAIN)',
    "   no name of the search path is in cluster.local, and 172.18.0.1 is asked: the Pod's dnsPolicy is Default; cluster names need ClusterFirst, with hostNetwork ClusterFirstWithHostNet",
    '',
  ]);
});
