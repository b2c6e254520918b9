import t from 'tap';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { ConnectRequest, Kernel } from '../../../src/dataplane/kernel/types.js';
import type { Packet } from '../../../src/dataplane/packet.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

/* What packets of a flow carry, what rules see of the flow, and what a trace says of it. */
const NODE = '192.168.50.11';
const POD = '10.66.1.99';
const OUTSIDE = '203.0.113.9';

function start(rules = ''): Kernel {
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(NODE) });
  restore(kernel, rules);
  return kernel;
}

const open = (kernel: Kernel, over: Partial<ConnectRequest> = {}) =>
  kernel.connect({ proto: 'tcp', src: POD, srcPort: 4000, dst: OUTSIDE, dstPort: 80, hook: 'prerouting', ...over });

const MASQUERADE = '*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n';

t.test('a packet takes its flags, its interface and what is embedded along', async t => {
  const kernel = start(
    '*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i veth7 -j ACCEPT\n-A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n',
  );
  const connection = open(kernel, { inInterface: 'veth7' });
  t.match(connection, { verdict: 'accept', packet: { flags: 'syn', inInterface: 'veth7' } });
  t.match(connection.reply(), { verdict: 'accept', packet: { flags: 'synack', inInterface: 'eth0' } });
  t.match(connection.send(), { verdict: 'accept', packet: { flags: 'ack', inInterface: 'veth7' } });
  t.equal(open(kernel, { srcPort: 4001 }).verdict, 'drop');
  const datagram = open(kernel, { proto: 'udp', inInterface: 'veth7' });
  t.notOk('flags' in datagram.packet);
  const embedded = { protocol: 'tcp', src: POD, srcPort: 4000, dst: OUTSIDE, dstPort: 80 } as const;
  const error: Packet = {
    protocol: 'icmp',
    src: OUTSIDE,
    srcPort: 0,
    dst: POD,
    dstPort: 0,
    mark: 0,
    size: 90,
    embedded,
  };
  t.match(kernel.evaluate({ ...error, inInterface: 'eth0' }, { hook: 'prerouting' }), {
    verdict: 'accept',
    state: 'RELATED',
    packet: { embedded },
  });
});

t.test('a datagram has no end that it tells', async t => {
  const kernel = start();
  const connection = open(kernel, { proto: 'udp' });
  connection.close();
  t.match(kernel.conntrack(), [{ seenReply: false }]);
});

t.test('rules behind NAT see what it did', async t => {
  for (const { name, rules, seen } of [
    { name: 'nothing', rules: '', seen: [] },
    { name: 'its source', rules: '-A POSTROUTING -j MASQUERADE', seen: ['SNAT'] },
    { name: 'its destination', rules: '-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1', seen: ['DNAT'] },
    {
      name: 'both',
      rules: '-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1\n-A POSTROUTING -j MASQUERADE',
      seen: ['DNAT', 'SNAT'],
    },
  ]) {
    const found = ['DNAT', 'SNAT'].filter(state => {
      const kernel = start(
        `*nat\n${rules}\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate ${state} -m conntrack --ctstate ESTABLISHED -j DROP\nCOMMIT\n`,
      );
      return open(kernel).reply().verdict === 'drop';
    });
    t.same(found, seen, name);
  }
});

t.test('a SYN begins a flow anew where the old one is over, and only there', async t => {
  const packet: Packet = { protocol: 'tcp', src: POD, srcPort: 4000, dst: OUTSIDE, dstPort: 80, mark: 0, size: 60 };
  const back: Packet = { ...packet, src: OUTSIDE, srcPort: 80, dst: POD, dstPort: 4000 };
  const rows: readonly { name: string; packets: readonly Packet[]; expect: 'NEW' | 'ESTABLISHED' }[] = [
    { name: 'an open one', packets: [], expect: 'ESTABLISHED' },
    { name: 'half closed', packets: [{ ...packet, flags: 'fin' }], expect: 'ESTABLISHED' },
    {
      name: 'closed',
      packets: [
        { ...packet, flags: 'fin' },
        { ...back, flags: 'fin' },
      ],
      expect: 'NEW',
    },
    { name: 'reset', packets: [{ ...back, flags: 'rst' }], expect: 'NEW' },
  ];
  for (const { name, packets, expect } of rows) {
    const kernel = start();
    open(kernel).reply();
    for (const one of packets) kernel.evaluate(one, { hook: 'prerouting' });
    t.equal(kernel.evaluate({ ...packet, flags: 'syn' }, { hook: 'prerouting' }).state, expect, name);
  }
});

t.test('what a trace says of a flow', async t => {
  const kernel = start(MASQUERADE);
  const told = ({ trace }: { readonly trace: readonly { kind: string; hook: string; effect: string }[] }) =>
    trace.flatMap(({ kind, hook, effect }) => (kind === 'rule' || kind === 'policy' ? [] : [`${hook}: ${effect}`]));
  const connection = open(kernel);
  t.same(told(connection), ['prerouting: state NEW', `prerouting: ${OUTSIDE} is routed out of eth0`]);
  t.same(told(connection.reply()), [
    `prerouting: state ESTABLISHED, reply direction of ${POD}:4000 -> ${OUTSIDE}:80`,
    `prerouting: destination ${NODE}:4000 becomes ${POD}:4000`,
    `prerouting: ${POD} is routed out of eth0`,
  ]);
  t.same(told(connection.send()), [
    `prerouting: state ESTABLISHED, original direction of ${POD}:4000 -> ${OUTSIDE}:80`,
    `prerouting: ${OUTSIDE} is routed out of eth0`,
    `postrouting: source ${POD}:4000 becomes ${NODE}:4000`,
  ]);
});

t.test('a flow whose answers would be another’s gets another source port, and says so', async t => {
  const kernel = start('*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1:80\nCOMMIT\n');
  open(kernel, { dst: '10.96.0.1' });
  const { packet, trace } = open(kernel, { dst: '10.96.0.2' });
  t.not(packet.srcPort, 4000);
  t.match(trace.filter(({ hook }) => hook === 'postrouting').at(-1), {
    kind: 'nat',
    effect: `source port becomes ${packet.srcPort}, as another flow has the old one`,
  });
});

t.test('a handshake is three packets, and what follows is one at a time', async t => {
  for (const { proto, rules = '', expect } of [
    { proto: 'tcp', expect: [1, 3, 4, 5] },
    { proto: 'tcp', rules: '-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP', expect: [1, 1, 1, 1] },
    { proto: 'udp', expect: [1, 2, 3, 4] },
  ] as const) {
    const kernel = start(`*filter\n${rules}\n-A FORWARD\nCOMMIT\n`);
    const passed = (): number => kernel.xtables.tables()[2]?.chains[1]?.rules.at(-1)?.packets ?? 0;
    const connection = open(kernel, { proto });
    const counts = [passed()];
    for (const next of ['reply', 'reply', 'send'] as const) {
      connection[next]();
      counts.push(passed());
    }
    t.same(counts, expect, `${proto} ${rules}`);
  }
});

t.test('a packet that comes without flags begins its flow', async t => {
  const packet: Packet = { protocol: 'tcp', src: POD, srcPort: 4000, dst: OUTSIDE, dstPort: 80, mark: 0, size: 60 };
  const kernel = start();
  open(kernel).reply();
  t.equal(kernel.evaluate(packet, { hook: 'prerouting' }).state, 'ESTABLISHED');
  kernel.evaluate({ ...packet, flags: 'rst' }, { hook: 'prerouting' });
  t.equal(kernel.evaluate(packet, { hook: 'prerouting' }).state, 'NEW', 'where the old one is over');
});

t.test('the port that a masqueraded flow gets', async t => {
  for (const { srcPort, random, expect } of [
    { srcPort: 100, random: 0, expect: 1 },
    { srcPort: 511, random: 0.9999, expect: 511 },
    { srcPort: 512, random: 0, expect: 600 },
    { srcPort: 1023, random: 0.9999, expect: 1023 },
    { srcPort: 1024, random: 0, expect: 1024 },
    { srcPort: 4000, random: 0.99999, expect: 65_535 },
  ]) {
    const kernel = createKernel({ clock: new FakeClock(), random: () => random, routes: hostRoutes(NODE) });
    restore(kernel, '*nat\n-A POSTROUTING -j MASQUERADE --random-fully\nCOMMIT\n');
    t.equal(open(kernel, { srcPort }).packet.srcPort, expect, `${srcPort}, drawn ${random}`);
  }
});

t.test('a connection may bring its own chance, and leaves the kernel’s to the others', async t => {
  const kernel = start('*filter\n-A FORWARD -m statistic --mode random --probability 0.5 -j DROP\nCOMMIT\n');
  t.equal(open(kernel, { random: () => 0.9 }).verdict, 'accept');
  t.equal(open(kernel, { srcPort: 4001 }).verdict, 'drop');
});

t.test('the second packet of a dry run goes where chance sent the first', async t => {
  const drawn = [0, 0.9];
  const kernel = createKernel({ clock: new FakeClock(), random: () => drawn.shift() ?? 0.9, routes: hostRoutes(NODE) });
  const to = (address: string): string => `-j DNAT --to-destination ${address}:80`;
  restore(
    kernel,
    `*nat\n-A PREROUTING -p tcp -m statistic --mode random --probability 0.5 ${to('10.66.2.1')}\n-A PREROUTING -p tcp ${to('10.66.2.2')}\nCOMMIT\n`,
  );
  const tried = open(kernel, { dryRun: true });
  t.equal(tried.packet.dst, '10.66.2.1');
  t.equal(tried.send().packet.dst, '10.66.2.1');
});

t.test('an error about a flow comes from where the flow’s answers do', async t => {
  const kernel = start('*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1:8080\nCOMMIT\n');
  const { entry } = open(kernel, { dst: '10.96.0.1' });
  const error = { protocol: 'icmp', src: '10.66.2.254', srcPort: 0, dst: POD, dstPort: 0, mark: 0, size: 90 } as const;
  const answer = kernel.evaluate(
    { ...error, ...(entry === undefined ? {} : { embedded: entry.reply }) },
    { hook: 'prerouting' },
  );
  t.match(answer, { state: 'RELATED', verdict: 'accept' });
  const about = entry === undefined ? {} : { embedded: entry.original };
  t.match(kernel.evaluate({ ...error, ...about }, { hook: 'prerouting' }), {
    state: 'RELATED',
    packet: { src: '10.96.0.1', srcPort: 0, dst: POD, dstPort: 0 },
  });
});

t.test('a policy is told where a chain has rules', async t => {
  const told = (rules: string) => open(start(rules)).trace.flatMap(step => (step.kind === 'policy' ? [step] : []));
  t.same(told(''), []);
  t.match(told('*filter\n-A FORWARD -p udp -j DROP\nCOMMIT\n'), [
    { hook: 'forward', table: 'filter', chain: 'FORWARD', effect: 'policy ACCEPT' },
  ]);
  t.match(told('*filter\n:FORWARD DROP [0:0]\nCOMMIT\n'), [{ hook: 'forward', effect: 'policy DROP' }]);
});

t.test('a policy counts what no rule has decided', async t => {
  for (const { rules, dryRun = false, expect } of [
    { rules: '', expect: 'FORWARD ACCEPT [1:60]' },
    { rules: '-A FORWARD -p udp -j DROP', expect: 'FORWARD ACCEPT [1:60]' },
    { rules: '-A FORWARD -p tcp -j ACCEPT', expect: 'FORWARD ACCEPT [0:0]' },
    { rules: '', dryRun: true, expect: 'FORWARD ACCEPT [0:0]' },
  ]) {
    const kernel = start(`*filter\n${rules}\nCOMMIT\n`);
    open(kernel, { dryRun });
    t.match(printSave(kernel), `:${expect}`, `${rules} ${dryRun ? 'dry' : ''}`);
  }
});

t.test('an address of the node is LOCAL to the rules', async t => {
  const kernel = start('*filter\n-A INPUT -m addrtype --dst-type LOCAL -j DROP\nCOMMIT\n');
  t.equal(open(kernel, { dst: NODE }).verdict, 'drop');
});

t.test('what each target of the nat table does', async t => {
  const rows: readonly { rule: string; over?: Partial<ConnectRequest>; expect: object; family?: 'IPv6' }[] = [
    { rule: 'PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1', expect: { dst: '10.66.2.1', dstPort: 80 } },
    { rule: 'PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1:8080', expect: { dst: '10.66.2.1', dstPort: 8080 } },
    { rule: 'PREROUTING -p tcp -j REDIRECT --to-ports 8080', expect: { dst: NODE, dstPort: 8080 } },
    { rule: 'PREROUTING -p tcp -j REDIRECT', expect: { dst: NODE, dstPort: 80 } },
    {
      rule: 'OUTPUT -p tcp -j REDIRECT --to-ports 8080',
      over: { src: NODE, hook: 'output' },
      expect: { dst: '127.0.0.1', dstPort: 8080 },
    },
    { rule: 'POSTROUTING -j MASQUERADE', expect: { src: NODE, srcPort: 4000 } },
    { rule: 'POSTROUTING -j SNAT --to-source 192.0.2.9', expect: { src: '192.0.2.9', srcPort: 4000 } },
    { rule: 'POSTROUTING -p tcp -j SNAT --to-source 192.0.2.9:5000', expect: { src: '192.0.2.9', srcPort: 5000 } },
  ];
  for (const { rule, over = {}, expect } of rows) {
    const connection = open(start(`*nat\n-A ${rule}\nCOMMIT\n`), over);
    t.match(connection.packet, expect, rule);
    const { src, srcPort, dst, dstPort } = { src: POD, srcPort: 4000, dst: OUTSIDE, dstPort: 80, ...over };
    t.match(connection.reply().packet, { src: dst, srcPort: dstPort, dst: src, dstPort: srcPort }, `${rule}: and back`);
  }
  const six = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('fd00::11') });
  restore(six, '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 8080\nCOMMIT\n');
  t.match(open(six, { src: 'fd00::11', dst: '2001:db8::1', hook: 'output' }).packet, { dst: '::1', dstPort: 8080 });
});

t.test('the first rule that translates decides, about each direction', async t => {
  const kernel = start(
    '*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.1\n-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.2\n-A POSTROUTING -j SNAT --to-source 192.0.2.1\n-A POSTROUTING -j SNAT --to-source 192.0.2.2\nCOMMIT\n',
  );
  const first = open(kernel);
  t.match(first.packet, { src: '192.0.2.1', dst: '10.66.2.1' });
  restore(kernel, '*nat\n-A PREROUTING -p tcp -j DNAT --to-destination 10.66.2.9\nCOMMIT\n');
  t.match(first.send().packet, { src: '192.0.2.1', dst: '10.66.2.1' }, 'and about the flow, whatever the rules become');
});

t.test('a trace tells what each target did', async t => {
  const rows: readonly { rules: string; expect: readonly string[] }[] = [
    { rules: '-A FORWARD\n-A FORWARD -j ACCEPT', expect: ['continue', 'accept'] },
    { rules: '-A FORWARD -j DROP', expect: ['drop'] },
    { rules: '-A FORWARD -j REJECT', expect: ['reject with icmp-port-unreachable'] },
    { rules: '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset', expect: ['reject with tcp-reset'] },
    { rules: ':A - [0:0]\n-A A -j RETURN\n-A FORWARD -j A', expect: ['jump A', 'return'] },
    { rules: ':A - [0:0]\n-A FORWARD -g A\n-A FORWARD -j DROP', expect: ['goto A'] },
    { rules: ':A - [0:0]\n-A FORWARD -j A\n-A FORWARD -j DROP', expect: ['jump A', 'drop'] },
    { rules: '-A FORWARD -j MARK --set-xmark 0x80000000/0x80000000', expect: ['mark is now 0x80000000'] },
  ];
  for (const { rules, expect } of rows) {
    const { trace } = open(start(`*filter\n${rules}\nCOMMIT\n`));
    t.same(
      trace.flatMap(({ kind, effect }) => (kind === 'rule' ? [effect] : [])),
      expect,
      rules,
    );
  }
  const raw = open(start('*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n'));
  t.match(raw.trace, [{ kind: 'rule', effect: 'not tracked' }]);
});
