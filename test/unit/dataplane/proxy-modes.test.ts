import t from 'tap';
import type { ServicePort } from '../../../src/dataplane/services/service-ports.js';
import { serviceChains } from '../../../src/dataplane/proxiers/nftables/names.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { Program } from '../../../src/dataplane/kernel/program.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { createProxier, type ProxyConfig } from '../../../src/dataplane/proxiers/index.js';
import { dealt, isProxyMode, PROXY_MODES, type ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { printNftList } from '../../../src/dataplane/tools/nft/print-list.js';
import { printTrace } from '../../../src/dataplane/tools/trace-text.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { Service } from '../../../src/machinery/types.js';
import { type EndpointRow, exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { hostRoutes } from '../../support/host-routes.js';

/* What all modes have to do alike, beside what packets show. */
const NODE = '192.168.50.11';

function start(mode: ProxyMode, config: Partial<ProxyConfig> = {}) {
  const clock = new FakeClock();
  const full: ProxyConfig = { ...exampleConfig({ config: {} }), mode, clock, ...config };
  const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(NODE) });
  const proxy = createProxier(full);
  const sync = (options: { full?: boolean } = {}): Program | undefined => {
    const { program } = proxy.sync(options);
    if (program !== undefined) kernel.load(program);
    return program;
  };
  return { clock, kernel, proxy, sync };
}

const DYING = { ready: false, serving: true, terminating: true };

const listed = (kernel: Kernel): string => printSave(kernel) + printNftList(kernel);

const web = (spec: Partial<NonNullable<Service['spec']>> = {}): Service =>
  service('shop/web', {
    clusterIP: '10.200.4.10',
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
    ...spec,
  });
const remote = slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.2.20', node: 'worker-b' }]);

t.test('the names of modes, and how they are dealt to nodes', async t => {
  t.same(PROXY_MODES.filter(isProxyMode), PROXY_MODES);
  for (const text of ['', 'ebpf', 'toString', 'IPVS']) t.equal(isProxyMode(text), false, text);
  t.same(
    [0, 1, 2, 3, 4].map(i => dealt(['ipvs', 'nftables'], i)),
    ['ipvs', 'nftables', 'ipvs', 'nftables', 'ipvs'],
  );
  t.equal(dealt([], 0), 'iptables', 'kube-proxy’s default');
});

for (const mode of PROXY_MODES)
  t.test(`when there is something to do in ${mode} mode`, async t => {
    const { proxy, sync } = start(mode);
    t.equal(proxy.pending, true, 'at the beginning');
    t.equal(sync()?.kind, mode === 'userspace' || mode === 'iptables' ? 'xtables' : mode);
    t.equal(proxy.pending, false);
    t.equal(sync(), undefined);
    proxy.onServiceUpdate(web());
    t.equal(proxy.pending, true, 'a Service');
    t.ok(sync());
    t.equal(proxy.pending, false);
    proxy.setServiceCidrs(['fd00:200::/112', '10.200.0.0/16']);
    t.equal(proxy.pending, mode === 'nftables', 'ranges of ClusterIPs, of which only one mode makes rules');
    t.equal(sync() !== undefined, mode === 'nftables');
    proxy.setServiceCidrs(['10.200.0.0/16']);
    t.equal(proxy.pending, false, 'those of the other family are no change');
    proxy.setNode({ 'topology.kubernetes.io/zone': 'z9' });
    t.equal(proxy.pending, mode !== 'userspace', 'the zone, which a relay does not look at');
    sync();
    t.equal(proxy.pending, false);
  });

for (const mode of ['iptables', 'ipvs', 'nftables'] as const)
  t.test(`the ranges of the node’s Pods, in ${mode} mode`, async t => {
    const { kernel, proxy, sync } = start(mode, { detectLocal: { kind: 'nodeCidr' } });
    proxy.onServiceUpdate(web());
    proxy.onSliceUpdate(remote);
    sync();
    t.notMatch(listed(kernel), '10.66.5.0/24');
    proxy.setNode({}, ['fd00:66::/64', '10.66.5.0/24']);
    t.equal(proxy.pending, true);
    const fresh = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(NODE) });
    fresh.load(proxy.program());
    t.equal(sync()?.full, true);
    t.equal(listed(fresh), listed(kernel), 'the program as a whole has them already');
    t.match(listed(kernel), mode === 'nftables' ? 'ip saddr != 10.66.5.0/24' : '! -s 10.66.5.0/24');
    t.equal(proxy.pending, false);
    proxy.setNode({}, ['10.66.5.0/24']);
    t.equal(proxy.pending, false, 'they are the same');
    proxy.setNode({}, ['10.66.6.0/24']);
    sync();
    t.notMatch(listed(kernel), '10.66.5.0/24', 'nothing of the old ones is left');
  });

for (const mode of ['iptables', 'ipvs', 'nftables'] as const)
  t.test(`the highest bit marks what is masqueraded, in ${mode} mode`, async t => {
    const { kernel, proxy, sync } = start(mode, { masqueradeBit: 31 });
    proxy.onServiceUpdate(web());
    proxy.onSliceUpdate(remote);
    sync();
    for (const text of mode === 'nftables'
      ? ['mark set meta mark | 0x80000000', 'mark & 0x80000000 == 0x00000000', 'mark set meta mark ^ 0x80000000']
      : ['--set-xmark 0x80000000/0x80000000', '! --mark 0x80000000/0x80000000', '--set-xmark 0x80000000/0x0'])
      t.match(listed(kernel), text);
    const { packet } = kernel.connect({
      ...{ proto: 'tcp', src: '198.51.100.7', srcPort: 4000, dst: '10.200.4.10', dstPort: 80, hook: 'prerouting' },
    });
    t.match(packet, { src: NODE, dst: '10.66.2.20', mark: 0 });
  });

t.test('chains of a proxy before this one go with a full sync, those in use and those of others stay', async t => {
  for (const [mode, old, foreign] of [
    ['iptables', 'KUBE-SVC-AAAAAAAAAAAAAAAA', 'KUBE-OTHER'],
    ['iptables', 'KUBE-SVL-AAAAAAAAAAAAAAAA', 'KUBE-SERVICES'],
    ['nftables', 'service-AAAAAAAA-ns/old/tcp/', 'services'],
  ] as const) {
    const loaded: string[] = [];
    const { clock, kernel, proxy, sync } = start(mode, { loadedChains: () => loaded });
    const chains = (): readonly string[] =>
      mode === 'iptables'
        ? (kernel.xtables.tables().find(({ table }) => table === 'nat')?.chains ?? []).map(({ name }) => name)
        : [...(kernel.nftables.tables()[0]?.chains.keys() ?? [])];
    proxy.onServiceUpdate(web());
    proxy.onSliceUpdate(remote);
    sync();
    const used = chains();
    t.ok(used.length > 5, `${used.length} chains`);
    loaded.push(...used, old, foreign);
    if (mode === 'iptables')
      kernel.xtables.change('nat', edit => [old, foreign].forEach(name => edit.ensureChain(name)));
    const full = sync({ full: true });
    if (mode === 'nftables') {
      t.ok(chains().includes(old), 'empty at first');
      clock.step(1_001);
      sync();
    }
    t.equal(full?.full, true);
    t.same([...chains()].sort(), [...new Set([...used, ...(mode === 'iptables' ? [foreign] : [])])].sort(), mode);
  }
});

t.test('a chain of nftables that is to go is no longer there after a full sync', async t => {
  const { clock, kernel, proxy, sync } = start('nftables');
  proxy.onServiceUpdate(web());
  proxy.onSliceUpdate(remote);
  sync();
  proxy.onServiceDelete(web());
  sync();
  sync({ full: true });
  clock.step(10_000);
  t.equal(sync(), undefined);
  t.notMatch(listed(kernel), 'shop/web');
});

for (const mode of PROXY_MODES)
  t.test(`the program as a whole is what the steps have made, in ${mode} mode`, async t => {
    const { kernel, proxy, sync } = start(mode);
    sync();
    proxy.onServiceUpdate(web());
    proxy.onSliceUpdate(remote);
    sync();
    const fresh = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(NODE) });
    const program = proxy.program();
    t.equal(program.full, true);
    fresh.load(program);
    t.equal(listed(fresh), listed(kernel));
  });

for (const mode of PROXY_MODES)
  t.test(`what cannot be served here is counted, in ${mode} mode`, async t => {
    const { proxy, sync } = start(mode);
    const local = { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' };
    const counted = (spec: object, slices = [remote]) => {
      proxy.onServiceUpdate(web(spec));
      for (const one of slices) proxy.onSliceUpdate(one);
      sync();
      return proxy.noLocalEndpoints();
    };
    t.same(counted({}, []), { external: 0, internal: 0 }, 'nobody has endpoints');
    t.same(counted({}), { external: 0, internal: 0 }, 'any endpoint does');
    t.same(counted({ internalTrafficPolicy: 'Local' }), { external: 0, internal: 1 });
    t.same(counted({ type: 'NodePort', externalTrafficPolicy: 'Local' }), { external: 1, internal: 0 });
    t.same(counted({ type: 'NodePort', ...local }), { external: 1, internal: 1 });
  });

t.test('a trace names the slice of the endpoint and the port', async t => {
  for (const mode of ['iptables', 'nftables'] as const)
    for (const name of ['http', '']) {
      const { kernel, proxy, sync } = start(mode);
      proxy.onServiceUpdate(web({ ports: [{ name, protocol: 'TCP', port: 80 }] }));
      proxy.onSliceUpdate(slice('shop/web', { name, port: 8080 }, [{ ip: '10.66.2.20' }]));
      sync();
      const { trace } = kernel.connect({
        ...{ proto: 'tcp', src: '10.66.1.99', srcPort: 1, dst: '10.200.4.10', dstPort: 80, hook: 'prerouting' },
      });
      t.match(
        trace.flatMap(({ origin }) => (origin?.kind === 'EndpointSlice' ? [origin] : [])).at(-1),
        {
          ...{ kind: 'EndpointSlice', namespace: 'shop', name: 'web-a', endpoint: '10.66.2.20:8080' },
          port: name === '' ? '80' : 'http',
        },
        `${mode}, ${name}`,
      );
      t.match(
        printTrace(trace, 'IPv4')
          .filter(({ origin }) => origin?.kind === 'EndpointSlice')
          .at(-1)?.rule,
        mode === 'iptables'
          ? /^-A KUBE-SEP-.* -j DNAT --to-destination 10\.66\.2\.20:8080$/
          : /dnat to 10\.66\.2\.20:8080$/,
      );
    }
});

const balancer = (over: object, ingress: readonly string[]): Service =>
  service(
    'shop/web',
    {
      ...{ type: 'LoadBalancer', clusterIP: '10.200.4.10', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
      ...{ loadBalancerSourceRanges: ['198.51.100.0/24'], ...over },
    },
    { loadBalancer: { ingress: ingress.map(ip => ({ ip })) } },
  );

t.test('source ranges make rules where there is an address to keep', async t => {
  const rows: readonly {
    name: string;
    made: Service;
    slices: (typeof remote)[];
    iptables: boolean;
    nftables: boolean;
  }[] = [
    { name: 'as usual', made: balancer({}, ['203.0.113.77']), slices: [remote], iptables: true, nftables: true },
    { name: 'no address', made: balancer({}, []), slices: [remote], iptables: false, nftables: false },
    {
      name: 'no ranges',
      made: balancer({ loadBalancerSourceRanges: [] }, ['203.0.113.77']),
      slices: [remote],
      iptables: false,
      nftables: false,
    },
    { name: 'no endpoints', made: balancer({}, ['203.0.113.77']), slices: [], iptables: false, nftables: true },
  ];
  for (const { name, made, slices, ...expect } of rows)
    for (const mode of ['iptables', 'nftables'] as const) {
      const { kernel, proxy, sync } = start(mode);
      proxy.onServiceUpdate(made);
      for (const one of slices) proxy.onSliceUpdate(one);
      sync();
      const text = listed(kernel);
      const chain = mode === 'iptables' ? /^:KUBE-FW-/m : /chain firewall-[A-Z2-7]{8}-shop/;
      const leads = mode === 'iptables' ? /^-A KUBE-PROXY-FIREWALL .* -j DROP$/m : / : goto firewall-/;
      t.equal(chain.test(text), expect[mode], `${mode}, ${name}: a chain`);
      t.equal(leads.test(text), expect[mode], `${mode}, ${name}: what leads there or drops the rest`);
    }
});

t.test('where node ports listen, at the end of KUBE-SERVICES', async t => {
  const text = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';
  const rows: readonly { name: string; config: Partial<ProxyConfig>; expect: readonly string[]; guarded: boolean }[] = [
    { name: 'everywhere', config: {}, expect: ['-m addrtype --dst-type LOCAL'], guarded: true },
    {
      name: 'everywhere but loopback',
      config: { localhostNodePorts: false },
      expect: ['! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL'],
      guarded: false,
    },
    {
      name: 'a range',
      config: { nodePortAddresses: ['192.168.50.0/24'] },
      expect: ['-d 192.168.50.11/32'],
      guarded: false,
    },
    {
      name: 'a range, and loopback',
      config: { nodePortAddresses: ['192.168.50.0/24', '127.0.0.0/8'] },
      expect: ['-d 192.168.50.11/32', '-d 127.0.0.1/32'],
      guarded: true,
    },
    {
      name: 'loopback, which is turned off',
      config: { nodePortAddresses: ['127.0.0.0/8'], localhostNodePorts: false },
      expect: [],
      guarded: false,
    },
    { name: 'nowhere', config: { nodePortAddresses: ['10.9.0.0/16'] }, expect: [], guarded: false },
  ];
  for (const { name, config, expect, guarded } of rows) {
    const { kernel, sync } = start('iptables', config);
    sync();
    const lines = printSave(kernel).split('\n');
    const plain = (line: string): string => line.replace(`${text} `, '').replace('-A KUBE-SERVICES ', '');
    t.same(
      lines.filter(line => line.endsWith(' -j KUBE-NODEPORTS') && line.includes(text)).map(plain),
      expect.map(match => `${match} -j KUBE-NODEPORTS`),
      name,
    );
    t.equal(
      lines.some(line => line.startsWith('-A KUBE-FIREWALL ')),
      guarded,
      `${name}: loopback is guarded`,
    );
    t.ok(
      lines.some(line => line.startsWith(':KUBE-FIREWALL ')),
      name,
    );
  }
});

t.test('nftables sets of clients come and go with affinity', async t => {
  const sticky = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } };
  const { kernel, proxy, sync } = start('nftables');
  const sets = (): string[] =>
    [...(kernel.nftables.tables()[0]?.sets.keys() ?? [])]
      .filter(name => name.startsWith('affinity-'))
      .map(name => name.slice(-13));
  const change = (spec: object, ...ips: string[]): string[] => {
    proxy.onServiceUpdate(web(spec));
    proxy.onSliceUpdate(
      slice(
        'shop/web',
        { name: 'http', port: 8080 },
        ips.map(ip => ({ ip })),
      ),
    );
    sync();
    return sets();
  };
  t.same(change({}, '10.66.2.1'), []);
  t.same(change(sticky, '10.66.2.1'), ['10.66.2.1/8080'.slice(-13)], 'affinity begins');
  t.same(change(sticky, '10.66.2.1', '10.66.2.2').length, 2, 'another endpoint');
  kernel.connect({
    ...{ proto: 'tcp', src: '10.66.1.99', srcPort: 1, dst: '10.200.4.10', dstPort: 80, hook: 'prerouting' },
  });
  const learned = () => [...(kernel.nftables.tables()[0]?.sets.values() ?? [])].flatMap(set => [...set.learned.keys()]);
  t.same(learned(), ['10.66.1.99']);
  t.same(change(sticky, '10.66.2.1', '10.66.2.3').length, 2, 'one of them is another');
  t.same(learned(), ['10.66.1.99'], 'the set that is kept knows its clients');
  t.same(change({}, '10.66.2.1'), [], 'affinity ends');
});

t.test('a long name is cut, and told by its hash', async t => {
  const service = (length: number) =>
    ({ namespace: 'n', name: 'x'.repeat(length), protocol: 'tcp', portName: '' }) as ServicePort;
  const suffix = (length: number): string => serviceChains(service(length)).cluster.slice('service-'.length);
  t.match(suffix(224), /^[A-Z2-7]{8}-n\/x{224}\/tcp\/$/);
  t.equal(suffix(224).length, 240, 'as long as it may be');
  t.match(suffix(225), /^[A-Z2-7]{8}-n\/x{225}\/\.\.\.$/);
  t.equal(suffix(225).length, 240);
  t.equal(suffix(400).length, 240);
  t.not(suffix(400), suffix(401));
});

t.test('a chain of nftables is deleted more than a second after it was emptied', async t => {
  const { clock, kernel, proxy, sync } = start('nftables');
  const isThere = (): boolean => listed(kernel).includes('shop/web');
  clock.step(5_000);
  proxy.onServiceUpdate(web());
  proxy.onSliceUpdate(remote);
  sync();
  proxy.onServiceDelete(web());
  sync();
  t.equal(isThere(), true);
  clock.step(1_000);
  t.equal(sync(), undefined);
  t.equal(isThere(), true, 'after one second');
  clock.step(1);
  sync();
  t.equal(isThere(), false);
});

t.test('UDP flows to an endpoint that serves no longer are forgotten, by whatever address they came', async t => {
  const dns = service(
    'shop/dns',
    {
      ...{ type: 'LoadBalancer', clusterIP: '10.200.0.10', externalIPs: ['192.0.2.50'] },
      ports: [{ name: 'dns', protocol: 'UDP', port: 53, nodePort: 30_053 }],
    },
    { loadBalancer: { ingress: [{ ip: '203.0.113.77' }] } },
  );
  const ends = (...rows: EndpointRow[]) => slice('shop/dns', { name: 'dns', protocol: 'UDP', port: 5353 }, rows);
  const one = { ip: '10.66.2.1' };
  const rows: readonly { name: string; after: EndpointRow[]; kept: boolean }[] = [
    { name: 'another takes its place', after: [{ ip: '10.66.2.2' }], kept: false },
    { name: 'another comes', after: [one, { ip: '10.66.2.2' }], kept: true },
    { name: 'it terminates and serves', after: [{ ...one, conditions: DYING }, { ip: '10.66.2.2' }], kept: true },
    {
      name: 'it is dead',
      after: [{ ...one, conditions: { ...DYING, serving: false } }, { ip: '10.66.2.2' }],
      kept: false,
    },
    { name: 'nobody is left', after: [], kept: true },
  ];
  for (const { name, after, kept } of rows) {
    const { kernel, proxy, sync } = start('iptables');
    proxy.onServiceUpdate(web());
    proxy.onSliceUpdate(remote);
    proxy.onServiceUpdate(dns);
    proxy.onSliceUpdate(ends(one));
    sync();
    const ask = (dst: string, dstPort: number, proto: 'udp' | 'tcp' = 'udp') =>
      kernel.connect({ proto, src: '198.51.100.7', srcPort: 4000, dst, dstPort, hook: 'prerouting' });
    ask('10.200.4.10', 80, 'tcp');
    for (const address of ['10.200.0.10', '192.0.2.50', '203.0.113.77']) ask(address, 53);
    ask(NODE, 30_053);
    t.equal(kernel.conntrack().length, 5, name);
    if (after.length === 0) proxy.onSliceDelete(ends(one));
    else proxy.onSliceUpdate(ends(...after));
    const { program, udpCleanup } = proxy.sync();
    if (program !== undefined) kernel.load(program);
    kernel.cleanupUdp(udpCleanup);
    t.same(
      kernel.conntrack().map(({ original: { protocol, dst } }) => `${protocol} ${dst}`),
      [
        'tcp 10.200.4.10',
        ...(kept ? ['10.200.0.10', '192.0.2.50', '203.0.113.77', NODE].map(dst => `udp ${dst}`) : []),
      ],
      name,
    );
  }
});
