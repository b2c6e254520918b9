import t from 'tap';
import { newTraffic } from '../../../src/dataplane/kernel/ipvs/real-servers.js';
import { createConntrack } from '../../../src/dataplane/kernel/conntrack.js';
import { createConnections, type VirtualConnection } from '../../../src/dataplane/kernel/ipvs/connections.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { RealServer, VirtualServer } from '../../../src/dataplane/kernel/ipvs/types.js';
import type { IpvsProgram } from '../../../src/dataplane/kernel/program.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import type { Protocol } from '../../../src/dataplane/packet.js';
import { printIpvsadmList } from '../../../src/dataplane/tools/ipvsadm/print-list.js';
import { printIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/print-save.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const NODE = '192.168.50.11';
const VIP = '10.96.0.20';
const CLIENT = '10.66.1.99';
const [A, B] = ['10.66.1.10', '10.66.2.20'];

const real = (address: string, weight = 1): RealServer => ({ address, port: 8080, weight });

const web = (realServers: readonly RealServer[], over: Partial<VirtualServer> = {}): VirtualServer => ({
  protocol: 'tcp',
  address: VIP,
  port: 80,
  scheduler: 'rr',
  realServers,
  ...over,
});

const program = (virtualServers: readonly VirtualServer[], over: Partial<IpvsProgram> = {}): IpvsProgram => ({
  kind: 'ipvs',
  family: 'IPv4',
  full: false,
  virtualServers,
  goneServers: [],
  ipsets: [],
  addresses: { link: 'kube-ipvs0', add: [VIP], remove: [] },
  sysctls: {},
  xtables: undefined,
  ...over,
});

function start(...services: readonly VirtualServer[]) {
  const clock = new FakeClock();
  const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(NODE) });
  kernel.load(program(services));
  return { clock, kernel };
}

const open = (kernel: Kernel, srcPort: number, over: { src?: string; proto?: Protocol; dryRun?: boolean } = {}) =>
  kernel.connect({
    proto: over.proto ?? 'tcp',
    src: over.src ?? CLIENT,
    srcPort,
    dst: VIP,
    dstPort: 80,
    hook: over.src === NODE ? 'output' : 'prerouting',
    dryRun: over.dryRun ?? false,
  });

/** Active and inactive connections by server. */
const counts = (kernel: Kernel): Record<string, string> =>
  Object.fromEntries(
    kernel.ipvs
      .virtualServers()
      .flatMap(({ servers }) => servers.all.map(s => [s.address, `${s.weight}: ${s.active}+${s.inactive}`])),
  );

t.test('a connection through IPVS, there and back', async t => {
  for (const src of [CLIENT, NODE]) {
    const { kernel } = start(web([real(A), real(B)]));
    const connection = open(kernel, 40_000, { src });
    t.equal(connection.verdict, 'accept');
    t.equal(connection.delivery, 'forward');
    t.match(connection.packet, { src, dst: B, dstPort: 8080, outInterface: 'eth0' });
    t.same(counts(kernel), { [A]: '1: 0+0', [B]: '1: 1+0' }, 'a SYN makes it active');
    const answer = connection.reply();
    t.match(answer, { verdict: 'accept', packet: { src: VIP, srcPort: 80, dst: src, dstPort: 40_000 } });
    t.match(connection.send(), { verdict: 'accept', packet: { dst: B, dstPort: 8080 } }, 'the same server');
    t.equal(kernel.conntrack()[0]?.dnat, false, 'it is no DNAT');
    connection.close();
    t.same(counts(kernel), { [A]: '1: 0+0', [B]: '1: 0+1' });
  }
});

t.test('a server on the node itself', async t => {
  for (const src of [CLIENT, NODE]) {
    const { kernel } = start(web([real(NODE)]));
    const connection = open(kernel, 40_000, { src });
    t.match(connection, { verdict: 'accept', packet: { src, dst: NODE, dstPort: 8080 } });
    if (src === CLIENT) t.equal(connection.delivery, 'local');
    t.match(connection.reply().packet, { src: VIP, srcPort: 80, dst: src });
  }
});

t.test('a dry run leaves nothing behind, and its answer is understood', async t => {
  const { kernel } = start(web([real(A), real(B)], { persistentSeconds: 60 }));
  const tried = open(kernel, 40_000, { dryRun: true });
  t.match(tried.packet, { dst: B });
  t.match(tried.reply().packet, { src: VIP, srcPort: 80, dst: CLIENT });
  t.same(counts(kernel), { [A]: '1: 0+0', [B]: '1: 0+0' });
  t.equal(open(kernel, 40_001).packet.dst, B, 'nobody has had a turn');
});

t.test('without a server it is refused, without a service it is the node’s', async t => {
  const { kernel } = start(web([]));
  t.match(open(kernel, 1), { verdict: 'reject', rejectWith: 'icmp-port-unreachable' });
  t.match(open(kernel, 1, { proto: 'udp' }), { verdict: 'accept', delivery: 'local', packet: { dst: VIP } });
  kernel.load(program([], { goneServers: [web([])], addresses: { link: 'kube-ipvs0', add: [], remove: [VIP] } }));
  t.match(open(kernel, 1), { verdict: 'accept', delivery: 'forward', packet: { dst: VIP } });
});

t.test('persistence', async t => {
  const { kernel, clock } = start(web([real(A), real(B)], { persistentSeconds: 600 }));
  const first = open(kernel, 1);
  t.equal(first.packet.dst, B);
  t.equal(open(kernel, 2).packet.dst, B);
  t.equal(open(kernel, 2, { src: '10.66.1.98' }).packet.dst, A);
  clock.step(599_000);
  t.equal(open(kernel, 3).packet.dst, B, 'each connection begins the time anew');
  clock.step(599_000);
  t.equal(open(kernel, 4).packet.dst, B);
  clock.step(800_000);
  t.equal(open(kernel, 1, { src: '10.66.1.97' }).packet.dst, B, 'somebody else had the next turn');
  t.equal(open(kernel, 5).packet.dst, A, 'it was away for long');
  kernel.load(program([web([real(B)], { persistentSeconds: 600 })]));
  t.equal(open(kernel, 6).packet.dst, B, 'a server that is to go does not keep its clients');
});

t.test('a TCP server that is to go ends its connections first', async t => {
  const { kernel, clock } = start(web([real(A), real(B)]));
  const connection = open(kernel, 1);
  connection.reply();
  kernel.load(program([web([real(A)])]));
  t.same(counts(kernel), { [A]: '1: 0+0', [B]: '0: 1+0' });
  t.equal(connection.send().packet.dst, B);
  t.equal(open(kernel, 2).packet.dst, A);
  t.equal(open(kernel, 3).packet.dst, A);
  connection.close();
  clock.step(119_000);
  t.equal(counts(kernel)[B], '0: 0+1', 'TIME_WAIT');
  clock.step(61_000);
  t.notOk(B in counts(kernel), 'the minute’s look found none left');
  kernel.load(program([web([real(A), real(B)])]));
  t.equal(counts(kernel)[B], '1: 0+0');
});

t.test('a server that comes back while it ends its connections keeps them', async t => {
  const { kernel } = start(web([real(A), real(B)]));
  const connection = open(kernel, 1);
  connection.reply();
  kernel.load(program([web([real(A)])]));
  kernel.load(program([web([real(A), real(B)])]));
  t.equal(counts(kernel)[B], '1: 1+0');
  t.equal(connection.send().packet.dst, B);
});

t.test('a UDP server goes at once: one packet is lost, the next has another server', async t => {
  const { kernel } = start(web([real(A), real(B)], { protocol: 'udp' }));
  const flow = open(kernel, 1, { proto: 'udp' });
  t.equal(flow.packet.dst, B);
  flow.reply();
  kernel.load(program([web([real(A)], { protocol: 'udp' })]));
  t.same(counts(kernel), { [A]: '1: 0+0' });
  t.equal(flow.send().verdict, 'drop');
  t.equal(open(kernel, 1, { proto: 'udp' }).packet.dst, A);
});

t.test('a connection that was idle for a quarter of an hour is forgotten, and its flow with it', async t => {
  const { kernel, clock } = start(web([real(A)]));
  const connection = open(kernel, 1);
  connection.reply();
  clock.step(901_000);
  t.match(connection.send(), { verdict: 'accept', delivery: 'local', packet: { dst: VIP } }, 'the node resets it');
  t.same(counts(kernel), { [A]: '1: 0+0' });
});

t.test('the table of connections is bounded', async t => {
  const clock = new FakeClock();
  const table = createConnections({ clock, conntrack: createConntrack(clock), maxConnections: 3 });
  const server = { address: A, port: 8080, weight: 1, active: 0, inactive: 0, available: true, traffic: newTraffic() };
  const connection = (srcPort: number): VirtualConnection => ({
    client: { protocol: 'tcp', src: CLIENT, srcPort, dst: VIP, dstPort: 80 },
    service: web([]),
    server,
    template: undefined,
    state: 'NONE',
    active: false,
    entry: undefined,
    expiresAt: 0,
  });
  const all = [1, 2, 3, 4].map(connection);
  for (const one of all) {
    t.ok(table.add(one));
    table.advance(one, 'in', 'syn');
  }
  t.equal(table.size, 3);
  t.equal(table.fromClient({ protocol: 'tcp', src: CLIENT, srcPort: 1, dst: VIP, dstPort: 80 }), undefined);
  t.match(server, { active: 3, inactive: 0 }, 'the oldest went, as nobody had answered it');
  for (const one of all) one.entry = { assured: true } as VirtualConnection['entry'];
  t.notOk(table.add(connection(5)), 'the others stay');
});

t.test('the same client by two services to one server', async t => {
  const { kernel } = start(web([real(A)]), web([real(A)], { port: 81 }));
  const [first, second] = [80, 81].map(dstPort =>
    kernel.connect({ proto: 'tcp', src: CLIENT, srcPort: 1, dst: VIP, dstPort, hook: 'prerouting' }),
  );
  t.equal(first?.packet.srcPort, 1);
  t.not(second?.packet.srcPort, 1, 'its answers could not be told apart');
});

t.test('what is wrong is refused, and changes nothing', async t => {
  const { kernel } = start(web([real(A)]));
  const before = printIpvsadmSave(kernel);
  const wrong = (over: Partial<IpvsProgram>): void =>
    void t.throws(() => kernel.load(program([], { full: true, ...over })), { name: 'NetfilterError' });
  wrong({ family: 'IPv6' });
  wrong({ virtualServers: [web([], { scheduler: 'best' as 'rr' })] });
  wrong({ ipsets: [{ name: 'S', type: 'hash:ip', add: ['x'], remove: [] }] });
  t.equal(printIpvsadmSave(kernel), before);
});

t.test('ipvsadm', async t => {
  const { kernel } = start(
    web([real('10.66.2.20'), real('10.66.1.10')], { persistentSeconds: 900 }),
    web([], { protocol: 'udp', scheduler: 'mh', hashesPort: true }),
    web([], { protocol: 'sctp', address: '10.96.0.3' }),
    web([], { address: '10.96.0.3', port: 443 }),
  );
  open(kernel, 1);
  t.equal(
    printIpvsadmSave(kernel),
    `-A -t 10.96.0.3:443 -s rr
-A -t 10.96.0.20:80 -s rr -p 900
-a -t 10.96.0.20:80 -r 10.66.1.10:8080 -m -w 1
-a -t 10.96.0.20:80 -r 10.66.2.20:8080 -m -w 1
-A -u 10.96.0.20:80 -s mh -b mh-port
-A --sctp-service 10.96.0.3:80 -s rr
`,
  );
  t.equal(
    printIpvsadmList(kernel),
    `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.96.0.3:443 rr
TCP  10.96.0.20:80 rr persistent 900
  -> 10.66.1.10:8080              Masq    1      1          0         
  -> 10.66.2.20:8080              Masq    1      0          0         
UDP  10.96.0.20:80 mh (mh-port)
SCTP 10.96.0.3:80 rr
`,
  );
});
