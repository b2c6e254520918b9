import t from 'tap';
import { FilterError, namesIn, parseFilter } from '../../../src/containers/programs/network/capture-filter.js';
import { NotSimulated } from '../../../src/containers/programs/network/stack-of.js';
import type { CapturedPacket } from '../../../src/containers/network/captured-packet.js';

const packet = (
  protocol: CapturedPacket['protocol'],
  src: string,
  srcPort: number,
  dst: string,
  dstPort: number,
): CapturedPacket => ({
  at: 0,
  link: 'eth0',
  direction: 'out',
  protocol,
  src,
  srcPort,
  dst,
  dstPort,
  ttl: 64,
  payload: Buffer.alloc(0),
});

const PACKETS: Readonly<Record<string, CapturedPacket>> = {
  web: packet('tcp', '10.244.1.5', 40000, '10.96.0.20', 80),
  answer: packet('tcp', '10.96.0.20', 80, '10.244.1.5', 40000),
  dns: packet('udp', '10.244.1.5', 40001, '10.96.0.10', 53),
  ping: packet('icmp', '10.244.1.5', 0, '10.244.2.7', 0),
  six: packet('tcp', 'fd00::5', 40000, 'fd00::7', 443),
};

const ROWS: readonly { readonly filter: string; readonly expect: string }[] = [
  { filter: '', expect: 'web answer dns ping six' },
  { filter: 'tcp', expect: 'web answer six' },
  { filter: 'udp or icmp', expect: 'dns ping' },
  { filter: 'not tcp', expect: 'dns ping' },
  { filter: '!tcp && !icmp', expect: 'dns' },
  { filter: 'host 10.96.0.20', expect: 'web answer' },
  { filter: 'src host 10.96.0.20', expect: 'answer' },
  { filter: 'dst 10.96.0.20', expect: 'web' },
  { filter: 'host web', expect: 'web answer' },
  { filter: 'port 80', expect: 'web answer' },
  { filter: 'port 80 or 53', expect: 'web answer dns' },
  { filter: 'dst port 80', expect: 'web' },
  { filter: 'port http', expect: 'web answer' },
  { filter: 'udp port 53', expect: 'dns' },
  { filter: 'tcp port 53', expect: '' },
  { filter: 'tcp dst port 80', expect: 'web' },
  { filter: 'portrange 1-100', expect: 'web answer dns' },
  { filter: 'net 10.96.0.0/16', expect: 'web answer dns' },
  { filter: 'src net 10.96.0.0/16 and tcp', expect: 'answer' },
  { filter: 'ip6', expect: 'six' },
  { filter: 'ip and not (port 80 or port 53)', expect: 'ping' },
  { filter: 'tcp and (port 443 or host 10.96.0.20)', expect: 'web answer six' },
  { filter: 'src or dst port 53', expect: 'dns' },
  { filter: 'ip proto 1x', expect: 'not simulated: the filter "proto 1x"' },
  { filter: 'tcp[tcpflags] & tcp-syn != 0', expect: 'not simulated: the filter "tcp[tcpflags]"' },
  { filter: 'vlan', expect: 'not simulated: the filter "vlan"' },
  { filter: 'host nobody', expect: "unknown host 'nobody'" },
  { filter: 'port 99999', expect: "unknown port '99999'" },
  { filter: '(tcp', expect: 'syntax error' },
  { filter: 'tcp udp', expect: 'syntax error' },
  { filter: 'and', expect: 'not simulated: the filter "and"' },
  { filter: 'not '.repeat(300), expect: 'not simulated: a filter of so many words' },
];

t.test('filters of packets', async t => {
  const addressOf = (name: string): string | undefined =>
    ({ web: '10.96.0.20' })[name] ?? (/^[\d.:a-f]+$/.test(name) ? name : undefined);
  for (const { filter, expect } of ROWS) {
    let found: string;
    try {
      const test = parseFilter(filter, addressOf);
      found = Object.entries(PACKETS)
        .flatMap(([name, each]) => (test(each) ? [name] : []))
        .join(' ');
    } catch (error) {
      if (error instanceof NotSimulated) found = `not simulated: ${error.message}`;
      else if (error instanceof FilterError) found = error.message;
      else throw error;
    }
    t.equal(found, expect, filter.slice(0, 40));
  }
  t.same(namesIn('host web and not src db or port http'), ['web', 'db']);
});
