import { readFileSync } from 'node:fs';
import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { IpvsProgram, Program } from '../../../src/dataplane/kernel/program.js';
import { createProxier, type ProxyConfig } from '../../../src/dataplane/proxiers/index.js';
import { printRestore } from '../../../src/dataplane/tools/iptables/print-restore.js';
import type { Proxier } from '../../../src/dataplane/proxiers/types.js';
import { printIpsetSave } from '../../../src/dataplane/tools/ipset/print-save.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { printIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/print-save.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { ipvsExamples } from '../../fixtures/ipvs/inputs.js';
import { hostRoutes } from '../../support/host-routes.js';

const fixture = (name: string): string => readFileSync(`test/fixtures/ipvs/${name}`, 'utf8');

function ipvsProgram(program: Program | undefined): IpvsProgram {
  if (program?.kind !== 'ipvs') throw new Error(`the program is one of ${program?.kind ?? 'nothing'}`);
  return program;
}

function start(config: Partial<ProxyConfig> = {}) {
  const clock = new FakeClock(Date.parse('2026-11-22T13:43:30Z'));
  const full: ProxyConfig = { ...exampleConfig({ config: {} }), mode: 'ipvs', clock, ...config };
  const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(...full.nodeAddresses) });
  const proxy = createProxier(full);
  return { kernel, proxy };
}

const sync = (proxy: Proxier): IpvsProgram => ipvsProgram(proxy.sync().program);

/** Entries and sets, without what the hash begins with, in an order of their own. */
const entriesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter(line => /^(create|add) /.test(line))
    .map(line => line.replace(/ bucketsize .*/, ''))
    .sort();

for (const example of ipvsExamples)
  t.test(`worked example ${example.name}`, async t => {
    const { kernel, proxy } = start(example.config);
    example.services.forEach(one => proxy.onServiceUpdate(one));
    example.slices.forEach(one => proxy.onSliceUpdate(one));
    const program = sync(proxy);
    kernel.load(program);
    if (program.xtables === undefined) return void t.fail('a first program has rules');
    t.match(program.xtables, { kind: 'xtables', family: 'IPv4', full: true, ensureChains: [] });
    t.equal(printRestore(program.xtables), fixture(`${example.name}.restore`));
    t.same(entriesOf(printIpsetSave(kernel)), entriesOf(fixture(`${example.name}.ipset`)));
    t.equal(printIpvsadmSave(kernel), example.ipvsadm);
    // The text that the real tools listed has no jumps, and none of the rule that their kernel did not know.
    const listed = fixture(`${example.name}.saves`);
    const own = start(example.config).kernel;
    t.throws(() => restore(own, fixture(`${example.name}.restore`)), /Set KUBE-LOOP-BACK doesn't exist/);
    own.load({ ...program, virtualServers: [], xtables: undefined });
    const input = fixture(`${example.name}.restore`).replace(/^.* -m ipvs .*\n/m, '');
    restore(own, input, { noflush: true });
    t.equal(
      printSave(own),
      listed
        .slice(listed.indexOf('# Gen'), listed.lastIndexOf('# Completed'))
        .concat(listed.match(/# Completed.*\n/)?.[0] ?? ''),
    );
  });

const web = (clusterIP: string, over: object = {}) =>
  service('ns/web', { clusterIP, ports: [{ name: 'a', protocol: 'TCP', port: 80 }], ...over });
const ready = (...ips: string[]) =>
  slice(
    'ns/web',
    { name: 'a', port: 8080 },
    ips.map(ip => ({ ip })),
  );

t.test('only what changed is written', async t => {
  const { proxy } = start();
  proxy.onServiceUpdate(web('10.200.0.1'));
  proxy.onServiceUpdate(service('ns/other', { clusterIP: '10.200.0.2', ports: [{ protocol: 'TCP', port: 80 }] }));
  proxy.onSliceUpdate(ready('10.66.2.1'));
  t.equal(sync(proxy).full, true);
  t.equal(proxy.pending, false);
  proxy.onSliceUpdate(ready('10.66.2.1', '10.66.2.2'));
  const endpoint = sync(proxy);
  t.match(endpoint, { full: false, goneServers: [], ipsets: [], addresses: { add: [], remove: [] } });
  t.equal(endpoint.xtables, undefined);
  t.same(
    endpoint.virtualServers.map(({ address, realServers }) => [address, realServers.length]),
    [['10.200.0.1', 2]],
  );
  proxy.onServiceUpdate(web('10.200.0.1', { externalIPs: ['192.0.2.50'] }));
  const external = sync(proxy);
  t.same(external.addresses.add, ['192.0.2.50']);
  t.same(external.ipsets.map(({ name }) => name).sort(), ['KUBE-EXTERNAL-IP', 'KUBE-IPVS-IPS']);
  t.ok(external.xtables, 'a set that was empty has rules now');
  t.same(external.xtables?.jumps, [], 'the jumps are there');
  proxy.onServiceDelete(web('10.200.0.1'));
  const gone = sync(proxy);
  t.same(gone.addresses.remove, ['10.200.0.1', '192.0.2.50']);
  t.same(gone.goneServers.map(({ address }) => address).sort(), ['10.200.0.1', '192.0.2.50']);
  t.equal(proxy.sync().program, undefined);
});

t.test('external IPs are masqueraded, and left to IPVS by whoever asks', async t => {
  for (const [policy, set, about, masqueraded] of [
    ['Cluster', 'KUBE-EXTERNAL-IP', 'for masquerade and filter purpose', ['-j KUBE-MARK-MASQ']],
    ['Local', 'KUBE-EXTERNAL-IP-LOCAL', 'with externalTrafficPolicy=local', []],
  ] as const) {
    const { proxy } = start();
    proxy.onServiceUpdate(web('10.200.0.1', { externalIPs: ['192.0.2.50'], externalTrafficPolicy: policy }));
    const { xtables } = sync(proxy);
    const lines = xtables === undefined ? [] : printRestore(xtables).split('\n');
    const comment = `-m comment --comment "Kubernetes service external ip + port ${about}"`;
    const match = `-A KUBE-SERVICES ${comment} -m set --match-set ${set} dst,dst `;
    t.same(
      lines.filter(line => line.startsWith(match)).map(line => line.slice(match.length)),
      [
        ...masqueraded,
        '-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT',
        '-m addrtype --dst-type LOCAL -j ACCEPT',
      ],
      policy,
    );
  }
});

t.test('an address of the node is not bound once more', async t => {
  const { proxy } = start();
  proxy.onServiceUpdate(web('10.200.0.1', { externalIPs: ['192.168.50.11', '192.0.2.50'] }));
  t.same(sync(proxy).addresses, { link: 'kube-ipvs0', add: ['10.200.0.1', '192.0.2.50'], remove: [] });
});

t.test('two Services that want the same external address', async t => {
  const { kernel, proxy } = start();
  const wants = (name: string, clusterIP: string) =>
    service(`ns/${name}`, { clusterIP, externalIPs: ['192.0.2.50'], ports: [{ protocol: 'TCP', port: 80 }] });
  const load = (): string => {
    kernel.load(sync(proxy));
    return kernel.ipvs.virtualServers().find(s => s.definition.address === '192.0.2.50')?.definition.origin?.name ?? '';
  };
  proxy.onServiceUpdate(wants('b', '10.200.0.2'));
  t.equal(load(), 'b');
  proxy.onServiceUpdate(wants('a', '10.200.0.1'));
  t.equal(load(), 'a', 'the first by name');
  proxy.onServiceDelete(wants('a', '10.200.0.1'));
  t.equal(load(), 'b');
  t.ok(kernel.routes.isLocal('192.0.2.50'));
});

t.test('the scheduler, and the settings of the kernel', async t => {
  const { kernel, proxy } = start({ ipvsScheduler: 'mh', ipvsStrictArp: true });
  proxy.onServiceUpdate(web('10.200.0.1'));
  kernel.load(sync(proxy));
  t.match(printIpvsadmSave(kernel), /^-A -t 10\.200\.0\.1:80 -s mh -b mh-port$/m);
  t.match(kernel.ipvs.sysctls(), { 'net/ipv4/vs/conntrack': 1, 'net/ipv4/conf/all/arp_ignore': 1 });
});

t.test('names of sets in IPv6', async t => {
  const { proxy } = start({ family: 'IPv6', nodeAddresses: ['fd00::11'] });
  proxy.onServiceUpdate(web('fd00:200::1'));
  const names = sync(proxy).ipsets.map(({ name }) => name);
  t.ok(names.includes('KUBE-6-LOAD-BALANCER-SOURCE-CID'), 'cut to 31 characters');
  t.ok(names.every(name => name.startsWith('KUBE-6-') && name.length <= 31));
});

t.test('the jumps of a fresh host', async t => {
  const { kernel, proxy } = start();
  kernel.load(sync(proxy));
  t.same(
    printSave(kernel)
      .split('\n')
      .filter(line => /^-A [A-Z]+ /.test(line)),
    [
      '-A INPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-FILTER',
      '-A INPUT -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL',
      '-A INPUT -m comment --comment "kubernetes health check rules" -j KUBE-NODE-PORT',
      '-A FORWARD -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL',
      '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
      '-A OUTPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-OUT-FILTER',
      '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    ],
  );
});

const PORTS = [{ protocol: 'TCP', port: 9 }];

/** One Service of everything that a policy "Local" and source ranges put into sets. */
const outward = (protocol: string, over: object = {}) =>
  service(
    `ns/${protocol.toLowerCase()}`,
    {
      type: 'LoadBalancer',
      clusterIP: '10.200.0.3',
      externalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['192.168.50.0/24', '198.51.100.7/32'],
      ports: [{ protocol, port: 9, nodePort: 30_009 }],
      ...over,
    },
    { loadBalancer: { ingress: [{ ip: '203.0.113.77' }] } },
  );

t.test('rules of sets that no worked example fills', async t => {
  const rule = (protocol: string, set: string, sides: string, target: string, about: string): string =>
    `-A KUBE-NODE-PORT -p ${protocol} -m comment --comment "Kubernetes nodeport ${protocol.toUpperCase()} port ${about}" -m set --match-set ${set} ${sides} -j ${target}`;
  const local = 'with externalTrafficPolicy=local';
  const masquerade = 'for masquerade purpose';
  const hash = " with type 'hash ip:port'";
  const rows: readonly { protocol: string; expect: string[] }[] = [
    {
      protocol: 'UDP',
      expect: [
        rule('udp', 'KUBE-NODE-PORT-LOCAL-UDP', 'dst', 'RETURN', local),
        rule('udp', 'KUBE-NODE-PORT-UDP', 'dst', 'KUBE-MARK-MASQ', masquerade),
      ],
    },
    {
      protocol: 'SCTP',
      expect: [
        rule('sctp', 'KUBE-NODE-PORT-LOCAL-SCTP-HASH', 'dst,dst', 'RETURN', local + hash),
        rule('sctp', 'KUBE-NODE-PORT-SCTP-HASH', 'dst,dst', 'KUBE-MARK-MASQ', masquerade + hash),
      ],
    },
  ];
  for (const { protocol, expect } of rows) {
    const { proxy } = start();
    proxy.onServiceUpdate(outward(protocol));
    const { xtables } = sync(proxy);
    const lines = xtables === undefined ? [] : printRestore(xtables).split('\n');
    t.same(
      lines.filter(line => line.startsWith('-A KUBE-NODE-PORT -p ')),
      expect,
      protocol,
    );
    t.same(
      lines.filter(line => line.startsWith('-A KUBE-SOURCE-RANGES-FIREWALL ')),
      [
        '-A KUBE-SOURCE-RANGES-FIREWALL -m comment --comment "Kubernetes service load balancer ip + port + source cidr for packet filter purpose" -m set --match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src -j RETURN',
        '-A KUBE-SOURCE-RANGES-FIREWALL -m comment --comment "Kubernetes service load balancer ip + port + source IP for packet filter purpose" -m set --match-set KUBE-LOAD-BALANCER-SOURCE-IP dst,dst,src -j RETURN',
        '-A KUBE-SOURCE-RANGES-FIREWALL -j DROP',
      ],
      `${protocol}: ranges that the node is in`,
    );
    t.notOk(
      lines.some(line => line.startsWith('-A KUBE-IPVS-OUT-FILTER ')),
      `${protocol}: the node is not kept out`,
    );
  }
});

t.test('entries that a Service puts into sets', async t => {
  const added = (proxy: Proxier): string[] =>
    sync(proxy).ipsets.flatMap(({ name, add }) => add.map(entry => `${name.slice('KUBE-'.length)} ${entry}`));
  const rows: readonly { name: string; over: object; ends?: readonly object[]; expect: string[] }[] = [
    {
      name: 'a load balancer of policy Local, whose ranges have the node in them',
      over: { healthCheckNodePort: 32_100 },
      expect: [
        'CLUSTER-IP 10.200.0.3,tcp:9',
        'LOAD-BALANCER 203.0.113.77,tcp:9',
        'LOAD-BALANCER-FW 203.0.113.77,tcp:9',
        'LOAD-BALANCER-LOCAL 203.0.113.77,tcp:9',
        'LOAD-BALANCER-SOURCE-IP 203.0.113.77,tcp:9,203.0.113.77',
        'LOAD-BALANCER-SOURCE-CIDR 203.0.113.77,tcp:9,192.168.50.0/24',
        'LOAD-BALANCER-SOURCE-CIDR 203.0.113.77,tcp:9,198.51.100.7/32',
        'NODE-PORT-TCP 30009',
        'NODE-PORT-LOCAL-TCP 30009',
        'HEALTH-CHECK-NODE-PORT 32100',
        'IPVS-IPS 10.200.0.3',
        'IPVS-IPS 203.0.113.77',
      ],
    },
    {
      name: 'a load balancer of policy Cluster, whose ranges have it not',
      over: { externalTrafficPolicy: 'Cluster', loadBalancerSourceRanges: ['198.51.100.0/24'] },
      expect: [
        'CLUSTER-IP 10.200.0.3,tcp:9',
        'LOAD-BALANCER 203.0.113.77,tcp:9',
        'LOAD-BALANCER-FW 203.0.113.77,tcp:9',
        'LOAD-BALANCER-SOURCE-CIDR 203.0.113.77,tcp:9,198.51.100.0/24',
        'NODE-PORT-TCP 30009',
        'IPVS-IPS 10.200.0.3',
        'IPVS-IPS 203.0.113.77',
      ],
    },
    {
      name: 'external addresses, and endpoints of this node and another',
      over: { type: 'ClusterIP', externalTrafficPolicy: 'Cluster', externalIPs: ['192.0.2.50'], ports: PORTS },
      ends: [
        { ip: '10.66.1.10', node: 'worker-a' },
        { ip: '10.66.2.20', node: 'worker-b' },
      ],
      expect: [
        'LOOP-BACK 10.66.1.10,tcp:90,10.66.1.10',
        'CLUSTER-IP 10.200.0.3,tcp:9',
        'EXTERNAL-IP 192.0.2.50,tcp:9',
        'IPVS-IPS 10.200.0.3',
        'IPVS-IPS 192.0.2.50',
      ],
    },
  ];
  for (const { name, over, ends = [], expect } of rows) {
    const { proxy } = start();
    const status = 'type' in over ? { status: {} } : {};
    proxy.onServiceUpdate({ ...outward('TCP', over), ...status });
    if (ends.length > 0) proxy.onSliceUpdate(slice('ns/tcp', { port: 90 }, ends as never));
    t.same(added(proxy).sort(), [...expect].sort(), name);
  }
});

t.test('when there is something to do', async t => {
  const { proxy } = start();
  t.equal(proxy.pending, true, 'at the beginning');
  proxy.sync();
  t.equal(proxy.pending, false);
  proxy.setServiceCidrs(['10.200.0.0/16']);
  t.equal(proxy.pending, false, 'no rule is made of ranges of ClusterIPs');
  proxy.onServiceUpdate(web('10.200.0.1'));
  t.equal(proxy.pending, true, 'a Service');
  proxy.sync();
  t.equal(proxy.pending, false);
});

t.test('SCTP node ports, and nothing without an address for them', async t => {
  const { kernel, proxy } = start();
  proxy.onServiceUpdate(
    service('ns/s', {
      type: 'NodePort',
      clusterIP: '10.200.0.3',
      externalTrafficPolicy: 'Local',
      ports: [{ protocol: 'SCTP', port: 9, nodePort: 30_009 }],
    }),
  );
  kernel.load(sync(proxy));
  t.match(printIpsetSave(kernel), /^add KUBE-NODE-PORT-LOCAL-SCTP-HASH 192\.168\.50\.11,sctp:30009$/m);
  t.match(printIpvsadmSave(kernel), /^-A --sctp-service 192\.168\.50\.11:30009 -s rr$/m);
  t.match(printSave(kernel), /-p sctp .* --match-set KUBE-NODE-PORT-SCTP-HASH dst,dst -j KUBE-MARK-MASQ/);
});

t.test('which packets to ClusterIPs are masqueraded', async t => {
  const rows: readonly { name: string; config: Partial<ProxyConfig>; expect: string }[] = [
    { name: 'those of no local Pod', config: {}, expect: 'dst,dst ! -s 10.66.0.0/16' },
    { name: 'all', config: { masqueradeAll: true }, expect: 'dst,dst' },
    { name: 'the node’s own, where nothing tells', config: { detectLocal: undefined as never }, expect: 'src,dst' },
  ];
  for (const { name, config, expect } of rows) {
    const { proxy } = start(config);
    proxy.onServiceUpdate(web('10.200.0.1'));
    const { xtables } = sync(proxy);
    t.match(
      xtables === undefined ? '' : printRestore(xtables),
      `\n-A KUBE-SERVICES -m comment --comment "Kubernetes service cluster ip + port for masquerade purpose" -m set --match-set KUBE-CLUSTER-IP ${expect} -j KUBE-MARK-MASQ\n`,
      name,
    );
  }
});

t.test('what the node itself may not reach, while it is so', async t => {
  const { kernel, proxy } = start();
  const closed = (name: string, ip: string, ranges: string[]) =>
    service(
      `ns/${name}`,
      { type: 'LoadBalancer', clusterIP: '10.200.0.3', loadBalancerSourceRanges: ranges, ports: PORTS },
      { loadBalancer: { ingress: [{ ip }] } },
    );
  const drops = (): string[] => {
    kernel.load(sync(proxy));
    return printSave(kernel)
      .split('\n')
      .filter(line => line.startsWith('-A KUBE-IPVS-OUT-FILTER '));
  };
  const drop = (ip: string): string =>
    `-A KUBE-IPVS-OUT-FILTER -s ${ip}/32 -m ipvs --vproto 6 --vaddr ${ip} --vport 9 -j DROP`;
  const outside = ['198.51.100.0/24'];
  proxy.onServiceUpdate(closed('b', '203.0.113.2', outside));
  proxy.onServiceUpdate(closed('a', '203.0.113.1', outside));
  t.same(drops(), [drop('203.0.113.1'), drop('203.0.113.2')], 'by name');
  proxy.onServiceUpdate(closed('b', '203.0.113.3', outside));
  t.same(drops(), [drop('203.0.113.1'), drop('203.0.113.3')], 'another address');
  proxy.onServiceUpdate(closed('a', '203.0.113.1', ['198.51.100.0/24', '192.168.50.0/24']));
  t.same(drops(), [drop('203.0.113.3')], 'ranges with the node in them');
  proxy.onServiceDelete(closed('b', '203.0.113.3', []));
  t.same(drops(), [], 'it is gone');
});

t.test('a node port for which the node has no address, and a health check without node port', async t => {
  const own = (nodePort: object) => ({
    type: 'LoadBalancer',
    healthCheckNodePort: 32_100,
    ports: [{ ...PORTS[0], ...nodePort }],
  });
  for (const { name, spec, health } of [
    { name: 'a node port', spec: own({ nodePort: 30_009 }), health: [] },
    { name: 'none', spec: own({}), health: ['32100'] },
  ]) {
    const { proxy } = start({ nodePortAddresses: ['10.9.0.0/16'] });
    proxy.onServiceUpdate(outward('TCP', spec));
    const { ipsets, virtualServers } = sync(proxy);
    const entries = (set: string) => ipsets.find(one => one.name === set)?.add;
    t.same(entries('KUBE-HEALTH-CHECK-NODE-PORT'), health, name);
    t.same(entries('KUBE-NODE-PORT-TCP'), [], name);
    t.same(
      virtualServers.map(({ address }) => address),
      ['10.200.0.3', '203.0.113.77'],
      name,
    );
  }
});
