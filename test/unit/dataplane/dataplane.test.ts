import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseCidr } from '../../../src/machinery/cidr.js';
import { endpointChain, serviceChains } from '../../../src/dataplane/proxiers/iptables/names.js';
import { tokenize } from '../../../src/dataplane/tools/iptables/parse.js';
import { parseRule } from '../../../src/dataplane/tools/iptables/parse-rule.js';
import { printRestore } from '../../../src/dataplane/tools/iptables/print-restore.js';
import { restoreText, saveText } from '../../../src/dataplane/tools/iptables/rule-text.js';
import { buildDispatchIndex } from '../../../src/dataplane/kernel/xtables/dispatch-index.js';
import { createIpsets } from '../../../src/dataplane/kernel/ipset/ipsets.js';
import type { PacketState } from '../../../src/dataplane/kernel/passage.js';
import type { Rule } from '../../../src/dataplane/kernel/xtables/rule.js';
import { compileMatches } from '../../../src/dataplane/kernel/xtables/match.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { printTrace } from '../../../src/dataplane/tools/trace-text.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { xtablesProgram } from '../../support/xtables-program.js';
import { hostRoutes } from '../../support/host-routes.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { createRecentLists } from '../../../src/dataplane/kernel/xtables/recent.js';
import { compile, createProxier } from '../../../src/dataplane/proxiers/index.js';
import type { UdpServicePort } from '../../../src/dataplane/kernel/flow.js';
import type { XtablesProgram } from '../../../src/dataplane/kernel/program.js';
import type { ConnectRequest, Connection, Kernel } from '../../../src/dataplane/kernel/types.js';
import type { Proxier } from '../../../src/dataplane/proxiers/types.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { EndpointSlice, Service } from '../../../src/machinery/types.js';
import {
  type Example,
  EXAMPLE_NODE_LABELS,
  exampleConfig,
  examples,
  service,
  slice,
} from '../../fixtures/iptables/inputs.js';

const fixture = (name: string): string => readFileSync(`test/fixtures/iptables/${name}`, 'utf8');
const NODE = '192.168.50.11';
const POD = '10.66.1.99';
/** When the fixtures were recorded. */
const RECORDED = Date.parse('2026-11-22T13:50:41Z');

function netfilterFor(example: Pick<Example, 'config'>, clock = new FakeClock(RECORDED), random = () => 0): Kernel {
  return createKernel({ clock, random, routes: hostRoutes(...exampleConfig(example).nodeAddresses) });
}

const compiled = (example: Example): XtablesProgram =>
  xtablesProgram(
    compile(
      { ...exampleConfig(example), clock: new FakeClock() },
      { services: example.services, slices: example.slices, nodeLabels: EXAMPLE_NODE_LABELS },
    ),
  );

t.test('the worked examples, byte for byte', async t => {
  for (const example of examples) {
    const program = compiled(example);
    const input = fixture(`${example.name}.restore`);
    const save = fixture(`${example.name}.iptables-save`);
    t.equal(printRestore(program), input, `${example.name}: restore input`);

    const applied = netfilterFor(example);
    applied.load({ ...program, jumps: [], ensureChains: [] });
    t.equal(printSave(applied), save, `${example.name}: loaded as a program`);

    const parsed = netfilterFor(example);
    restore(parsed, input, { noflush: true });
    t.equal(printSave(parsed), save, `${example.name}: loaded as restore text`);

    const saved = netfilterFor(example);
    restore(saved, save);
    t.equal(printSave(saved), save, `${example.name}: loaded as save text`);

    const shuffled = { ...example, services: [...example.services].reverse(), slices: [...example.slices].reverse() };
    t.equal(printRestore(compiled(shuffled)), input, `${example.name}: whatever the order of the input`);
  }
});

t.test('the jumps of a fresh host', async t => {
  const [first] = examples;
  if (first === undefined) throw new Error('no examples');
  const kernel = netfilterFor(first);
  kernel.load(compiled(first));
  const jumps = (table: string, chain: string): string[] =>
    (kernel.xtables.tables().find(one => one.table === table)?.chains ?? [])
      .filter(one => one.name === chain)
      .flatMap(one => one.rules.map(({ rule }) => (rule.verdict.kind === 'jump' ? rule.verdict.chain : '')));
  t.same(jumps('filter', 'INPUT'), [
    'KUBE-FIREWALL',
    'KUBE-PROXY-FIREWALL',
    'KUBE-NODEPORTS',
    'KUBE-EXTERNAL-SERVICES',
  ]);
  t.same(jumps('filter', 'FORWARD'), [
    'KUBE-PROXY-FIREWALL',
    'KUBE-FORWARD',
    'KUBE-SERVICES',
    'KUBE-EXTERNAL-SERVICES',
  ]);
  t.same(jumps('filter', 'OUTPUT'), ['KUBE-FIREWALL', 'KUBE-PROXY-FIREWALL', 'KUBE-SERVICES']);
  t.same(jumps('nat', 'POSTROUTING'), ['KUBE-POSTROUTING']);
  const before = printSave(kernel);
  kernel.load(compiled(first));
  t.equal(printSave(kernel), before, 'loading again changes nothing');
  const again = netfilterFor(first);
  restore(again, before);
  t.equal(printSave(again), before, 'and the whole text reads back');
});

t.test('chain names', async t => {
  const rows = [
    { name: 'ns1/svc1:p80', protocol: 'tcp', expect: 'KUBE-SVC-XPGD46QRK7WJZT7O' },
    { name: 'ns2/svc2:p80', protocol: 'tcp', expect: 'KUBE-SVC-GNZBNJ2PO5MGZ6GT' },
    { name: 'ns4/svc4:p80', protocol: 'tcp', expect: 'KUBE-SVC-4SW47YFZTEDKD3PK' },
    { name: 'kube-system/kube-dns:dns', protocol: 'udp', expect: 'KUBE-SVC-TCOU7JCQXEZGVUNU' },
  ] as const;
  for (const { name, protocol, expect } of rows) t.equal(serviceChains(name, protocol).cluster, expect, name);
  t.equal(endpointChain('ns1/svc1:p80', 'tcp', '10.180.0.1:80'), 'KUBE-SEP-SXIVWICOYRO3J4NJ');
  t.equal(endpointChain('ns4/svc4:p80', 'tcp', '10.180.0.5:80'), 'KUBE-SEP-C6EBXVWJJZMIWKLZ');
});

t.test('addresses', async t => {
  const rows: readonly [cidr: string, text: string | undefined, inside: string, outside: string][] = [
    ['10.0.0.7/8', '10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
    ['255.0.0.0/8', '255.0.0.0/8', '255.1.2.3', '127.0.0.1'],
    ['0.0.0.0/0', '0.0.0.0/0', '255.255.255.255', '::1'],
    ['192.168.50.11', '192.168.50.11/32', '192.168.50.11', '192.168.50.12'],
    ['fd00:66:1::/32', 'fd00:66::/32', 'fd00:66:ffff::1', 'fd00:67::1'],
    ['::/0', '::/0', 'ffff::', '1.2.3.4'],
    ['10.0.0.0/33', undefined, '', ''],
    ['10.0.0', undefined, '', ''],
    ['10.0.0.256', undefined, '', ''],
    ['fe80::1%eth0', undefined, '', ''],
  ];
  for (const [cidr, text, inside, outside] of rows) {
    const parsed = parseCidr(cidr);
    t.equal(parsed?.text, text, cidr);
    if (parsed === undefined) continue;
    t.equal(parsed.contains(inside), true, `${inside} is in ${cidr}`);
    t.equal(parsed.contains(outside), false, `${outside} is not in ${cidr}`);
  }
});

/** What iptables-save 1.8.9 listed for these arguments, in a real kernel. */
const LISTED: readonly (readonly [arguments_: string, listed: string])[] = [
  [
    '-m comment --comment "a\\"b\\\\c" -p tcp -m tcp --dport 80:90 ! --sport 5 -m mark ! --mark 0x1 -j REJECT',
    '-p tcp -m comment --comment "a\\"b\\\\c" -m tcp ! --sport 5 --dport 80:90 -m mark ! --mark 0x1 -j REJECT --reject-with icmp-port-unreachable',
  ],
  ['-p udp --dport 53 -j REJECT', '-p udp -m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable'],
  ['-p 6 -j REJECT --reject-with tcp-reset', '-p tcp -j REJECT --reject-with tcp-reset'],
  ['-j MARK --set-xmark 0x5/0xff', '-j MARK --set-xmark 0x5/0xff'],
  ['-j MARK --set-mark 0x5/0xf0', '-j MARK --set-xmark 0x5/0xf5'],
  ['-j MARK --and-mark 0xff', '-j MARK --set-xmark 0x0/0xffffff00'],
  ['-m mark --mark 0x5 -j MARK --or-mark 0xff', '-m mark --mark 0x5 -j MARK --set-xmark 0xff/0xff'],
  ['-s 10.0.0.7/8 -d 0.0.0.0/0 -g X', '-s 10.0.0.0/8 -g X'],
  [
    '-m conntrack --ctstate DNAT,NEW,SNAT,ESTABLISHED,RELATED,INVALID,UNTRACKED',
    '-m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT',
  ],
  ['-m state ! --state RELATED,NEW', '-m state ! --state NEW,RELATED'],
  [
    '-m addrtype ! --src-type LOCAL -m physdev ! --physdev-is-in -m recent --update --name x --seconds 5 -m recent --remove --name y -m statistic --mode random ! --probability 0.1',
    '-m addrtype ! --src-type LOCAL -m physdev ! --physdev-is-in -m recent --update --seconds 5 --name x --mask 255.255.255.255 --rsource -m recent --remove --name y --mask 255.255.255.255 --rsource -m statistic --mode random ! --probability 0.10000000009',
  ],
  ['-p tcp -j REDIRECT --to-ports 80', '-p tcp -j REDIRECT --to-ports 80'],
  ['-p tcp -j DNAT --to-destination 1.2.3.4', '-p tcp -j DNAT --to-destination 1.2.3.4'],
  ['-p tcp -j SNAT --to-source 1.2.3.4:90', '-p tcp -j SNAT --to-source 1.2.3.4:90'],
  ['-j MASQUERADE', '-j MASQUERADE'],
  ['-j CT --notrack', '-j CT --notrack'],
  ['-i eth+ ! -o lo -j X', '-i eth+ ! -o lo -j X'],
];

t.test('arguments and their normal form', async t => {
  for (const [text, listed] of LISTED) {
    const printed = saveText(parseRule('C', tokenize(text), 'IPv4'), 'IPv4');
    t.equal(printed, `-A C ${listed}`, text);
    t.equal(saveText(parseRule('C', tokenize(listed), 'IPv4'), 'IPv4'), printed, 'reads back');
  }
  const six = '-d fd00::5/128 -p tcp -j DNAT --to-destination [fd00::1]:80';
  t.equal(saveText(parseRule('C', tokenize(six), 'IPv6'), 'IPv6'), `-A C ${six}`);
});

t.test('what is said in few words', async t => {
  const rows: readonly { text: string; restore: string; save: string }[] = [
    {
      text: '-p tcp -j REJECT --reject-with tcp-reset',
      restore: '-p tcp -j REJECT --reject-with tcp-reset',
      save: '-p tcp -j REJECT --reject-with tcp-reset',
    },
    { text: '-j REJECT', restore: '-j REJECT', save: '-j REJECT --reject-with icmp-port-unreachable' },
    { text: '! -s 0.0.0.0/0 -j A', restore: '! -s 0.0.0.0/0 -j A', save: '! -s 0.0.0.0/0 -j A' },
    { text: '-s 0.0.0.0/0 -j A', restore: '-s 0.0.0.0/0 -j A', save: '-j A' },
    {
      text: '-m statistic --mode random --probability 1',
      restore: '-m statistic --mode random --probability 1.0000000000',
      save: '-m statistic --mode random --probability 1.00000000000',
    },
    {
      text: '-m statistic --mode random --probability 0',
      restore: '-m statistic --mode random --probability 0.0000000000',
      save: '-m statistic --mode random --probability 0.00000000000',
    },
    {
      text: `-m comment --comment "what's \\"this\\""`,
      restore: `-m comment --comment "what's \\"this\\""`,
      save: `-m comment --comment "what\\'s \\"this\\""`,
    },
    { text: '-p tcp --dport :80 -j A', restore: '-p tcp --dport 0:80 -j A', save: '-p tcp -m tcp --dport 0:80 -j A' },
    {
      text: '-p tcp --dport 80: -j A',
      restore: '-p tcp --dport 80:65535 -j A',
      save: '-p tcp -m tcp --dport 80:65535 -j A',
    },
  ];
  for (const { text, restore, save } of rows) {
    const rule = parseRule('C', tokenize(text), 'IPv4');
    t.equal(restoreText(rule), `-A C ${restore}`, text);
    t.equal(saveText(rule, 'IPv4'), `-A C ${save}`, `${text}, listed`);
    t.equal(saveText(parseRule('C', tokenize(save), 'IPv4'), 'IPv4'), `-A C ${save}`, 'reads back');
  }
});

t.test('text that cannot be loaded changes nothing', async t => {
  const rows: readonly { name: string; text: string; error: RegExp }[] = [
    {
      name: 'missing chain',
      text: '*nat\n-A NOPE -j ACCEPT\nCOMMIT\n',
      error: /line 2 failed: No chain\/target\/match/,
    },
    { name: 'missing target', text: '*nat\n:A - [0:0]\n-A A -j ACPT\nCOMMIT\n', error: /Chain 'ACPT' does not exist/ },
    { name: 'unknown option', text: '*nat\n:A - [0:0]\n-A A --foo\nCOMMIT\n', error: /line 3: unknown option "--foo"/ },
    { name: 'unknown match', text: '*nat\n:A - [0:0]\n-A A -m quota\nCOMMIT\n', error: /Couldn't load match `quota'/ },
    { name: 'not committed', text: '*nat\n:A - [0:0]\n', error: /COMMIT expected at line/ },
    {
      name: 'a chain in use',
      text: '*nat\n:A - [0:0]\n-A OUTPUT -j A\n-X A\nCOMMIT\n',
      error: /Device or resource busy/,
    },
    {
      name: 'a circle',
      text: '*nat\n:A - [0:0]\n:B - [0:0]\n-A OUTPUT -j A\n-A A -j B\n-A B -j A\nCOMMIT\n',
      error: /Too many links/,
    },
    {
      name: 'bad address',
      text: '*nat\n:A - [0:0]\n-A A -s 300.1.1.1\nCOMMIT\n',
      error: /host\/network `300.1.1.1' not found/,
    },
    { name: 'bad table', text: '*foo\nCOMMIT\n', error: /table name 'foo' invalid/ },
    ...['70000', '70000:80', '80:70000', 'http', '-1', '1.5'].map(port => ({
      name: `the port ${port}`,
      text: `*nat\n:A - [0:0]\n-A A -p tcp --dport ${port}\nCOMMIT\n`,
      error: /invalid port/,
    })),
    ...['1.1', '-0.1', 'often'].map(probability => ({
      name: `the probability ${probability}`,
      text: `*nat\n:A - [0:0]\n-A A -m statistic --mode random --probability ${probability}\nCOMMIT\n`,
      error: /--probability must be in/,
    })),
    { name: 'no option', text: '*nat\nhello\nCOMMIT\n', error: /Bad argument `hello'/ },
  ];
  for (const { name, text, error } of rows) {
    const kernel = netfilterFor({ config: {} });
    t.throws(() => restore(kernel, text, { noflush: true }), { name: 'NetfilterError', message: error }, name);
    t.equal(printSave(kernel), '', `${name}: nothing loaded`);
  }
  const kernel = netfilterFor({ config: {} });
  restore(
    kernel,
    '*nat\n:A - [0:0]\n:B - [0:0]\n[3:180] -A OUTPUT -p tcp -j A\n-I OUTPUT 1 -j B\n-A A -j RETURN\nCOMMIT\n',
  );
  restore(kernel, '*nat\n-D OUTPUT -j B\n-X B\nCOMMIT\n', { noflush: true });
  t.match(
    printSave(kernel, { counters: true }),
    /POSTROUTING ACCEPT \[0:0\]\n:A - \[0:0\]\n\[3:180\] -A OUTPUT -p tcp -j A\n\[0:0\] -A A -j RETURN\nCOMMIT/,
  );
  restore(kernel, '*nat\n:C - [0:0]\nCOMMIT\n');
  t.notMatch(printSave(kernel), /:A /, 'without --noflush the table starts empty');
});

interface Cluster {
  readonly proxy: Proxier;
  readonly kernel: Kernel;
  readonly clock: FakeClock;
  readonly sync: () => XtablesProgram | undefined;
}

function cluster(services: readonly Service[], slices: readonly EndpointSlice[], random = () => 0): Cluster {
  const clock = new FakeClock();
  const proxy = createProxier({ ...exampleConfig({ config: {} }), clock });
  services.forEach(one => proxy.onServiceUpdate(one));
  slices.forEach(one => proxy.onSliceUpdate(one));
  const kernel = createKernel({ clock, random, routes: hostRoutes(NODE) });
  const sync = (): XtablesProgram | undefined => {
    const { program, udpCleanup } = proxy.sync();
    if (program !== undefined) kernel.load(program);
    kernel.cleanupUdp(udpCleanup);
    return program === undefined ? undefined : xtablesProgram(program);
  };
  sync();
  return { proxy, kernel, clock, sync };
}

const web = service('shop/web', { clusterIP: '10.200.4.10', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] });
const api = service('shop/api', { clusterIP: '10.200.4.11', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] });
const webSlice = (...ips: string[]): EndpointSlice =>
  slice(
    'shop/web',
    { name: 'http', port: 8080 },
    ips.map(ip => ({ ip })),
  );
const apiSlice = slice('shop/api', { name: 'http', port: 9090 }, [{ ip: '10.66.2.90' }]);
const chainsOf = (program: XtablesProgram | undefined): readonly string[] =>
  program?.tables.find(table => table.table === 'nat')?.chains ?? [];

t.test('a partial sync writes only what changed', async t => {
  const { proxy, kernel, sync } = cluster([web, api], [webSlice('10.66.2.1', '10.66.2.2'), apiSlice]);
  const web1 = endpointChain('shop/web:http', 'tcp', '10.66.2.1:8080');
  const web2 = endpointChain('shop/web:http', 'tcp', '10.66.2.2:8080');
  const web3 = endpointChain('shop/web:http', 'tcp', '10.66.2.3:8080');
  t.equal(proxy.pending, false);

  proxy.onSliceUpdate(webSlice('10.66.2.2', '10.66.2.3'));
  t.equal(proxy.pending, true);
  const program = sync();
  t.equal(program?.full, false);
  const fixed = ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ'];
  t.same(chainsOf(program), [...fixed, serviceChains('shop/web:http', 'tcp').cluster, web2, web3, web1]);
  const text = program === undefined ? '' : printRestore(program);
  t.match(
    text,
    `-X ${web1}\n-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports`,
    'the chain nobody uses goes',
  );
  t.match(text, '"shop/api:http cluster IP" -m tcp -p tcp -d 10.200.4.11', 'the dispatch chains are complete');

  const fresh = netfilterFor({ config: {} }, new FakeClock());
  fresh.load(proxy.program());
  t.equal(printSave(kernel), printSave(fresh), 'step by step ends where a fresh start does');

  proxy.onSliceUpdate({
    ...webSlice('10.66.2.2', '10.66.2.3'),
    metadata: { ...webSlice('').metadata, resourceVersion: '9' },
  });
  proxy.onServiceUpdate({ ...web, metadata: { ...web.metadata, annotations: { a: 'b' } } });
  t.equal(sync(), undefined, 'what does not show in rules is no change');

  proxy.onServiceDelete(web);
  sync();
  t.notMatch(printSave(kernel), /shop\/web/, 'nothing of a deleted Service stays');
  proxy.setNode({ 'topology.kubernetes.io/zone': 'z1' });
  t.equal(sync()?.full, true, 'another zone: everything is written');
});

t.test('bookkeeping', async t => {
  const balancer = service('shop/lb', {
    type: 'LoadBalancer',
    clusterIP: '10.200.4.12',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 32100,
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 }],
  });
  const endpoints = slice('shop/lb', { name: 'http', port: 8080 }, [
    { ip: '10.66.1.1', node: 'worker-a' },
    { ip: '10.66.1.2', node: 'worker-a', conditions: { ready: false } },
    { ip: '10.66.2.1', node: 'worker-b' },
  ]);
  const { proxy, kernel } = cluster([web, balancer], [endpoints]);
  t.same(proxy.healthCheckNodePorts(), [{ namespace: 'shop', name: 'lb', port: 32100, localEndpoints: 1 }]);
  t.same(proxy.nodePorts(), [{ protocol: 'tcp', port: 30080, namespace: 'shop', name: 'lb' }]);
  const probe = kernel.connect({
    proto: 'tcp',
    src: '198.51.100.1',
    srcPort: 1,
    dst: NODE,
    dstPort: 32100,
    hook: 'prerouting',
  });
  t.ok(
    probe.trace.some(step => step.effect === 'accept' && step.origin?.name === 'lb'),
    'the health check port is let in',
  );
});

t.test('two slices that share an endpoint', async t => {
  const dying = { ready: false, serving: true, terminating: true };
  const rows = [
    slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.2.1', conditions: dying }], 'a'),
    slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.2.1' }, { ip: '10.66.2.2' }], 'b'),
  ];
  const { kernel } = cluster([web], rows);
  t.match(printSave(kernel), /"shop\/web:http -> 10.66.2.1:8080" -m statistic/, 'the live one is used');
});

t.test('a large cluster writes shorter rules and looks for old chains now and then', async t => {
  const ips = Array.from({ length: 1001 }, (_, i) => `10.77.${Math.floor(i / 250)}.${(i % 250) + 1}`);
  const { proxy, sync, kernel, clock } = cluster([web, api], [webSlice('10.66.2.1'), apiSlice]);
  t.match(printSave(kernel), /-m comment --comment "shop\/api:http -> 10.66.2.90:9090" -j KUBE-SEP/);
  const [one, ...thousand] = ips;
  proxy.onSliceDelete(apiSlice);
  proxy.onSliceUpdate(webSlice(...thousand));
  sync();
  t.match(printSave(kernel), /"shop\/web:http -> /, 'a thousand endpoints are not many');
  proxy.onSliceUpdate(webSlice('10.66.2.1'));
  proxy.onSliceUpdate(apiSlice);
  sync();
  proxy.onSliceUpdate(webSlice(one ?? '', ...thousand));
  sync();
  t.notMatch(printSave(kernel), /"shop\/web:http -> /);
  t.match(
    printSave(kernel),
    /"shop\/api:http -> 10.66.2.90:9090"/,
    'an unchanged Service keeps its rules until a full sync',
  );
  const full = proxy.sync({ full: true }).program;
  const written = full === undefined ? '' : printRestore(xtablesProgram(full));
  t.notMatch(written, /-> /, 'which has none of the longer ones');
  t.match(written, /"shop\/api:http cluster IP" .* -j (KUBE-SVC-\w+)\n[^]*-A \1 -j KUBE-SEP-/, 'but all in short');
  const removed = endpointChain('shop/web:http', 'tcp', '10.66.2.1:8080');
  t.match(printSave(kernel), removed, 'the old chain waits');
  clock.step(30_000);
  proxy.onSliceDelete(apiSlice);
  sync();
  t.notMatch(printSave(kernel), removed, 'until the sync period is over');
  proxy.onSliceUpdate(apiSlice);
  const program = proxy.sync({ full: true }).program;
  t.equal(program?.full, true);
  t.notMatch(program === undefined ? '' : printRestore(xtablesProgram(program)), /shop\/api:http -> /);
});

t.test('an index over a long chain finds what a walk finds', async t => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return (seed >>> 12) % below;
  };
  const rules = Array.from({ length: 400 }, (_, i) => {
    const to = [
      '',
      `-d 10.0.0.${random(8)}`,
      `-d 10.0.0.${random(8)}/32`,
      `! -d 10.0.0.${random(8)}`,
      '-d 10.0.0.0/30',
    ][random(5)];
    const proto = ['', '-p tcp', '-p udp', '! -p tcp'][random(4)] ?? '';
    const port = proto.startsWith('-p')
      ? ['', `--dport ${80 + random(4)}`, `! --dport ${80 + random(4)}`, '--dport 80:81'][random(4)]
      : '';
    return parseRule('C', tokenize(`${to} ${proto} ${port} -m comment --comment r${i}`), 'IPv4');
  });
  const index = buildDispatchIndex(rules);
  const tests = rules.map(compileMatches);
  const environment = {
    isLocal: () => false,
    random: () => 0,
    recent: createRecentLists(new FakeClock()),
    sets: createIpsets('IPv4', () => 0),
    dryRun: false,
  };
  for (let i = 0; i < 500; i++) {
    const packet: PacketState = {
      protocol: (['tcp', 'udp', 'sctp'] as const)[random(3)] ?? 'tcp',
      src: POD,
      srcPort: 1,
      dst: `10.0.0.${random(10)}`,
      dstPort: 79 + random(6),
      inInterface: undefined,
      outInterface: undefined,
      mark: 0,
      size: 60,
      virtual: undefined,
      states: ['NEW'],
    };
    const matching = (positions: Iterable<number>): number[] =>
      [...positions].filter(position => tests[position]?.(packet, environment) === true);
    const walked = matching(rules.keys());
    const indexed = matching(index.candidates(packet));
    if (JSON.stringify(walked) !== JSON.stringify(indexed)) t.same(indexed, walked, JSON.stringify(packet));
  }
  t.ok(
    index.candidates({ protocol: 'tcp', dst: '10.0.0.1', dstPort: 80 } as PacketState).length < 380,
    'and looks at fewer rules',
  );
});

const fromPod = (srcPort: number, over: Partial<ConnectRequest> = {}): ConnectRequest => ({
  proto: 'tcp',
  src: POD,
  srcPort,
  dst: '10.200.4.10',
  dstPort: 80,
  hook: 'prerouting',
  ...over,
});
const destinationOf = ({ packet }: Connection): string => `${packet.dst}:${packet.dstPort}`;

t.test('an index leaves out who asks for something else, and nobody who counts or draws', async t => {
  const to = (port: number, more = ''): Rule =>
    parseRule('C', tokenize(`-d 10.0.0.1/32 -p tcp ${more} -m tcp --dport ${port}`), 'IPv4');
  const rules = [
    ...Array.from({ length: 20 }, (_, i) => to(100 + i)),
    to(200, '-m statistic --mode random --probability 0.5'),
    to(200, '-m recent --name x --set'),
  ];
  const packet = { protocol: 'tcp', dst: '10.0.0.1', dstPort: 105 } as PacketState;
  t.same(buildDispatchIndex(rules).candidates(packet), [5, 20, 21]);
  t.same(buildDispatchIndex(rules).candidates({ ...packet, dst: '10.0.0.2' }), [20, 21]);
});

t.test('kinds of addresses', async t => {
  const rows = [
    { address: NODE, kinds: ['LOCAL'] },
    { address: '10.0.0.1', kinds: ['UNICAST'] },
    { address: '224.0.0.1', kinds: ['MULTICAST'] },
    { address: '255.255.255.255', kinds: ['BROADCAST'] },
    { address: 'ff02::1', kinds: ['MULTICAST'] },
    { address: 'fe00::1', kinds: ['UNICAST'] },
  ];
  const environment = {
    isLocal: (address: string) => address === NODE,
    random: () => 0,
    recent: createRecentLists(new FakeClock()),
    sets: createIpsets('IPv4', () => 0),
    dryRun: false,
  };
  for (const { address, kinds } of rows)
    for (const side of ['src', 'dst'] as const) {
      const packet = { src: '192.0.2.1', dst: '192.0.2.2', [side]: address } as unknown as PacketState;
      const found = ['LOCAL', 'UNICAST', 'MULTICAST', 'BROADCAST'].filter(kind =>
        compileMatches(parseRule('C', tokenize(`-m addrtype --${side}-type ${kind}`), 'IPv4'))(packet, environment),
      );
      t.same(found, kinds, `${side} ${address}`);
    }
});

t.test('a connection and its answers', async t => {
  const { kernel, clock } = cluster([web], [webSlice('10.66.2.1')]);
  const connection = kernel.connect(fromPod(4000));
  t.match(connection, {
    verdict: 'accept',
    state: 'NEW',
    delivery: 'forward',
    packet: { dst: '10.66.2.1', dstPort: 8080 },
  });
  const effects = connection.trace.flatMap(step =>
    step.kind === 'rule' ? [`${step.chain ?? ''} ${step.ruleNumber ?? 0}`] : [],
  );
  t.same(effects.slice(0, 4), [
    'PREROUTING 1',
    'KUBE-SERVICES 1',
    `${serviceChains('shop/web:http', 'tcp').cluster} 2`,
    `${endpointChain('shop/web:http', 'tcp', '10.66.2.1:8080')} 2`,
  ]);
  t.match(
    printTrace(connection.trace, 'IPv4').find(step => step.chain?.startsWith('KUBE-SEP') === true),
    {
      table: 'nat',
      effect: 'dnat: destination becomes 10.66.2.1:8080',
      comment: 'shop/web:http',
      rule: /^-A KUBE-SEP-\w+ -p tcp .* -j DNAT --to-destination 10.66.2.1:8080$/,
      origin: { kind: 'EndpointSlice', namespace: 'shop', name: 'web-a', port: 'http', endpoint: '10.66.2.1:8080' },
    },
  );
  t.match(connection.trace.find(step => step.chain === 'KUBE-SERVICES')?.origin, { kind: 'Service', name: 'web' });

  const answer = connection.reply();
  t.match(answer, {
    verdict: 'accept',
    state: 'ESTABLISHED',
    packet: { src: '10.200.4.10', srcPort: 80, dst: POD, dstPort: 4000 },
  });
  t.match(kernel.conntrack(), [{ tcpState: 'ESTABLISHED', assured: true, dnat: true, snat: false }]);
  t.match(connection.send(), { state: 'ESTABLISHED', packet: { dst: '10.66.2.1', dstPort: 8080 } });
  clock.step(4 * 24 * 3600 * 1000);
  t.equal(kernel.conntrack().length, 1, 'an established connection is remembered for five days');
  connection.close();
  t.match(kernel.conntrack(), [{ tcpState: 'TIME_WAIT' }]);
  t.equal(kernel.connect(fromPod(4000)).state, 'NEW', 'its ports can be used again at once');
  clock.step(120_000);
  t.same(kernel.conntrack(), [], 'and an unanswered one for two minutes');
});

t.test('masquerade and its way back', async t => {
  const { kernel } = cluster([web], [webSlice('10.66.2.1')], () => 0.5);
  const connection = kernel.connect(fromPod(4000, { src: NODE, hook: 'output' }));
  const port = connection.packet.srcPort;
  t.match(connection.packet, { src: NODE, dst: '10.66.2.1', mark: 0 });
  t.ok(port >= 1024 && port !== 4000, '--random-fully takes another port');
  t.match(connection.reply(), {
    delivery: 'local',
    packet: { src: '10.200.4.10', srcPort: 80, dst: NODE, dstPort: 4000 },
  });

  const hairpin = kernel.connect(fromPod(4000, { src: '10.66.2.1' }));
  t.match(hairpin.packet, { src: NODE, dst: '10.66.2.1', dstPort: 8080 });
  t.match(hairpin.reply().packet, { src: '10.200.4.10', srcPort: 80, dst: '10.66.2.1', dstPort: 4000 });
  const ports = new Set(
    Array.from(
      { length: 50 },
      (_, i) => kernel.connect(fromPod(5000 + i, { src: NODE, hook: 'output' })).packet.srcPort,
    ),
  );
  t.equal(ports.size, 50, 'no two connections get one port');
});

t.test('two Services before one Pod, from one port', async t => {
  const other = service('shop/other', {
    clusterIP: '10.200.4.13',
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
  });
  const otherSlice = slice('shop/other', { name: 'http', port: 8080 }, [{ ip: '10.66.2.1' }]);
  const { kernel } = cluster([web, other], [webSlice('10.66.2.1'), otherSlice]);
  const first = kernel.connect(fromPod(4000));
  const second = kernel.connect(fromPod(4000, { dst: '10.200.4.13' }));
  t.match(first.packet, { src: POD, srcPort: 4000 });
  t.match(second.packet, { src: POD, dst: '10.66.2.1' });
  t.not(second.packet.srcPort, 4000, 'the second cannot look like the first');
  t.match(second.reply().packet, { src: '10.200.4.13', dst: POD, dstPort: 4000 });
  t.match(first.reply().packet, { src: '10.200.4.10', dst: POD, dstPort: 4000 });
});

t.test('UDP flows', async t => {
  const dns = service('kube-system/dns', { clusterIP: '10.200.0.10', ports: [{ protocol: 'UDP', port: 53 }] });
  const dnsSlice = (...ips: string[]): EndpointSlice =>
    slice(
      'kube-system/dns',
      { protocol: 'UDP', port: 53 },
      ips.map(ip => ({ ip })),
    );
  let draw = 0;
  const { proxy, kernel, clock, sync } = cluster([dns], [dnsSlice('10.66.2.1', '10.66.2.2')], () => draw);
  const ask = (): Connection => kernel.connect(fromPod(4000, { proto: 'udp', dst: '10.200.0.10', dstPort: 53 }));
  t.equal(destinationOf(ask()), '10.66.2.1:53');
  draw = 0.9;
  t.equal(destinationOf(ask()), '10.66.2.1:53', 'a flow stays where it went');
  t.equal(ask().state, 'NEW', 'it is new until somebody answers');
  clock.step(31_000);
  const moved = ask();
  t.equal(destinationOf(moved), '10.66.2.2:53', 'after 30 s of silence it is chosen anew');
  moved.reply();
  clock.step(3000);
  t.equal(ask().state, 'ESTABLISHED');
  clock.step(100_000);
  t.equal(ask().state, 'ESTABLISHED', 'a stream lasts two minutes');

  proxy.onSliceUpdate(dnsSlice('10.66.2.1'));
  sync();
  t.same(kernel.conntrack(), [], 'a flow to an endpoint that is gone is forgotten');
  t.equal(destinationOf(ask()), '10.66.2.1:53');
  const keep: UdpServicePort = {
    destinations: [{ address: '10.200.0.10', port: 53 }],
    nodePort: 0,
    servingEndpoints: new Set(['10.66.2.1:53']),
  };
  t.equal(kernel.cleanupUdp([keep]), 0, 'others stay');
});

t.test('client IP affinity', async t => {
  const sticky = service('shop/web', {
    clusterIP: '10.200.4.10',
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
  });
  let draw = 0;
  const { proxy, kernel, clock, sync } = cluster([sticky], [webSlice('10.66.2.1', '10.66.2.2')], () => draw);
  let port = 4000;
  const reach = (src = POD, dryRun = false): string => destinationOf(kernel.connect(fromPod(port++, { src, dryRun })));
  t.equal(reach(POD, true), '10.66.2.1:8080', 'a dry run');
  draw = 0.9;
  t.equal(reach(), '10.66.2.2:8080', 'leaves no memory');
  draw = 0;
  t.equal(reach(), '10.66.2.2:8080', 'the client comes back to where it was');
  t.equal(reach('10.66.1.98'), '10.66.2.1:8080', 'another client is free');
  clock.step(59_000);
  t.equal(reach(), '10.66.2.2:8080', 'each connection renews it');
  clock.step(61_000);
  t.equal(reach(), '10.66.2.1:8080', 'after the timeout it is free');
  proxy.onSliceUpdate(webSlice('10.66.2.2'));
  sync();
  t.equal(reach(), '10.66.2.2:8080', 'an endpoint that is gone is forgotten');
  t.same(
    [...kernel.xtables.recent().keys()],
    [endpointChain('shop/web:http', 'tcp', '10.66.2.2:8080')],
    'with its list',
  );
  for (let i = 0; i < 150; i++) reach(`10.66.1.${i}`);
  t.equal([...kernel.xtables.recent().values()][0]?.size, 100, 'a list holds a hundred clients');
});

t.test('counters, and a dry run that leaves none', async t => {
  const { kernel } = cluster([web], [webSlice('10.66.2.1')]);
  const counters = (): string | undefined =>
    /\[(\d+:\d+)\] -A KUBE-SERVICES -d 10.200.4.10/.exec(printSave(kernel, { counters: true }))?.[1];
  const dry = kernel.connect(fromPod(4000, { dryRun: true }));
  t.equal(destinationOf(dry), '10.66.2.1:8080');
  t.match(dry.reply().packet, { src: '10.200.4.10', dst: POD }, 'with a whole answer');
  t.equal(counters(), '0:0');
  t.same(kernel.conntrack(), []);
  const connection = kernel.connect(fromPod(4000, { size: 52 }));
  connection.send(1500);
  t.equal(counters(), '1:52', 'the nat table sees first packets only');
  t.match(
    printSave(kernel, { table: 'nat' }),
    /^# Generated by iptables-save v1.8.9 \(nf_tables\) on Thu Jan {2}1 00:00:00 2026\n\*nat\n/,
  );
});

t.test('what belongs to no connection', async t => {
  const { kernel } = cluster([web], [webSlice('10.66.2.1')]);
  const stray = { protocol: 'tcp', src: '10.66.2.9', srcPort: 1, dst: POD, dstPort: 2, mark: 0, size: 60 } as const;
  for (const flags of ['synack', 'fin', 'rst'] as const) {
    t.match(kernel.evaluate({ ...stray, flags }, { hook: 'prerouting' }), { verdict: 'drop', state: 'INVALID' }, flags);
  }
  t.match(
    kernel.evaluate({ ...stray, flags: 'ack' }, { hook: 'prerouting' }),
    { verdict: 'accept', state: 'NEW' },
    'a lone ACK is picked up',
  );
  const { entry } = kernel.connect(fromPod(4000));
  const error = { protocol: 'icmp', src: '10.66.2.254', srcPort: 0, dst: POD, dstPort: 0, mark: 0, size: 90 } as const;
  const related = kernel.evaluate(
    { ...error, ...(entry === undefined ? {} : { embedded: entry.original }) },
    { hook: 'prerouting' },
  );
  t.match(related, { verdict: 'accept', state: 'RELATED' }, 'an ICMP error about a connection');
  const refused = cluster([web], []).kernel.connect(fromPod(4000));
  t.match(refused, { verdict: 'reject', rejectWith: 'icmp-port-unreachable', entry: undefined });
  t.throws(() => refused.reply(), { name: 'NetfilterError' });
  t.throws(() => kernel.connect(fromPod(1, { dst: 'web' })), {
    name: 'NetfilterError',
    message: '"web" is not an IP address',
  });
});
