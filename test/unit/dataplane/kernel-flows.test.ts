import t from 'tap';
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
