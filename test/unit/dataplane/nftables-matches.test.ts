import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { ConnectRequest } from '../../../src/dataplane/kernel/types.js';
import { parseNftScript } from '../../../src/dataplane/tools/nft/parse-script.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const NODE = '192.0.2.1';

const PACKET: ConnectRequest = {
  proto: 'tcp',
  src: '10.0.0.1',
  srcPort: 4000,
  dst: '10.0.1.2',
  dstPort: 80,
  hook: 'prerouting',
  inInterface: 'veth7',
};

function start(lines: string, random = () => 0) {
  const clock = new FakeClock();
  const kernel = createKernel({ clock, random, routes: hostRoutes(NODE) });
  const hook = 'type filter hook prerouting priority dstnat - 10 ; policy accept ;';
  const text = `table ip t {
    set plain { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.7 } }
    set seen { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 60s; }
    map ports { type inet_proto . inet_service : verdict; elements = { tcp . 80 : drop, udp . 53 : goto refuse } }
    map places { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.0.1.2 . tcp . 80 : drop } }
    map clients { type ipv4_addr : verdict; elements = { 10.0.0.1 : drop } }
    chain refuse { reject; }
    chain passed { return; }
    chain c { ${hook}
${lines}
    }
}
`;
  for (const program of parseNftScript(text, 'IPv4')) kernel.load(program);
  const connect = (over: Partial<ConnectRequest> = {}) => kernel.connect({ ...PACKET, ...over });
  return { clock, kernel, connect };
}

/** One packet that a rule drops and another that it lets pass; `pass` is what the other has of its own. */
const ROWS: readonly {
  readonly rule: string;
  readonly drop?: Partial<ConnectRequest>;
  readonly pass: Partial<ConnectRequest>;
}[] = [
  { rule: 'ip saddr 10.0.0.1 drop', pass: { src: '10.0.0.2' } },
  { rule: 'ip saddr { 10.0.0.0/24, 10.0.5.1 } drop', pass: { src: '10.0.1.0' } },
  { rule: 'ip saddr { 10.0.5.0/24, 10.0.0.1 } drop', pass: { src: '10.0.0.2' } },
  { rule: 'ip saddr != 10.0.0.2 drop', pass: { src: '10.0.0.2' } },
  { rule: 'ip saddr @plain drop', pass: { src: '10.0.0.2' } },
  { rule: 'ip daddr != @plain drop', pass: { dst: '10.0.0.7' } },
  { rule: 'ip daddr 10.0.1.2 drop', pass: { dst: '10.0.1.3' } },
  { rule: 'meta l4proto tcp drop', pass: { proto: 'udp' } },
  { rule: 'fib daddr type local drop', drop: { dst: NODE }, pass: {} },
  { rule: 'iifname "veth7" drop', pass: { inInterface: 'veth70' } },
  { rule: 'iifname "veth*" drop', pass: { inInterface: 'eth0' } },
  { rule: 'iifname != "eth0" drop', pass: { inInterface: 'eth0' } },
  { rule: 'meta l4proto . th dport vmap @ports', pass: { dstPort: 81 } },
  { rule: 'meta l4proto . th dport vmap @ports', pass: { proto: 'udp' } },
  { rule: 'ip daddr . meta l4proto . th dport vmap @places', pass: { dst: '10.0.1.3' } },
  { rule: 'ip daddr . meta l4proto . th dport vmap @places', pass: { proto: 'udp' } },
  { rule: 'ip daddr . meta l4proto . th dport vmap @places', pass: { dstPort: 443 } },
  { rule: 'ip saddr vmap @clients', pass: { src: '10.0.1.2', dst: '10.0.0.1' } },
  { rule: 'meta l4proto udp accept\n drop', pass: { proto: 'udp' } },
  { rule: 'meta l4proto tcp jump passed\n meta l4proto tcp drop', pass: { proto: 'udp' } },
];

t.test('what each match of nftables asks of a packet', async t => {
  for (const { rule, drop = {}, pass } of ROWS) {
    t.equal(start(rule).connect(drop).verdict, 'drop', rule);
    t.equal(start(rule).connect(pass).verdict, 'accept', `${rule}: ${JSON.stringify(pass)}`);
  }
});

t.test('a goto does not come back, a jump does', async t => {
  t.equal(start('goto passed\n drop').connect().verdict, 'accept');
  t.equal(start('jump passed\n drop').connect().verdict, 'drop');
  t.match(start('meta l4proto . th dport vmap @ports').connect({ proto: 'udp', dstPort: 53 }), {
    verdict: 'reject',
    rejectWith: 'icmp-port-unreachable',
  });
});

t.test('a state is asked of the flow', async t => {
  const { connect } = start('ct state new drop');
  t.equal(connect().verdict, 'drop');
  const { connect: answered } = start('ct state established drop');
  const connection = answered();
  t.equal(connection.verdict, 'accept');
  t.equal(connection.reply().verdict, 'drop');
});

t.test('a mark is set, asked and taken back', async t => {
  const mark = 'meta mark set meta mark | 0x00004000';
  const ask = 'meta mark & 0x00004000 == 0x00000000 drop';
  t.equal(start(ask).connect().verdict, 'drop');
  t.equal(start(`${mark}\n ${ask}`).connect().verdict, 'accept');
  t.equal(start(`${mark}\n meta mark set meta mark ^ 0x00004000\n ${ask}`).connect().verdict, 'drop');
});

t.test('a set learns who came by, for its time, and not from a dry run', async t => {
  const { clock, connect } = start('ip saddr @seen drop\n update @seen { ip saddr }');
  t.equal(connect({ dryRun: true }).verdict, 'accept');
  t.equal(connect({ srcPort: 1 }).verdict, 'accept', 'a dry run has left nothing');
  t.equal(connect({ srcPort: 2 }).verdict, 'drop');
  t.equal(connect({ src: '10.0.0.2' }).verdict, 'accept');
  clock.step(59_999);
  t.equal(connect({ srcPort: 3 }).verdict, 'drop');
  clock.step(1);
  t.equal(connect({ srcPort: 4 }).verdict, 'accept');
  t.equal(connect({ srcPort: 5 }).verdict, 'drop', 'which taught it anew');
});

t.test('chance chooses one of the verdicts, each as often', async t => {
  for (const { drawn, expect } of [
    { drawn: 0, expect: 'drop' },
    { drawn: 0.49, expect: 'drop' },
    { drawn: 0.5, expect: 'reject' },
    { drawn: 0.99, expect: 'reject' },
  ]) {
    const rule = 'numgen random mod 2 vmap { 0 : drop, 1 : goto refuse }';
    const { verdict, trace } = start(rule, () => drawn).connect();
    t.equal(verdict, expect);
    t.match(
      trace.find(({ kind }) => kind === 'rule'),
      { probability: 0.5, effect: expect === 'drop' ? '0 of 2 by chance: drop' : '1 of 2 by chance: goto refuse' },
    );
  }
});

t.test(
  'a trace has the rules that did something, with their comments, and the policy of a chain that has rules',
  async t => {
    const rules = 'ip saddr 10.9.9.9 drop\n jump passed comment "on the way"\n ip saddr 10.0.0.1 ip daddr @plain drop';
    const told = start(rules)
      .connect()
      .trace.filter(({ kind }) => kind === 'rule' || kind === 'policy')
      .map(({ chain, ruleNumber, effect, comment }) => [chain, ruleNumber, effect, comment]);
    t.same(told, [
      ['c', 2, 'jump passed', 'on the way'],
      ['passed', 1, 'return', undefined],
      ['c', undefined, 'policy accept', undefined],
    ]);
    t.notOk(
      start('')
        .connect()
        .trace.some(({ kind }) => kind === 'policy'),
      'an empty chain says nothing',
    );
  },
);

t.test('a chain hangs where the kernel is simulated to ask, and nowhere else', async t => {
  const load = (base: string): void => {
    const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(NODE) });
    for (const program of parseNftScript(`table ip t { chain c { type ${base}; policy accept; drop; } }\n`, 'IPv4'))
      kernel.load(program);
  };
  load('filter hook input priority filter');
  load('nat hook prerouting priority dstnat');
  for (const base of [
    'nat hook prerouting priority -90',
    'nat hook forward priority -100',
    'filter hook input priority 1',
  ])
    t.throws(() => load(base), { message: `no chain can hang at ${base.replace(/hook |priority /g, '')}` }, base);
});

t.test('in a set that is gone there is nobody', async t => {
  const { kernel, connect } = start('ip saddr @plain drop');
  for (const program of parseNftScript('delete set ip t plain\n', 'IPv4')) kernel.load(program);
  t.equal(connect().verdict, 'accept');
});
