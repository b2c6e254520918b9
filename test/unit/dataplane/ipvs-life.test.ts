import t from 'tap';
import { newTraffic } from '../../../src/dataplane/kernel/ipvs/real-servers.js';
import { createTemplates } from '../../../src/dataplane/kernel/ipvs/templates.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { RealServer, VirtualServer } from '../../../src/dataplane/kernel/ipvs/types.js';
import type { IpvsProgram } from '../../../src/dataplane/kernel/program.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import type { Protocol } from '../../../src/dataplane/packet.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

/* What becomes of connections, servers and addresses of IPVS in time, and when programs change them. */
const NODE = '192.168.50.11';
const VIP = '10.96.0.20';
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

const open = (kernel: Kernel, srcPort: number, over: { proto?: Protocol; dryRun?: boolean; src?: string } = {}) =>
  kernel.connect({ proto: 'tcp', src: '10.66.1.99', srcPort, dst: VIP, dstPort: 80, hook: 'prerouting', ...over });

const servers = (kernel: Kernel): readonly string[] =>
  kernel.ipvs
    .virtualServers()
    .flatMap(({ servers }) => servers.all.map(s => `${s.address} ${s.weight}: ${s.active}+${s.inactive}`));

t.test('how long a connection is known', async t => {
  const rows: readonly { proto: Protocol; answered: boolean; seconds: number }[] = [
    { proto: 'tcp', answered: false, seconds: 60 },
    { proto: 'tcp', answered: true, seconds: 900 },
    { proto: 'udp', answered: false, seconds: 300 },
    { proto: 'udp', answered: true, seconds: 300 },
    { proto: 'sctp', answered: false, seconds: 3 },
    { proto: 'sctp', answered: true, seconds: 900 },
  ];
  for (const { proto, answered, seconds } of rows) {
    const { clock, kernel } = start(web([real(A)], { protocol: proto }));
    const connection = open(kernel, 1, { proto });
    if (answered) connection.reply();
    clock.step(1000 * seconds - 1);
    t.notMatch(servers(kernel), [/0\+0/], `${proto}, ${answered ? 'answered' : 'not answered'}: for ${seconds} s`);
    clock.step(1);
    t.same(servers(kernel), [`${A} 1: 0+0`], `${proto}: no longer`);
  }
});

t.test('an SCTP association that was answered lasts, also for what the client sends then', async t => {
  const { clock, kernel } = start(web([real(A)], { protocol: 'sctp' }));
  const connection = open(kernel, 1, { proto: 'sctp' });
  connection.reply();
  connection.send();
  clock.step(800_000);
  t.same(servers(kernel), [`${A} 1: 1+0`]);
});

t.test('a SYN on the ports of a connection that has ended gets the next server', async t => {
  const { clock, kernel } = start(web([real(A), real(B)]));
  const first = open(kernel, 1);
  t.equal(first.packet.dst, B);
  first.reply();
  first.close();
  t.equal(open(kernel, 1, { dryRun: true }).packet.dst, A, 'a dry run');
  t.same(servers(kernel), [`${B} 1: 0+1`, `${A} 1: 0+0`], 'forgets nothing');
  t.equal(open(kernel, 1).packet.dst, A);
  t.same(servers(kernel), [`${B} 1: 0+0`, `${A} 1: 1+0`]);
  clock.step(1_000_000);
  t.same(servers(kernel), [`${B} 1: 0+0`, `${A} 1: 0+0`], 'what was forgotten does not expire once more');
});

t.test('a SYN on the ports of an open connection stays with its server, unless that takes nothing new', async t => {
  for (const { weight, expect } of [
    { weight: 1, expect: B },
    { weight: 0, expect: A },
  ]) {
    const { kernel } = start(web([real(A), real(B)]));
    open(kernel, 1).reply();
    const packet = {
      protocol: 'tcp',
      src: '10.66.1.99',
      srcPort: 1,
      dst: VIP,
      dstPort: 80,
      mark: 0,
      size: 60,
    } as const;
    // To connection tracking the flow is over.
    for (let i = 0; i < 2; i++) kernel.evaluate({ ...packet, flags: 'fin' }, { hook: 'prerouting' });
    kernel.load(program([web([real(A), real(B, weight)])]));
    t.equal(open(kernel, 1).packet.dst, expect, `weight ${weight}`);
  }
});

t.test('a packet that IPVS sends on comes from no interface', async t => {
  const { kernel } = start(web([real(A)]));
  const { packet } = kernel.connect({
    ...{ proto: 'tcp', src: '10.66.1.99', srcPort: 1, dst: VIP, dstPort: 80, hook: 'prerouting', inInterface: 'veth7' },
  });
  t.notOk('inInterface' in packet);
  t.equal(packet.outInterface, 'eth0');
});

t.test('a flow of UDP stays with a server that takes nothing new', async t => {
  const { clock, kernel } = start(web([real(A), real(B)], { protocol: 'udp' }));
  t.equal(open(kernel, 1, { proto: 'udp' }).packet.dst, B);
  kernel.load(program([web([real(A), real(B, 0)], { protocol: 'udp' })]));
  clock.step(60_000);
  t.same(kernel.conntrack(), [], 'connection tracking has forgotten it');
  t.equal(open(kernel, 1, { proto: 'udp' }).packet.dst, B, 'IPVS has not');
  t.equal(open(kernel, 2, { proto: 'udp' }).packet.dst, A);
});

t.test('the second packet of a dry run goes where the first did', async t => {
  const { kernel } = start(web([real(A), real(B)]));
  const tried = open(kernel, 1, { dryRun: true });
  tried.reply();
  t.match(tried.send(), { verdict: 'accept', packet: { dst: B, dstPort: 8080 } });
  t.same(servers(kernel), [`${B} 1: 0+0`, `${A} 1: 0+0`]);
});

t.test('a trace names the object that the virtual server was made for', async t => {
  const origin = { kind: 'Service', namespace: 'shop', name: 'web', port: 'http' } as const;
  const { kernel } = start(web([real(A)], { origin }));
  t.match(
    open(kernel, 1).trace.find(step => step.kind === 'nat' && step.table === 'ipvs'),
    {
      effect: `rr: destination becomes ${A}:8080`,
      origin,
    },
  );
  kernel.load(program([web([])]));
  const refused = open(kernel, 2).trace.find(step => step.kind === 'nat' && step.table === 'ipvs');
  t.match(refused, { effect: 'no server, reject with icmp-port-unreachable' });
  t.equal(refused?.origin, undefined);
});

t.test('once a minute it is looked whether a server that is to go has connections', async t => {
  const { clock, kernel } = start(web([real(A), real(B)]));
  const connection = open(kernel, 1);
  connection.reply();
  kernel.load(program([web([real(A)])]));
  connection.close();
  clock.step(110_000);
  t.same(servers(kernel), [`${B} 0: 0+1`, `${A} 1: 0+0`]);
  clock.step(59_999);
  t.same(servers(kernel), [`${B} 0: 0+0`, `${A} 1: 0+0`], 'it has none, but nobody has looked');
  clock.step(1);
  t.same(servers(kernel), [`${A} 1: 0+0`]);
});

t.test('what has expired keeps no server when a program comes', async t => {
  const { clock, kernel } = start(web([real(A), real(B)]));
  open(kernel, 1).reply();
  clock.step(880_000);
  t.same(servers(kernel), [`${B} 1: 1+0`, `${A} 1: 0+0`]);
  clock.step(20_000);
  kernel.load(program([web([real(A)])]));
  t.same(servers(kernel), [`${A} 1: 0+0`]);
});

t.test('addresses are bound, taken away, and bound again', async t => {
  const { kernel } = start(web([]));
  const bind = (add: readonly string[], remove: readonly string[], full = false) =>
    kernel.load(program([web([])], { full, addresses: { link: 'kube-ipvs0', add, remove } }));
  const isBound = (): boolean => open(kernel, 1, { proto: 'udp' }).delivery === 'local';
  t.same([kernel.ipvs.addresses(), isBound()], [[VIP], true]);
  bind([], [VIP]);
  t.same([kernel.ipvs.addresses(), isBound()], [[], false]);
  bind([VIP], []);
  t.same([kernel.ipvs.addresses(), isBound()], [[VIP], true]);
  bind(['10.96.0.21'], [], true);
  t.same([kernel.ipvs.addresses(), isBound()], [['10.96.0.21'], false], 'a full program has all there are');
});

t.test('with its virtual server a connection goes', async t => {
  const { kernel } = start(web([real(A)]));
  const connection = open(kernel, 1);
  connection.reply();
  kernel.load(program([], { goneServers: [web([])] }));
  t.equal(connection.send().verdict, 'drop');
});

t.test('a full program has all virtual servers that there are', async t => {
  const other = web([], { address: '10.96.0.21' });
  const { kernel } = start(web([real(A)]), other);
  const addresses = () => kernel.ipvs.virtualServers().map(({ definition }) => definition.address);
  kernel.load(program([other]));
  t.same(addresses(), [VIP, '10.96.0.21'], 'another adds to them');
  kernel.load(program([other], { full: true }));
  t.same(addresses(), ['10.96.0.21']);
});

t.test('a server that is gone takes its connections with it, and a dry run none', async t => {
  const { kernel } = start(web([real(A), real(B)], { protocol: 'udp' }));
  const first = open(kernel, 1, { proto: 'udp' });
  t.equal(first.packet.dst, B);
  kernel.load(program([web([real(A)], { protocol: 'udp' })]));
  t.equal(open(kernel, 1, { proto: 'udp', dryRun: true }).verdict, 'drop');
  t.equal(kernel.conntrack().length, 1, 'the flow is there');
  t.equal(first.send().verdict, 'drop');
  t.equal(kernel.conntrack().length, 0, 'it went with the connection');
  t.equal(open(kernel, 1, { proto: 'udp' }).packet.dst, A);
});

t.test('turns go on while nothing changes', async t => {
  const { clock, kernel } = start(web([real(A), real(B)], { scheduler: 'wrr' }));
  const reached = [1, 2, 3].map(port => {
    clock.step(60_000);
    return open(kernel, port).packet.dst;
  });
  t.same(reached, [B, A, B]);
});

t.test('a scheduler has the time of the kernel', async t => {
  const { clock, kernel } = start(web([real(A), real(B)], { scheduler: 'lblc' }));
  const first = open(kernel, 1);
  first.reply();
  t.equal(first.packet.dst, B);
  for (let minutes = 0; minutes <= 24 * 60; minutes += 12) {
    t.equal(open(kernel, 2, { dryRun: true }).packet.dst, B, `after ${minutes} minutes`);
    clock.step(12 * 60_000);
    first.send();
  }
  t.equal(open(kernel, 2).packet.dst, A, 'a day later the address is forgotten, and the server is busy');
});

t.test('whether a hash takes the port', async t => {
  for (const { hashesPort, expect } of [
    { hashesPort: true, expect: 2 },
    { hashesPort: false, expect: 1 },
    { expect: 1 },
  ]) {
    const { kernel } = start(
      web([real(A), real(B)], { scheduler: 'mh', ...(hashesPort === true ? { hashesPort } : {}) }),
    );
    const reached = Array.from({ length: 20 }, (_, i) => open(kernel, i + 1, { dryRun: true }).packet.dst);
    t.equal(new Set(reached).size, expect);
  }
});

t.test('how long a client stays with its server', async t => {
  const clock = new FakeClock();
  const server = { address: A, port: 8080, weight: 1, active: 0, inactive: 0, available: true, traffic: newTraffic() };
  const templates = createTemplates(clock);
  const template = templates.create('client', web([]), server);
  const isKnown = (): boolean => templates.find('client', web([])) !== undefined;
  templates.renew(template, 60);
  clock.step(59_999);
  t.equal(isKnown(), true);
  clock.step(1);
  t.equal(isKnown(), false, 'its time is over');
  template.connections = 1;
  t.equal(isKnown(), true, 'not while there are connections');
  templates.expire();
  template.connections = 0;
  clock.step(59_999);
  t.equal(isKnown(), true, 'which gave it another minute');
  clock.step(1);
  t.equal(isKnown(), false);
});

t.test('another scheduler knows the servers of the one before', async t => {
  for (const scheduler of ['wrr', 'lc', 'sh', 'dh', 'mh', 'lblc', 'sed', 'nq'] as const) {
    const { kernel } = start(web([real(A)]));
    kernel.load(program([web([real(A)], { scheduler })]));
    t.match(open(kernel, 1, { dryRun: true }), { verdict: 'accept', packet: { dst: A } }, scheduler);
    kernel.load(program([web([real(B)], { scheduler })]));
    t.match(open(kernel, 2), { verdict: 'accept', packet: { dst: B } }, `${scheduler}: and of a change`);
  }
});

t.test('what is remembered of clients is bounded', async t => {
  const templates = createTemplates(new FakeClock());
  const server = { address: A, port: 8080, weight: 1, active: 0, inactive: 0, available: true, traffic: newTraffic() };
  const remember = (client: string) => templates.renew(templates.create(client, web([]), server), 60);
  for (let i = 0; i < 65_536; i++) remember(String(i));
  t.ok(templates.find('0', web([])));
  remember('one more');
  t.equal(templates.find('0', web([])), undefined, 'the oldest went');
  t.ok(templates.find('1', web([])));
  t.ok(templates.find('one more', web([])));
});
