import t from 'tap';
import { createConntrack } from '../../../src/dataplane/kernel/conntrack.js';
import type { Packet, TcpFlags } from '../../../src/dataplane/packet.js';
import { FakeClock } from '../../../src/machinery/clock.js';

type Seen = readonly ['original' | 'reply', TcpFlags?, number?];

/** Packets of a flow (which way, flags, how many ms later), and for how many seconds after the last the flow is known. */
const ROWS: readonly {
  readonly name: string;
  readonly protocol: Packet['protocol'];
  readonly packets: readonly Seen[];
  readonly seconds: number;
}[] = [
  ...(
    [
      ['tcp', 120],
      ['udp', 30],
      ['sctp', 3],
      ['icmp', 30],
      ['ipv6-icmp', 30],
    ] as const
  ).map(([protocol, seconds]) => ({ name: `the first packet of ${protocol}`, protocol, packets: [], seconds })),
  { name: 'SYN', protocol: 'tcp', packets: [['original', 'syn']], seconds: 120 },
  {
    name: 'SYN, SYN-ACK',
    protocol: 'tcp',
    packets: [
      ['original', 'syn'],
      ['reply', 'synack'],
    ],
    seconds: 60,
  },
  { name: 'a SYN-ACK the wrong way', protocol: 'tcp', packets: [['original', 'synack']], seconds: 120 },
  { name: 'picked up in the middle', protocol: 'tcp', packets: [['original', 'ack']], seconds: 432_000 },
  {
    name: 'a handshake',
    protocol: 'tcp',
    packets: [
      ['original', 'syn'],
      ['reply', 'synack'],
      ['original', 'ack'],
    ],
    seconds: 432_000,
  },
  {
    name: 'a late SYN of an open connection',
    protocol: 'tcp',
    packets: [
      ['original', 'ack'],
      ['original', 'syn'],
    ],
    seconds: 432_000,
  },
  {
    name: 'FIN',
    protocol: 'tcp',
    packets: [
      ['original', 'ack'],
      ['original', 'fin'],
    ],
    seconds: 120,
  },
  {
    name: 'RST',
    protocol: 'tcp',
    packets: [
      ['original', 'ack'],
      ['reply', 'rst'],
    ],
    seconds: 10,
  },
  { name: 'a datagram', protocol: 'udp', packets: [['original']], seconds: 30 },
  { name: 'a datagram and its answer', protocol: 'udp', packets: [['original'], ['reply']], seconds: 30 },
  {
    name: 'answers after two seconds',
    protocol: 'udp',
    packets: [['original'], ['reply'], ['original', 'ack', 2000]],
    seconds: 120,
  },
  {
    name: 'answers for less than two seconds',
    protocol: 'udp',
    packets: [['original'], ['reply'], ['original', 'ack', 1999]],
    seconds: 30,
  },
  {
    name: 'datagrams that nobody answers, after two seconds',
    protocol: 'udp',
    packets: [['original'], ['original', 'ack', 2000]],
    seconds: 30,
  },
  { name: 'SCTP', protocol: 'sctp', packets: [['original']], seconds: 3 },
  { name: 'SCTP with an answer', protocol: 'sctp', packets: [['original'], ['reply']], seconds: 210 },
  { name: 'ICMP, answered for long', protocol: 'icmp', packets: [['original'], ['reply', 'ack', 5000]], seconds: 30 },
];

t.test('how long a flow is known', async t => {
  for (const { name, protocol, packets, seconds } of ROWS) {
    const clock = new FakeClock();
    const table = createConntrack(clock);
    const tuple = { protocol, src: '10.0.0.1', srcPort: 4000, dst: '10.0.0.2', dstPort: 80 };
    const entry = table.create(tuple);
    table.confirm(entry);
    for (const [direction, flags = 'ack', later = 0] of packets) {
      clock.step(later);
      table.advance(entry, direction, flags);
    }
    clock.step(1000 * seconds - 1);
    t.equal(table.lookup(tuple)?.entry, entry, `${name}: for ${seconds} s`);
    clock.step(1);
    t.equal(table.lookup(tuple), undefined, `${name}: no longer`);
    t.equal(entry.confirmed, false, `${name}: and is confirmed anew if it comes back`);
    t.equal(table.isFree(tuple), true, name);
  }
});

t.test('flows that are over leave the table while others come', async t => {
  // Wherever the walk through the table happens to be.
  for (let size = 1; size <= 8; size++) {
    const clock = new FakeClock();
    const table = createConntrack(clock, size);
    const flow = (srcPort: number) =>
      table.create({ protocol: 'tcp', src: '10.0.0.1', srcPort, dst: '10.0.0.2', dstPort: 80 });
    for (let i = 1; i <= size; i++) {
      const entry = flow(i);
      table.confirm(entry);
      table.advance(entry, 'original', 'ack');
    }
    t.equal(table.confirm(flow(10)), false, `a table full of ${size} open connections`);
    clock.step(432_000_000);
    t.equal(table.confirm(flow(11)), true, 'which nobody has looked at since they were over');
    t.same(
      table.entries().map(({ original }) => original.srcPort),
      [11],
    );
  }
});
