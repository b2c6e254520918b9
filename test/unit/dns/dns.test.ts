import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import * as packet from 'dns-packet';
import t from 'tap';
import { createStore } from '../../../src/client/indexer.js';
import type { Client, EventHandler, Informer, InformerFactory, ResourceRef } from '../../../src/client/types.js';
import { ENDPOINT_SLICES, SERVICES } from '../../../src/client/resources.js';
import { createDnsMetrics } from '../../../src/dns/metrics.js';
import { publish, type PublishOptions } from '../../../src/dns/publish.js';
import { createDnsServer } from '../../../src/dns/server.js';
import { startStatusServer } from '../../../src/dns/status-server.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { notFoundError } from '../../../src/machinery/status.js';
import type { EndpointSlice, KubeObject, Service } from '../../../src/machinery/types.js';

/** Informers that hold what they are given, without a server. */
function fakeInformers(objects: Readonly<Record<string, readonly KubeObject[]>>, synced = true): InformerFactory {
  const informers = new Map<string, Informer>();
  return {
    informer<T extends KubeObject>(ref: ResourceRef) {
      const known = informers.get(ref.resource);
      if (known !== undefined) return known as unknown as Informer<T>;
      const store = createStore<KubeObject>();
      for (const object of objects[ref.resource] ?? []) store.put(object);
      const informer: Informer = {
        indexer: store,
        addIndex: (name, index) => store.addIndex(name, index),
        addHandler(handler: EventHandler) {
          for (const object of store.list()) handler.add?.(object);
          return () => undefined;
        },
        synced,
        whenSynced: async () => undefined,
      };
      informers.set(ref.resource, informer);
      return informer as unknown as Informer<T>;
    },
    start: () => undefined,
    whenSynced: async () => undefined,
  };
}

const service = (namespace: string, name: string, spec: Service['spec']): KubeObject => ({
  metadata: { namespace, name },
  spec,
});

function slice(
  namespace: string,
  name: string,
  of: string,
  endpoints: EndpointSlice['endpoints'],
  ports: EndpointSlice['ports'],
): KubeObject {
  return {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}

const manyPods = Array.from({ length: 60 }, (_, i) => ({ addresses: [`10.244.7.${i + 1}`] }));

const CLUSTER = {
  namespaces: [
    { metadata: { name: 'default' } },
    { metadata: { name: 'shop' } },
    { metadata: { name: 'kube-system' } },
  ],
  services: [
    service('kube-system', 'kube-dns', {
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    }),
    service('shop', 'web', {
      clusterIP: '10.96.1.1',
      clusterIPs: ['10.96.1.1'],
      ports: [
        { name: 'http', port: 80, protocol: 'TCP' },
        { name: 'admin', port: 8080, protocol: 'TCP' },
      ],
    }),
    service('shop', 'dual', {
      clusterIP: '10.96.1.2',
      clusterIPs: ['10.96.1.2', 'fd00::12'],
      ports: [{ port: 80, protocol: 'TCP' }],
    }),
    service('shop', 'db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] }),
    service('shop', 'empty', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] }),
    service('shop', 'many', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'x', port: 1 }] }),
    service('shop', 'portless', { clusterIP: 'None', clusterIPs: ['None'] }),
    service('shop', 'both', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'x', port: 1 }] }),
    service('shop', 'silent', { clusterIP: '10.96.1.3', clusterIPs: ['10.96.1.3'] }),
    service('shop', 'self', { type: 'ExternalName', externalName: 'self.shop.svc.cluster.local' }),
    service('shop', 'below', { type: 'ExternalName', externalName: 'x.below.shop.svc.cluster.local' }),
    service('shop', 'server', { type: 'ExternalName', externalName: 'ns.dns.cluster.local' }),
    service('shop', 'aliasdb', { type: 'ExternalName', externalName: 'DB.shop.svc.cluster.local.' }),
    service('shop', 'outside', { type: 'ExternalName', externalName: 'example.com' }),
    service('shop', 'alias', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
    service('shop', 'nowhere', { type: 'ExternalName', externalName: 'none.shop.svc.cluster.local' }),
    service('shop', 'loop', { type: 'ExternalName', externalName: 'loop2.shop.svc.cluster.local' }),
    service('shop', 'loop2', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' }),
  ],
  endpointslices: [
    slice('shop', 'web-1', 'web', [{ addresses: ['10.244.1.9'] }], [{ name: 'http', port: 8000, protocol: 'TCP' }]),
    slice(
      'shop',
      'db-1',
      'db',
      [
        { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: { ready: true } },
        { addresses: ['10.244.2.5'], conditions: {} },
        { addresses: ['10.244.3.5'], hostname: 'db-2', conditions: { ready: false, serving: true } },
      ],
      [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    ),
    slice('shop', 'many-1', 'many', manyPods, [{ name: 'x', port: 1, protocol: 'TCP' }]),
    slice(
      'shop',
      'both-4',
      'both',
      [{ addresses: ['10.244.1.8'], hostname: 'b-0' }],
      [{ name: 'x', port: 1, protocol: 'TCP' }],
    ),
    slice(
      'shop',
      'both-6',
      'both',
      [{ addresses: ['fd00::8'], hostname: 'b-0' }, { addresses: ['fd00:1::'] }],
      [{ name: 'x', port: 1, protocol: 'TCP' }],
    ),
    slice('shop', 'portless-1', 'portless', [{ addresses: ['10.244.1.6'], hostname: 'solo' }], []),
  ],
} as unknown as Readonly<Record<string, readonly KubeObject[]>>;

const START = Date.parse('2026-01-01T00:00:00Z');
const soa = (zone: string): string =>
  `${zone} 30 SOA ns.dns.${zone} hostmaster.${zone} ${START / 1000} 7200 1800 86400 30`;

/** One line per record, e.g. "web.shop.svc.cluster.local 30 A 10.96.1.1". */
function print(record: packet.Answer): string {
  if (record.type === 'OPT') return `OPT ${record.udpPayloadSize}`;
  const head = `${record.name} ${(record as { ttl?: number }).ttl ?? 0} ${record.type}`;
  switch (record.type) {
    case 'SRV': {
      const { priority, weight, port, target } = record.data;
      return `${head} ${priority} ${weight} ${port} ${target}`;
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return `${head} ${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'TXT':
      return `${head} ${String(record.data)}`;
    default:
      return `${head} ${String((record as { data: unknown }).data)}`;
  }
}

interface DecodedFlags {
  readonly rcode: string;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
}

interface Row {
  readonly name: string;
  readonly question: readonly [name: string, type: string];
  readonly rcode?: string;
  /** Default: unless it is refused. */
  readonly aa?: boolean;
  readonly answers?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
}

const CLUSTER_SOA = [soa('cluster.local')];
const WEB = 'web.shop.svc.cluster.local';
const DB = 'db.shop.svc.cluster.local';
const nodata = { answers: [], authority: CLUSTER_SOA };
/** As a server that forwards passes on the root's answer. */
const outside = {
  rcode: 'NXDOMAIN',
  aa: false,
  answers: [],
  authority: [`. 30 SOA ns.dns hostmaster ${START / 1000} 7200 1800 86400 30`],
};
const nxdomain = { rcode: 'NXDOMAIN', answers: [], authority: CLUSTER_SOA };

const rows: readonly Row[] = [
  { name: 'ClusterIP', question: [WEB, 'A'], answers: [`${WEB} 30 A 10.96.1.1`] },
  {
    name: 'case of the question is kept',
    question: ['WEB.Shop.svc.CLUSTER.local', 'A'],
    answers: ['WEB.Shop.svc.CLUSTER.local 30 A 10.96.1.1'],
  },
  { name: 'no IPv6: no data, not no name', question: [WEB, 'AAAA'], ...nodata },
  {
    name: 'dual stack A',
    question: ['dual.shop.svc.cluster.local', 'A'],
    answers: ['dual.shop.svc.cluster.local 30 A 10.96.1.2'],
  },
  {
    name: 'dual stack AAAA',
    question: ['dual.shop.svc.cluster.local', 'AAAA'],
    answers: ['dual.shop.svc.cluster.local 30 AAAA fd00::12'],
  },
  { name: 'unknown Service', question: ['none.shop.svc.cluster.local', 'A'], ...nxdomain },
  { name: 'unknown namespace', question: ['web.none.svc.cluster.local', 'A'], ...nxdomain },
  { name: 'a name of the search path', question: ['example.com.shop.svc.cluster.local', 'A'], ...nxdomain },
  { name: 'too long', question: [`a.b.c.${WEB}`, 'A'], ...nxdomain },
  { name: 'neither svc nor pod', question: ['web.shop.cluster.local', 'A'], ...nxdomain },
  { name: 'the zone', question: ['cluster.local', 'A'], ...nodata },
  { name: 'svc', question: ['svc.cluster.local', 'A'], ...nodata },
  { name: 'a namespace', question: ['shop.svc.cluster.local', 'A'], ...nodata },
  { name: 'a namespace that is not there', question: ['none.svc.cluster.local', 'A'], ...nxdomain },
  { name: 'a type that is never there', question: [WEB, 'MX'], ...nodata },
  { name: 'the same, of an unknown name', question: ['none.shop.svc.cluster.local', 'MX'], ...nxdomain },
  {
    name: 'SRV of a port',
    question: [`_http._tcp.${WEB}`, 'SRV'],
    answers: [`_http._tcp.${WEB} 30 SRV 0 100 80 ${WEB}`],
    additional: [`${WEB} 30 A 10.96.1.1`],
  },
  {
    name: 'SRV of all ports',
    question: [WEB, 'SRV'],
    answers: [`${WEB} 30 SRV 0 50 80 ${WEB}`, `${WEB} 30 SRV 0 50 8080 ${WEB}`],
    additional: [`${WEB} 30 A 10.96.1.1`],
  },
  { name: 'SRV of another protocol', question: [`_http._udp.${WEB}`, 'SRV'], ...nxdomain },
  { name: 'SRV of an unknown port', question: [`_nope._tcp.${WEB}`, 'SRV'], ...nxdomain },
  {
    name: 'headless: an address for each ready endpoint',
    question: [DB, 'A'],
    answers: [`${DB} 30 A 10.244.1.5`, `${DB} 30 A 10.244.2.5`],
  },
  {
    name: 'headless SRV',
    question: [`_sql._tcp.${DB}`, 'SRV'],
    answers: [`_sql._tcp.${DB} 30 SRV 0 50 5432 db-0.${DB}`, `_sql._tcp.${DB} 30 SRV 0 50 5432 10-244-2-5.${DB}`],
    additional: [`db-0.${DB} 30 A 10.244.1.5`, `10-244-2-5.${DB} 30 A 10.244.2.5`],
  },
  { name: 'endpoint by hostname', question: [`db-0.${DB}`, 'A'], answers: [`db-0.${DB} 30 A 10.244.1.5`] },
  { name: 'endpoint by address', question: [`10-244-2-5.${DB}`, 'A'], answers: [`10-244-2-5.${DB} 30 A 10.244.2.5`] },
  { name: 'an endpoint that is not ready', question: [`db-2.${DB}`, 'A'], ...nxdomain },
  {
    name: 'an endpoint of a ClusterIP Service',
    question: [`10-244-1-9.${WEB}`, 'A'],
    answers: [`10-244-1-9.${WEB} 30 A 10.244.1.9`],
  },
  { name: 'headless without endpoints', question: ['empty.shop.svc.cluster.local', 'A'], ...nxdomain },
  {
    name: 'headless without ports has addresses',
    question: ['portless.shop.svc.cluster.local', 'A'],
    answers: ['portless.shop.svc.cluster.local 30 A 10.244.1.6'],
  },
  { name: 'headless without ports has no SRV', question: ['portless.shop.svc.cluster.local', 'SRV'], ...nodata },
  {
    name: 'ExternalName',
    question: ['outside.shop.svc.cluster.local', 'A'],
    answers: ['outside.shop.svc.cluster.local 30 CNAME example.com'],
  },
  {
    name: 'ExternalName, CNAME asked',
    question: ['outside.shop.svc.cluster.local', 'CNAME'],
    answers: ['outside.shop.svc.cluster.local 30 CNAME example.com'],
  },
  { name: 'ExternalName, SRV', question: ['outside.shop.svc.cluster.local', 'SRV'], ...nodata },
  {
    name: 'ExternalName inside of the cluster is followed',
    question: ['alias.shop.svc.cluster.local', 'A'],
    answers: [`alias.shop.svc.cluster.local 30 CNAME ${WEB}`, `${WEB} 30 A 10.96.1.1`],
  },
  { name: 'ExternalName to nothing', question: ['nowhere.shop.svc.cluster.local', 'A'], ...nodata },
  { name: 'ExternalNames in a circle', question: ['loop.shop.svc.cluster.local', 'A'], ...nodata },
  { name: 'CNAME of an address', question: [WEB, 'CNAME'], ...nodata },
  {
    name: 'Pod',
    question: ['10-244-1-5.shop.pod.cluster.local', 'A'],
    answers: ['10-244-1-5.shop.pod.cluster.local 30 A 10.244.1.5'],
  },
  {
    name: 'Pod, IPv6',
    question: ['fd00--5.shop.pod.cluster.local', 'AAAA'],
    answers: ['fd00--5.shop.pod.cluster.local 30 AAAA fd00::5'],
  },
  { name: 'Pod by no address', question: ['web-1.shop.pod.cluster.local', 'A'], ...nxdomain },
  { name: 'Pod in no namespace', question: ['10-244-1-5.none.pod.cluster.local', 'A'], ...nxdomain },
  {
    name: 'PTR of a ClusterIP',
    question: ['1.1.96.10.in-addr.arpa', 'PTR'],
    answers: [`1.1.96.10.in-addr.arpa 30 PTR ${WEB}`],
  },
  {
    name: 'PTR of an endpoint with a hostname',
    question: ['5.1.244.10.in-addr.arpa', 'PTR'],
    answers: [`5.1.244.10.in-addr.arpa 30 PTR db-0.${DB}`],
  },
  {
    name: 'PTR of an endpoint without',
    question: ['5.2.244.10.in-addr.arpa', 'PTR'],
    answers: [`5.2.244.10.in-addr.arpa 30 PTR 10-244-2-5.${DB}`],
  },
  { name: 'PTR of an endpoint that is not ready', question: ['5.3.244.10.in-addr.arpa', 'PTR'], ...outside },
  { name: 'PTR of an address of nobody', question: ['9.9.9.9.in-addr.arpa', 'PTR'], ...outside },
  {
    name: 'PTR of half an address',
    question: ['96.10.in-addr.arpa', 'PTR'],
    ...outside,
  },
  {
    name: 'PTR, IPv6',
    question: ['2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa', 'PTR'],
    answers: [
      '2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa 30 PTR dual.shop.svc.cluster.local',
    ],
  },
  {
    name: 'version of the schema',
    question: ['dns-version.cluster.local', 'TXT'],
    answers: ['dns-version.cluster.local 30 TXT 1.1.0'],
  },
  { name: 'TXT of a Service', question: [WEB, 'TXT'], ...nodata },
  { name: 'SOA', question: ['cluster.local', 'SOA'], answers: CLUSTER_SOA },
  {
    name: 'NS',
    question: ['cluster.local', 'NS'],
    answers: ['cluster.local 30 NS kube-dns.kube-system.svc.cluster.local'],
    additional: ['kube-dns.kube-system.svc.cluster.local 30 A 10.96.0.10'],
  },
  {
    name: 'the name server',
    question: ['ns.dns.cluster.local', 'A'],
    answers: ['ns.dns.cluster.local 30 A 10.96.0.10'],
  },
  { name: 'any other name does not exist', question: ['example.com', 'A'], ...outside },
  { name: 'the last step of the search path', question: ['nosuch', 'A'], ...outside },
  { name: 'what only looks like the zone', question: ['xcluster.local', 'A'], ...outside },
  { name: 'a Service of another zone', question: ['web.shop.svc.other.local', 'SRV'], ...outside },
  // By the source of CoreDNS 1.13.1; rows of one family were also put to it, about objects like these.
  {
    name: 'dual-stack headless, A',
    question: ['both.shop.svc.cluster.local', 'A'],
    answers: ['both.shop.svc.cluster.local 30 A 10.244.1.8'],
  },
  {
    name: 'dual-stack headless, AAAA',
    question: ['both.shop.svc.cluster.local', 'AAAA'],
    answers: ['both.shop.svc.cluster.local 30 AAAA fd00::8', 'both.shop.svc.cluster.local 30 AAAA fd00:1::'],
  },
  {
    name: 'dual-stack headless, SRV: one record for a hostname, with both addresses',
    question: ['both.shop.svc.cluster.local', 'SRV'],
    answers: [
      'both.shop.svc.cluster.local 30 SRV 0 33 1 b-0.both.shop.svc.cluster.local',
      'both.shop.svc.cluster.local 30 SRV 0 33 1 fd00-1--0.both.shop.svc.cluster.local',
    ],
    additional: [
      'b-0.both.shop.svc.cluster.local 30 A 10.244.1.8',
      'b-0.both.shop.svc.cluster.local 30 AAAA fd00::8',
      'fd00-1--0.both.shop.svc.cluster.local 30 AAAA fd00:1::',
    ],
  },
  {
    name: 'dual-stack ClusterIP, SRV',
    question: ['dual.shop.svc.cluster.local', 'SRV'],
    answers: ['dual.shop.svc.cluster.local 30 SRV 0 50 80 dual.shop.svc.cluster.local'],
    additional: ['dual.shop.svc.cluster.local 30 A 10.96.1.2', 'dual.shop.svc.cluster.local 30 AAAA fd00::12'],
  },
  {
    name: 'ClusterIP without ports has an address',
    question: ['silent.shop.svc.cluster.local', 'A'],
    answers: ['silent.shop.svc.cluster.local 30 A 10.96.1.3'],
  },
  { name: 'and no SRV', question: ['silent.shop.svc.cluster.local', 'SRV'], ...nodata },
  {
    name: 'SRV names its target in the case of the question',
    question: ['_http._tcp.web.shop.svc.CLUSTER.local', 'SRV'],
    answers: ['_http._tcp.web.shop.svc.CLUSTER.local 30 SRV 0 100 80 web.shop.svc.CLUSTER.local'],
    additional: ['web.shop.svc.CLUSTER.local 30 A 10.96.1.1'],
  },
  { name: 'SRV without underscores', question: [`http.tcp.${WEB}`, 'A'], answers: [`http.tcp.${WEB} 30 A 10.96.1.1`] },
  { name: 'a port alone is taken for an endpoint', question: [`_http.${WEB}`, 'SRV'], ...nxdomain },
  { name: 'no wildcard', question: ['*.shop.svc.cluster.local', 'A'], ...nxdomain },
  { name: 'an ExternalName has no ports', question: ['_x._tcp.alias.shop.svc.cluster.local', 'SRV'], ...nxdomain },
  { name: 'nor a protocol', question: ['_._tcp.alias.shop.svc.cluster.local', 'SRV'], ...nxdomain },
  { name: 'an ExternalName to itself', question: ['self.shop.svc.cluster.local', 'A'], ...nodata },
  { name: 'an ExternalName to a name below it', question: ['below.shop.svc.cluster.local', 'A'], ...nodata },
  {
    name: 'an ExternalName to the name server',
    question: ['server.shop.svc.cluster.local', 'A'],
    answers: ['server.shop.svc.cluster.local 30 CNAME ns.dns.cluster.local', 'ns.dns.cluster.local 30 A 10.96.0.10'],
  },
  {
    name: 'an ExternalName to a headless Service, in its own case',
    question: ['aliasdb.shop.svc.cluster.local', 'A'],
    answers: [
      'aliasdb.shop.svc.cluster.local 30 CNAME DB.shop.svc.cluster.local',
      'DB.shop.svc.cluster.local 30 A 10.244.1.5',
      'DB.shop.svc.cluster.local 30 A 10.244.2.5',
    ],
  },
  { name: 'SOA of any name is no data', question: ['none.none.svc.cluster.local', 'SOA'], ...nodata },
  { name: 'TXT of the zone', question: ['cluster.local', 'TXT'], ...nxdomain },
  { name: 'the version is text only', question: ['dns-version.cluster.local', 'A'], ...nxdomain },
  { name: 'NS of a Service', question: [WEB, 'NS'], ...nodata },
  {
    name: 'NS of the zone in another case',
    question: ['Cluster.local', 'NS'],
    answers: [],
    authority: [soa('Cluster.local')],
  },
  { name: 'the name server, IPv6', question: ['ns.dns.cluster.local', 'AAAA'], ...nodata },
  { name: 'the name server, SRV', question: ['ns.dns.cluster.local', 'SRV'], ...nodata },
  {
    name: 'the name server in another case of the zone',
    question: ['ns.dns.Cluster.local', 'A'],
    ...nxdomain,
    authority: [soa('Cluster.local')],
  },
  { name: 'Pod with leading zeros', question: ['010-1-2-3.shop.pod.cluster.local', 'A'], ...nxdomain },
  {
    name: 'Pod with an IPv4-mapped address',
    question: ['--ffff-a01-203.shop.pod.cluster.local', 'A'],
    answers: ['--ffff-a01-203.shop.pod.cluster.local 30 A 10.1.2.3'],
  },
  {
    name: 'Pod, SRV',
    question: ['10-1-2-3.shop.pod.cluster.local', 'SRV'],
    answers: ['10-1-2-3.shop.pod.cluster.local 30 SRV 0 100 0 10-1-2-3.shop.pod.cluster.local'],
    additional: ['10-1-2-3.shop.pod.cluster.local 30 A 10.1.2.3'],
  },
  { name: 'PTR of a Service’s name', question: [WEB, 'PTR'], ...nodata },
  {
    name: 'the reverse zone',
    question: ['in-addr.arpa', 'A'],
    answers: [],
    authority: [soa('in-addr.arpa')],
  },
  { name: 'an address of a reverse name', question: ['1.1.96.10.in-addr.arpa', 'A'], ...outside },
  { name: 'PTR with a leading zero', question: ['01.1.96.10.in-addr.arpa', 'PTR'], ...outside },
  { name: 'transfer', question: ['cluster.local', 'AXFR'], rcode: 'REFUSED', answers: [], authority: [] },
];

async function askUdp(port: number, message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    return await new Promise((done, failed) => {
      socket.once('message', done);
      socket.once('error', failed);
      socket.send(message, port, '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}

/** Sends all messages in one segment over one connection. */
async function askTcp(port: number, ...messages: Buffer[]): Promise<Buffer[]> {
  const socket = connect(port, '127.0.0.1');
  socket.end(
    Buffer.concat(
      messages.map(message => Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])),
    ),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  const answers: Buffer[] = [];
  for (let at = 0; at < all.length; at += 2 + all.readUInt16BE(at))
    answers.push(all.subarray(at + 2, at + 2 + all.readUInt16BE(at)));
  return answers;
}

const question = (name: string, type: string, extra: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({
    type: 'query',
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type: type as packet.RecordType }],
    ...extra,
  });

const opt = (udpPayloadSize: number, ednsVersion = 0): packet.Answer => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion,
  flags: 0,
  flag_do: false,
  options: [],
});

t.test('answers over UDP and TCP', async t => {
  const server = createDnsServer({ informers: fakeInformers(CLUSTER), clock: new FakeClock(START) });
  const port = await server.listen();
  t.teardown(() => server.close());
  for (const row of rows) {
    const message = question(...row.question);
    const overUdp = await askUdp(port, message);
    const [overTcp] = await askTcp(port, message);
    t.same(overTcp, overUdp, `${row.name}: both transports answer the same`);
    const answer = packet.decode(overUdp) as packet.DecodedPacket & DecodedFlags;
    t.match(
      {
        id: answer.id,
        rcode: answer.rcode,
        aa: answer.flag_aa,
        tc: answer.flag_tc,
        question: answer.questions?.[0]?.name,
        answers: answer.answers?.map(print),
        authority: answer.authorities?.map(print),
        additional: answer.additionals?.map(print),
      },
      {
        id: 4711,
        rcode: row.rcode ?? 'NOERROR',
        aa: row.aa ?? row.rcode !== 'REFUSED',
        tc: false,
        question: row.question[0],
        answers: row.answers ?? [],
        authority: row.authority ?? [],
        additional: row.additional ?? [],
      },
      row.name,
    );
    t.equal(answer.answers?.length, (row.answers ?? []).length, `${row.name}: number of answers`);
  }
});

t.test('messages', async t => {
  const server = createDnsServer({ informers: fakeInformers(CLUSTER), clock: realClock });
  const port = await server.listen();
  t.teardown(() => server.close());
  const many = question('many.shop.svc.cluster.local', 'A');
  const decode = (buffer: Buffer): packet.DecodedPacket & DecodedFlags => packet.decode(buffer) as never;

  const short = await askUdp(port, many);
  t.ok(short.length <= 512, 'a datagram holds 512 bytes');
  t.equal(decode(short).flag_tc, true, 'and says that it was cut');
  t.ok((decode(short).answers?.length ?? 0) > 20, 'names are compressed');

  const [whole] = await askTcp(port, many);
  t.equal(whole === undefined ? 0 : decode(whole).answers?.length, 60, 'TCP gives all');

  const wide = decode(await askUdp(port, question('many.shop.svc.cluster.local', 'A', { additionals: [opt(4096)] })));
  t.equal(wide.answers?.length, 60, 'EDNS0 makes room');
  t.same(wide.additionals?.map(print), ['OPT 4096'], 'and is answered with EDNS0');

  const version = await askUdp(port, question(WEB, 'A', { additionals: [opt(4096, 1)] }));
  t.equal(decode(version).answers?.length, 0, 'an unknown EDNS version is refused');
  t.equal((decode(version).additionals?.[0] as { extendedRcode?: number }).extendedRcode, 1, 'with BADVERS');

  const pipelined = await askTcp(port, question(WEB, 'A'), question('none.shop.svc.cluster.local', 'A'));
  t.same(
    pipelined.map(answer => decode(answer).rcode),
    ['NOERROR', 'NXDOMAIN'],
    'several questions in one connection',
  );

  const cases: readonly { name: string; message: Buffer; rcode: string }[] = [
    {
      name: 'no question',
      message: Buffer.from('00070100000000000000000000', 'hex').subarray(0, 12),
      rcode: 'FORMERR',
    },
    { name: 'cut in the name', message: question(WEB, 'A').subarray(0, 20), rcode: 'FORMERR' },
    { name: 'cut in the type', message: question(WEB, 'A').subarray(0, -1), rcode: 'FORMERR' },
    {
      name: 'a label of 200 bytes',
      message: Buffer.concat([question(WEB, 'A').subarray(0, 12), Buffer.from([200]), Buffer.alloc(300)]),
      rcode: 'FORMERR',
    },
    { name: 'another opcode', message: (m => (m.writeUInt16BE(0x2800, 2), m))(question(WEB, 'A')), rcode: 'NOTIMP' },
    {
      name: 'another class, which upstream looks at as little',
      message: (m => (m.writeUInt16BE(3, m.length - 2), m))(question(WEB, 'A')),
      rcode: 'NOERROR',
    },
  ];
  for (const { name, message, rcode } of cases) t.equal(decode(await askUdp(port, message)).rcode, rcode, name);

  // A response and a fragment get no answer; the question after them does.
  const socket = createSocket('udp4');
  const response = question(WEB, 'A');
  response.writeUInt16BE(0x8000, 2);
  const answered = new Promise<Buffer>(done => socket.once('message', done));
  for (const message of [response, Buffer.from([1, 2, 3]), question(WEB, 'A', { id: 99 })])
    socket.send(message, port, '127.0.0.1');
  t.equal(decode(await answered).id, 99, 'what is no query is not answered');
  socket.close();
});

t.test('before the caches are filled', async t => {
  const server = createDnsServer({ informers: fakeInformers({}, false), clock: realClock });
  const port = await server.listen();
  t.teardown(() => server.close());
  t.equal(
    (packet.decode(await askUdp(port, question(WEB, 'A'))) as unknown as DecodedFlags).rcode,
    'SERVFAIL',
    'nobody can say yet',
  );
});

t.test('addresses are shuffled when there is randomness', async t => {
  const draws = [0, 0.99];
  const server = createDnsServer({
    informers: fakeInformers(CLUSTER),
    clock: realClock,
    random: () => draws.shift() ?? 0,
  });
  const port = await server.listen();
  t.teardown(() => server.close());
  const firsts = new Set<string>();
  for (let i = 0; i < 2; i++)
    firsts.add(print((packet.decode(await askUdp(port, question(DB, 'A'))).answers ?? [])[0] as packet.Answer));
  t.equal(firsts.size, 2);
});

t.test('a busy port', async t => {
  const first = createDnsServer({ informers: fakeInformers({}), clock: realClock });
  const port = await first.listen();
  t.teardown(() => first.close());
  const second = createDnsServer({ informers: fakeInformers({}), clock: realClock, port });
  await t.rejects(second.listen(), { code: 'EADDRINUSE' });
});

t.test('health, readiness and metrics over HTTP', async t => {
  const metrics = createDnsMetrics();
  metrics.observe({
    ...{ transport: 'udp', family: 4, query: undefined, rcode: 0, seconds: 0.001 },
    requestBytes: 40,
    responseBytes: 80,
  });
  let ready = false;
  const status = await startStatusServer({ bindAddress: '127.0.0.1', port: 0, metrics, isReady: () => ready });
  t.teardown(() => status.close());
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${status.port}${path}`);
    return [response.status, await response.text()];
  };
  t.same(await get('/health'), [200, 'OK']);
  t.same((await get('/ready'))[0], 503);
  ready = true;
  t.same(await get('/ready'), [200, 'OK']);
  t.match(
    (await get('/metrics'))[1],
    /coredns_dns_requests_total\{server="dns:\/\/:53",zone="dropped",view="",proto="udp",family="1",type="other"\} 1/,
  );
  t.same((await get('/nope'))[0], 404);
});

/** A client that keeps what is written, and remembers the verbs. */
function fakeClient(): { client: Client; objects: Map<string, KubeObject>; verbs: string[] } {
  const objects = new Map<string, KubeObject>();
  const verbs: string[] = [];
  const write = (verb: string, ref: ResourceRef, object: KubeObject): KubeObject => {
    verbs.push(`${verb} ${ref.resource}`);
    objects.set(`${ref.resource}/${object.metadata.name ?? ''}`, object);
    return object;
  };
  const resource = (ref: ResourceRef): unknown => ({
    get: async ({ name }: { name: string }) => {
      const found = objects.get(`${ref.resource}/${name}`);
      if (found === undefined) throw notFoundError(ref, name);
      return found;
    },
    create: async (_namespace: string, object: KubeObject) => write('create', ref, object),
    update: async (object: KubeObject) => write('update', ref, object),
  });
  return { client: { resource } as unknown as Client, objects, verbs };
}

t.test('the Service leads to this process', async t => {
  const { client, objects, verbs } = fakeClient();
  const options: PublishOptions = {
    client,
    clock: new FakeClock(),
    clusterIP: '10.96.0.10',
    hostAddress: '172.18.0.1',
    dnsPort: 40_053,
    metricsPort: 40_054,
    onError: error => t.error(error),
  };
  await publish(options);
  t.same(verbs.splice(0), ['create services', 'create endpointslices']);
  t.match(objects.get(`${SERVICES.resource}/kube-dns`), {
    metadata: { labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' } },
    spec: { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp' }, {}] },
  });
  t.match(objects.get(`${ENDPOINT_SLICES.resource}/kube-dns-host`), {
    metadata: { labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    endpoints: [{ addresses: ['172.18.0.1'], conditions: { ready: true } }],
    ports: [
      { name: 'dns', port: 40_053, protocol: 'UDP' },
      { name: 'dns-tcp', port: 40_053, protocol: 'TCP' },
      { name: 'metrics', port: 40_054 },
    ],
  });
  await publish(options);
  t.same(verbs.splice(0), [], 'nothing to do the second time');
  await publish({ ...options, dnsPort: 40_055 });
  t.same(verbs.splice(0), ['update endpointslices'], 'a restart on another port');
  objects.set(`${SERVICES.resource}/kube-dns`, { metadata: { name: 'kube-dns', uid: 'new' } });
  await publish({ ...options, dnsPort: 40_055 });
  t.same(verbs.splice(0), ['update endpointslices'], 'a Service made anew owns the slice');
});
