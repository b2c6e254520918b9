import t from 'tap';
import { createIpsets } from '../../../src/dataplane/kernel/ipset/ipsets.js';
import type { PacketState } from '../../../src/dataplane/kernel/passage.js';
import { compileMatches } from '../../../src/dataplane/kernel/xtables/match.js';
import { createRecentLists } from '../../../src/dataplane/kernel/xtables/recent.js';
import { tokenize } from '../../../src/dataplane/tools/iptables/parse.js';
import { parseRule } from '../../../src/dataplane/tools/iptables/parse-rule.js';
import { FakeClock } from '../../../src/machinery/clock.js';

const PACKET: PacketState = {
  protocol: 'tcp',
  src: '10.0.0.1',
  srcPort: 4000,
  dst: '10.0.1.2',
  dstPort: 80,
  inInterface: 'veth7',
  outInterface: 'eth0',
  mark: 0x6000,
  size: 60,
  virtual: undefined,
  states: ['NEW'],
};

const ENVIRONMENT = {
  isLocal: () => false,
  random: () => 0.5,
  recent: createRecentLists(new FakeClock()),
  sets: createIpsets('IPv4', () => 0),
  dryRun: false,
};

/** `also` is another packet, in what it has of its own, with the other answer. */
const ROWS: readonly { readonly rule: string; readonly expect: boolean; readonly also: Partial<PacketState> }[] = [
  { rule: '-i veth7', expect: true, also: { inInterface: 'veth70' } },
  { rule: '-i veth7', expect: true, also: { inInterface: undefined } },
  { rule: '-i veth+', expect: true, also: { inInterface: 'eth0' } },
  { rule: '-i veth+', expect: true, also: { inInterface: undefined } },
  { rule: '-i eth0', expect: false, also: { inInterface: 'eth0' } },
  { rule: '-o eth0', expect: true, also: { outInterface: 'eth1' } },
  { rule: '-o eth+', expect: true, also: { outInterface: 'lo' } },
  { rule: '! -i veth+', expect: false, also: { inInterface: 'eth0' } },
  { rule: '! -o eth0', expect: false, also: { outInterface: 'eth1' } },
  { rule: '-s 10.0.0.0/24', expect: true, also: { src: '10.0.1.0' } },
  { rule: '-d 10.0.1.2/32', expect: true, also: { dst: '10.0.1.3' } },
  { rule: '! -s 10.0.0.0/24', expect: false, also: { src: '10.0.1.0' } },
  { rule: '-p tcp', expect: true, also: { protocol: 'udp' } },
  { rule: '! -p tcp', expect: false, also: { protocol: 'udp' } },
  { rule: '-p tcp -m tcp --dport 80', expect: true, also: { dstPort: 81 } },
  { rule: '-p tcp -m tcp --dport 79:80', expect: true, also: { dstPort: 78 } },
  { rule: '-p tcp -m tcp --dport 80:81', expect: true, also: { dstPort: 82 } },
  { rule: '-p tcp -m tcp --dport 70:79', expect: false, also: { dstPort: 79 } },
  { rule: '-p tcp -m tcp --sport 4000:4001', expect: true, also: { srcPort: 3999 } },
  { rule: '-p tcp -m tcp --sport 3999:4000', expect: true, also: { srcPort: 4001 } },
  { rule: '-m mark --mark 0x4000/0x4000', expect: true, also: { mark: 0x2000 } },
  { rule: '-m mark --mark 0x6000', expect: true, also: { mark: 0x4000 } },
  { rule: '-m mark ! --mark 0x4000/0x4000', expect: false, also: { mark: 0x2000 } },
  { rule: '-m conntrack --ctstate NEW', expect: true, also: { states: ['ESTABLISHED'] } },
  { rule: '-m conntrack --ctstate RELATED,ESTABLISHED', expect: false, also: { states: ['ESTABLISHED'] } },
  { rule: '-m conntrack --ctstate DNAT', expect: false, also: { states: ['ESTABLISHED', 'DNAT'] } },
  {
    rule: '-m ipvs --vaddr 10.0.1.2 --vproto tcp --vport 80',
    expect: false,
    also: { virtual: { protocol: 'tcp', address: '10.0.1.2', port: 80 } },
  },
];

t.test('of a virtual service address, port and protocol are asked', async t => {
  const matches = compileMatches(parseRule('C', tokenize('-m ipvs --vaddr 10.0.1.2 --vproto tcp --vport 80'), 'IPv4'));
  const service = { protocol: 'tcp', address: '10.0.1.2', port: 80 } as const;
  const asked = (over: object): boolean => matches({ ...PACKET, virtual: { ...service, ...over } }, ENVIRONMENT);
  t.equal(asked({}), true);
  t.equal(asked({ protocol: 'udp' }), false);
  t.equal(asked({ address: '10.0.1.3' }), false);
  t.equal(asked({ port: 81 }), false);
});

t.test('chance', async t => {
  const drawn = (random: number, probability: number): boolean =>
    compileMatches(parseRule('C', tokenize(`-m statistic --mode random --probability ${probability}`), 'IPv4'))(
      PACKET,
      {
        ...ENVIRONMENT,
        random: () => random,
      },
    );
  t.equal(drawn(0.4999, 0.5), true);
  t.equal(drawn(0.5, 0.5), false, 'of a thousand numbers below 1000, 500 are below 500');
  t.equal(drawn(0, 0), false);
  t.equal(drawn(0.9999, 1), true);
});

t.test('no packet comes from a port of a bridge', async t => {
  const asked = (rule: string): boolean => compileMatches(parseRule('C', tokenize(rule), 'IPv4'))(PACKET, ENVIRONMENT);
  t.equal(asked('-m physdev --physdev-is-in'), false);
  t.equal(asked('-m physdev ! --physdev-is-in'), true);
});

t.test('ranges of IPv6', async t => {
  const rows = [
    { range: '2001:db8::/32', address: '2001:db8:1::1', expect: true },
    { range: '2001:db8::/32', address: '2001:db9::1', expect: false },
    { range: '2001:db8::1/128', address: '2001:db8::1', expect: true },
    { range: '2001:db8::1/128', address: '2001:db8::2', expect: false },
    { range: '2001:db8::1', address: '2001:db8::1', expect: true },
  ];
  for (const { range, address, expect } of rows) {
    const matches = compileMatches(parseRule('C', tokenize(`-s ${range}`), 'IPv6'));
    t.equal(matches({ ...PACKET, src: address }, ENVIRONMENT), expect, `${address} in ${range}`);
  }
});

t.test('what each match of iptables asks of a packet', async t => {
  for (const { rule, expect, also } of ROWS) {
    const matches = compileMatches(parseRule('C', tokenize(rule), 'IPv4'));
    t.equal(matches(PACKET, ENVIRONMENT), expect, rule);
    t.equal(matches({ ...PACKET, ...also }, ENVIRONMENT), !expect, `${rule}: ${JSON.stringify(also)}`);
  }
});
