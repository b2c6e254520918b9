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
  for (const [policy, set, masqueraded] of [
    ['Cluster', 'KUBE-EXTERNAL-IP', ['-j KUBE-MARK-MASQ']],
    ['Local', 'KUBE-EXTERNAL-IP-LOCAL', []],
  ] as const) {
    const { proxy } = start();
    proxy.onServiceUpdate(web('10.200.0.1', { externalIPs: ['192.0.2.50'], externalTrafficPolicy: policy }));
    const { xtables } = sync(proxy);
    const lines = xtables === undefined ? [] : printRestore(xtables).split('\n');
    const match = `--match-set ${set} dst,dst `;
    t.same(
      lines
        .filter(line => line.startsWith('-A KUBE-SERVICES ') && line.includes(match))
        .map(line => line.slice(line.indexOf(match) + match.length)),
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
  t.same(sync(proxy).addresses.add, ['10.200.0.1', '192.0.2.50']);
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
