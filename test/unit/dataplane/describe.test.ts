import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import type { ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import { describeKernel, describeSteps } from '../../../src/dataplane/tools/describe.js';
import { printIpsetSave } from '../../../src/dataplane/tools/ipset/print-save.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { printIpvsadmList } from '../../../src/dataplane/tools/ipvsadm/print-list.js';
import { printIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/print-save.js';
import { printNftJson } from '../../../src/dataplane/tools/nft/json/print-ruleset.js';
import { printNftList } from '../../../src/dataplane/tools/nft/print-list.js';
import { formatOf, isTextFormat, printRules, TEXT_FORMATS } from '../../../src/dataplane/tools/print-rules.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { hostRoutes } from '../../support/host-routes.js';

/** A node with a Service of one endpoint and affinity, which a client has used. */
function used(mode: ProxyMode): Kernel {
  const clock = new FakeClock();
  const proxy = createProxier({ ...exampleConfig({ config: {} }), mode, clock });
  proxy.onServiceUpdate(
    service('shop/web', {
      ...{ clusterIP: '10.200.4.10', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
      ...{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
    }),
  );
  proxy.onSliceUpdate(slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.1.10', node: 'worker-a' }]));
  const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes('192.168.50.11') });
  kernel.load(proxy.program());
  kernel.load(proxy.sync().program ?? proxy.program());
  kernel.connect({
    ...{ proto: 'tcp', src: '10.66.1.99', srcPort: 4000, dst: '10.200.4.10', dstPort: 80, hook: 'prerouting' },
  });
  return kernel;
}

const origin = { kind: 'Service', namespace: 'shop', name: 'web', port: 'http' };
const endpoint = { kind: 'EndpointSlice', namespace: 'shop', name: 'web-a', endpoint: '10.66.1.10:8080', port: 'http' };

t.test('iptables, as JSON', async t => {
  const { family, tables, nftables, ipvs, ipsets } = describeKernel(used('iptables'));
  t.same({ family, nftables, ipvs, ipsets }, { family: 'IPv4', nftables: [], ipvs: [], ipsets: [] });
  t.same(
    tables.map(({ table }) => table),
    ['mangle', 'filter', 'nat'],
    'a table that was never touched is none',
  );
  const nat = tables.at(-1);
  const chain = (name: string) => nat?.chains.find(one => one.name === name);
  t.match(chain('PREROUTING'), { policy: 'ACCEPT', packets: 0, rules: [{ number: 1, packets: 1, bytes: 60 }] });
  t.match(chain('POSTROUTING'), { policy: 'ACCEPT', packets: 1, bytes: 60 });
  const services = chain('KUBE-SERVICES');
  t.notOk(services !== undefined && 'policy' in services);
  t.match(services?.rules, [
    { number: 1, text: /^-A KUBE-SERVICES -d 10\.200\.4\.10\/32 -p tcp /, packets: 1, bytes: 60, origin },
    { number: 2, packets: 0, bytes: 0 },
  ]);
  t.same(services?.rules.length, 2);
  t.match(nat?.chains.find(({ name }) => name.startsWith('KUBE-SEP-'))?.rules.at(-1), {
    text: /-j DNAT --to-destination 10\.66\.1\.10:8080$/,
    origin: endpoint,
  });
  const one = describeKernel(used('iptables'), 'nat');
  t.same(
    one.tables.map(({ table }) => table),
    ['nat'],
  );
  t.same(one.tables, tables.slice(2));
});

t.test('nftables, as JSON', async t => {
  const { tables, nftables } = describeKernel(used('nftables'));
  t.same(tables, []);
  t.equal(nftables.length, 1);
  const [{ table, sets, chains } = {}] = nftables;
  t.equal(table, 'kube-proxy');
  const set = (name: string) => sets?.find(one => one.name.startsWith(name));
  t.match(set('cluster-ips'), { kind: 'set', elements: ['10.200.4.10'] });
  t.match(set('service-ips'), { kind: 'map', elements: [/^10\.200\.4\.10 \. tcp \. 80 : goto service-/] });
  t.same(set('affinity-')?.elements, ['10.66.1.99'], 'what packets have taught it');
  const chain = (name: string) => chains?.find(one => one.name.startsWith(name));
  t.match(chain('nat-prerouting'), { type: 'nat', hook: 'prerouting', priority: -100 });
  const own = chains?.find(({ name }) => name.startsWith('service-') && name.includes('/'));
  t.notOk(own !== undefined && 'hook' in own);
  t.match(own?.rules, [
    { number: 1, text: 'ip daddr 10.200.4.10 ip saddr != 10.66.0.0/16 jump mark-for-masquerade', origin },
    { number: 2 },
    { number: 3 },
  ]);
  t.match(chain('endpoint-')?.rules.at(-1), { text: /dnat to 10\.66\.1\.10:8080$/, origin: endpoint });
  t.same(describeKernel(used('nftables'), 'nat').nftables, [], 'none of them is a table of iptables');
});

t.test('IPVS and its sets, as JSON', async t => {
  const { ipvs, ipsets } = describeKernel(used('ipvs'));
  t.same(ipvs, [
    {
      ...{ protocol: 'tcp', address: '10.200.4.10', port: 80, scheduler: 'rr', persistentSeconds: 60 },
      realServers: [{ address: '10.66.1.10', port: 8080, weight: 1, activeConnections: 1, inactiveConnections: 0 }],
      origin,
    },
  ]);
  const set = (name: string) => ipsets.find(one => one.name === name);
  t.same(set('KUBE-CLUSTER-IP'), { name: 'KUBE-CLUSTER-IP', type: 'hash:ip,port', entries: ['10.200.4.10,tcp:80'] });
  t.same(set('KUBE-NODE-PORT-TCP')?.entries, []);
  t.equal(ipsets.length, 17);
  const { ipvs: none, ipsets: neither } = describeKernel(used('ipvs'), 'nat');
  t.same([none, neither], [[], []]);
});

t.test('whoever describes may rest behind every chain, set and server', async t => {
  for (const [mode, least] of [
    ['iptables', 10],
    ['nftables', 20],
    ['ipvs', 18],
  ] as const)
    t.ok([...describeSteps(used(mode))].length >= least, mode);
});

t.test('a kernel is printed as the tool of a format prints it', async t => {
  const printers: Readonly<Record<string, (kernel: Kernel) => string>> = {
    'iptables-save': printSave,
    nft: printNftList,
    'nft-json': printNftJson,
    'ipvsadm-save': printIpvsadmSave,
    'ipvsadm-list': printIpvsadmList,
    'ipset-save': printIpsetSave,
  };
  t.same([...TEXT_FORMATS].sort(), Object.keys(printers).sort());
  for (const mode of ['iptables', 'nftables', 'ipvs'] as const)
    for (const format of TEXT_FORMATS) t.equal(printRules(used(mode), format), printers[format]?.(used(mode)), format);
  const kernel = used('iptables');
  const options = { table: 'nat', counters: true } as const;
  t.equal(printRules(kernel, 'iptables-save', options), printSave(kernel, options));
  t.equal(TEXT_FORMATS.every(isTextFormat), true);
  for (const text of ['', 'json', 'toString']) t.equal(isTextFormat(text), false, text);
});

t.test('the format of a node is that of its mode’s tool', async t => {
  t.equal(formatOf(used('iptables')), 'iptables-save');
  t.equal(formatOf(used('nftables')), 'nft');
  t.equal(formatOf(used('ipvs')), 'ipvsadm-save');
});

t.test('a kernel tells how often something was loaded into it', async t => {
  const kernel = used('iptables');
  t.equal(kernel.loads, 2);
});
