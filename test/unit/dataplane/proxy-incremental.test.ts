import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import { PROXY_MODES, type ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { printIpsetSave } from '../../../src/dataplane/tools/ipset/print-save.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { printIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/print-save.js';
import { printNftList } from '../../../src/dataplane/tools/nft/print-list.js';
import { nftTextDifferences } from '../../replay/proxy/nft-text.js';
import { saveTextDifferences } from '../../replay/proxy/save-text.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { EndpointSlice, Service } from '../../../src/machinery/types.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { hostRoutes } from '../../support/host-routes.js';

/*
 * Whatever happens to Services and slices, in whatever order and however many of them between two syncs: what was loaded
 * step by step is what a fresh proxy and a fresh kernel would have. A failure names its seed.
 */
const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1);
const STEPS = 60;
const NODES = ['worker-a', 'worker-b'] as const;
const ZONES = ['z1', 'z2', ''] as const;

function random(seed: number) {
  const { below } = seededRandom(seed);
  return {
    below,
    chance: (percent: number) => below(100) < percent,
    pick: <T>(list: readonly T[]): T => list[below(list.length)] as T,
  };
}
type Random = ReturnType<typeof random>;

function anyService(r: Random, i: number): Service {
  const type = r.pick(['ClusterIP', 'NodePort', 'LoadBalancer'] as const);
  const outside = type !== 'ClusterIP';
  const balancer = type === 'LoadBalancer';
  const local = outside && r.chance(40);
  const protocol = r.chance(70) ? 'TCP' : 'UDP';
  const ports = [
    { name: 'a', protocol, port: 80, ...(outside ? { nodePort: 30_000 + i } : {}) },
    ...(r.chance(30) ? [{ name: 'b', protocol: 'TCP', port: 81, ...(outside ? { nodePort: 31_000 + i } : {}) }] : []),
  ];
  const spec = {
    type,
    clusterIP: `10.200.0.${i + 1}`,
    ports,
    ...(local ? { externalTrafficPolicy: 'Local' } : {}),
    ...(local && balancer ? { healthCheckNodePort: 32_000 + i } : {}),
    ...(r.chance(20) ? { internalTrafficPolicy: 'Local' } : {}),
    ...(r.chance(20) ? { sessionAffinity: 'ClientIP' } : {}),
    ...(r.chance(15) ? { externalIPs: [`192.0.2.${i + 1}`] } : {}),
    ...(balancer && r.chance(40) ? { loadBalancerSourceRanges: ['198.51.100.0/24'] } : {}),
  } as NonNullable<Service['spec']>;
  const made = service(
    `ns/s${i}`,
    spec,
    balancer ? { loadBalancer: { ingress: [{ ip: `203.0.113.${i + 1}` }] } } : undefined,
  );
  const labels = { 'service.kubernetes.io/service-proxy-name': 'other' };
  return r.chance(8) ? { ...made, metadata: { ...made.metadata, labels } } : made;
}

function anySlice(r: Random, i: number, suffix: string): EndpointSlice {
  const endpoints = Array.from({ length: r.below(4) }, () => ({
    ip: `10.66.${1 + r.below(2)}.${1 + r.below(6)}`,
    node: r.pick(NODES),
    conditions: r.pick([
      { ready: true },
      { ready: false, serving: true, terminating: true },
      { ready: false, serving: false, terminating: true },
    ]),
    ...(r.chance(40) ? { zones: [r.pick(ZONES)] } : {}),
  }));
  const made = slice(
    `ns/s${i}`,
    { name: r.chance(80) ? 'a' : 'b', protocol: r.chance(70) ? 'TCP' : 'UDP', port: 8080 },
    endpoints,
    suffix,
  );
  // Now and then a slice goes over to another Service, and keeps its name.
  const owner = { 'kubernetes.io/service-name': `s${r.below(6)}` };
  return r.chance(10) ? { ...made, metadata: { ...made.metadata, labels: owner } } : made;
}

/** What of the two has lines of their own, in sets that have no order but that of their names. */
const lineDifferences = (a: string, b: string): string[] => (a === b ? [] : [`${a}\nis not\n${b}`]);

/** What two kernels have loaded differently, whatever the mode. */
const differences = (a: Kernel, b: Kernel): string[] => [
  ...saveTextDifferences(printSave(a), printSave(b)),
  ...nftTextDifferences(printNftList(a), printNftList(b)),
  ...lineDifferences(printIpsetSave(a), printIpsetSave(b)),
  ...lineDifferences(printIpvsadmSave(a), printIpvsadmSave(b)),
  ...lineDifferences(a.ipvs.addresses().toSorted().join(), b.ipvs.addresses().toSorted().join()),
];

/** Everything that a mode can write. */
const printAll = (kernel: Kernel): string =>
  [printSave(kernel), printNftList(kernel), printIpsetSave(kernel), printIpvsadmSave(kernel)].join('\n');

/** What each mode has written at least once. */
const WRITTEN: Readonly<Record<ProxyMode, RegExp>> = {
  iptables: /KUBE-SVL-.*KUBE-SEP-/s,
  nftables: /local-.*firewall-/s,
  userspace: /--state NEW.*KUBE-NODEPORT-CONTAINER.*REDIRECT.*KUBE-PORTALS-HOST.*DNAT/s,
  ipvs: /KUBE-LOAD-BALANCER-FW.*-a -t 203/s,
};

/** Longer than any mode waits before it deletes what nothing uses. */
const SETTLED_MS = 60_000;

function run(mode: ProxyMode, seed: number): { stepByStep: Kernel; fresh: Kernel } {
  const r = random(seed);
  const config = { ...exampleConfig({ config: {} }), mode };
  const clock = new FakeClock();
  const newKernel = () => createKernel({ clock, random: () => 0, routes: hostRoutes(...config.nodeAddresses) });
  const proxy = createProxier({ ...config, clock });
  const kernel = newKernel();
  const services = new Map<string, Service>();
  const slices = new Map<string, EndpointSlice>();
  let zone = '';
  const sync = (full: boolean): void => {
    const { program } = proxy.sync({ full });
    if (program !== undefined) kernel.load(program);
  };
  for (let step = 0; step < STEPS; step++) {
    const i = r.below(6);
    const suffix = r.pick(['a', 'b']);
    const [name, part] = [`s${i}`, `s${i}-${suffix}`];
    const [known, knownSlice] = [services.get(name), slices.get(part)];
    if (r.chance(3)) proxy.setNode({ 'topology.kubernetes.io/zone': (zone = r.pick(ZONES)) });
    else if (r.chance(35)) {
      const made = anyService(r, i);
      services.set(name, made);
      proxy.onServiceUpdate(made);
    } else if (r.chance(15) && known !== undefined) {
      services.delete(name);
      proxy.onServiceDelete(known);
    } else if (r.chance(20) && knownSlice !== undefined) {
      slices.delete(part);
      proxy.onSliceDelete(knownSlice);
    } else {
      const made = anySlice(r, i, suffix);
      slices.set(part, made);
      proxy.onSliceUpdate(made);
    }
    if (r.chance(50)) sync(r.chance(10));
  }
  sync(false);
  clock.step(SETTLED_MS);
  sync(false);
  const other = createProxier({ ...config, clock });
  other.setNode(zone === '' ? {} : { 'topology.kubernetes.io/zone': zone });
  for (const one of services.values()) other.onServiceUpdate(one);
  for (const one of slices.values()) other.onSliceUpdate(one);
  const fresh = newKernel();
  const { program } = other.sync();
  if (program !== undefined) fresh.load(program);
  return { stepByStep: kernel, fresh };
}

for (const mode of PROXY_MODES)
  t.test(`incremental equals full after random changes, ${mode}`, async t => {
    let longest = '';
    for (const seed of SEEDS) {
      const { stepByStep, fresh } = run(mode, seed);
      t.same(differences(fresh, stepByStep), [], `seed ${seed}`);
      const text = printAll(fresh);
      if (text.length > longest.length) longest = text;
    }
    t.match(longest, WRITTEN[mode], 'there was something to compare');
  });

/** So many that iptables' rules lose their comments and get them back. */
const MANY = 1_010;

/** Some come, some go, some are about to go, in a Service that has more than a thousand. */
function runLarge(mode: ProxyMode, affinity: boolean): { stepByStep: Kernel; fresh: Kernel } {
  const r = random(MANY);
  const config = { ...exampleConfig({ config: {} }), mode };
  const clock = new FakeClock();
  const newKernel = () => createKernel({ clock, random: () => 0, routes: hostRoutes(...config.nodeAddresses) });
  const proxy = createProxier({ ...config, clock });
  const kernel = newKernel();
  const sync = (): void => {
    const { program } = proxy.sync();
    if (program !== undefined) kernel.load(program);
  };
  const large = service('ns/large', {
    clusterIP: '10.200.0.1',
    ports: [{ protocol: 'TCP', port: 80 }],
    ...(affinity ? { sessionAffinity: 'ClientIP' } : {}),
  });
  let endpoints = Array.from({ length: MANY }, (_, i) => ({ ip: `10.66.${i >> 8}.${i & 255}`, node: r.pick(NODES) }));
  const half = MANY / 2;
  const parts = () => [endpoints.slice(0, half), endpoints.slice(half)] as const;
  const sliceOf = (i: 0 | 1) => slice('ns/large', { port: 8080 }, parts()[i], String(i));
  proxy.onServiceUpdate(large);
  for (const i of [0, 1] as const) proxy.onSliceUpdate(sliceOf(i));
  sync();
  for (let step = 0; step < 20; step++) {
    const at = r.below(endpoints.length);
    const one = { ip: `10.67.${step}.1`, node: r.pick(NODES) };
    if (r.chance(60)) endpoints = endpoints.toSpliced(at, 1 + r.below(3));
    else endpoints = endpoints.toSpliced(at, r.below(2), one);
    for (const i of [0, 1] as const) proxy.onSliceUpdate(sliceOf(i));
    sync();
    // Chains that a packet came to have counters, and begin anew when they are written.
    const from = { src: '10.66.0.1', srcPort: 40_000 + step } as const;
    if (mode === 'iptables')
      kernel.connect({ ...from, dst: '10.200.0.1', dstPort: 80, proto: 'tcp', hook: 'prerouting' });
  }
  clock.step(SETTLED_MS);
  proxy.onServiceUpdate({ ...large, spec: { ...large.spec, externalIPs: ['192.0.2.1'] } });
  sync();
  const other = createProxier({ ...config, clock });
  other.onServiceUpdate({ ...large, spec: { ...large.spec, externalIPs: ['192.0.2.1'] } });
  for (const i of [0, 1] as const) other.onSliceUpdate(sliceOf(i));
  const fresh = newKernel();
  const { program } = other.sync();
  if (program !== undefined) fresh.load(program);
  return { stepByStep: kernel, fresh };
}

for (const mode of PROXY_MODES)
  for (const affinity of [false, true])
    t.test(`incremental equals full in a large Service, ${mode}${affinity ? ', with affinity' : ''}`, async t => {
      const { stepByStep, fresh } = runLarge(mode, affinity);
      t.same(differences(fresh, stepByStep), []);
    });
