import * as packet from 'dns-packet';
import t from 'tap';
import { createDnsServer } from '../../../src/dns/server.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { fakeInformers, CLUSTER, print, type DecodedFlags, WEB, askUdp, askTcp, question } from '../../support/dns.js';

const START = Date.parse('2026-01-01T00:00:00Z');

const soa = (zone: string): string =>
  `${zone} 30 SOA ns.dns.${zone} hostmaster.${zone} ${START / 1000} 7200 1800 86400 30`;

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
