import t from 'tap';
import type { Service } from '../../src/machinery/types.js';
import { loopbackOf } from './clusters/addresses.js';
import { type RandomCluster, randomCluster } from './clusters/generate.js';
import { outcomeText, simulate, type SimulatedNode } from './clusters/predict.js';
import { type Probe, probesOf, probeText } from './clusters/probes.js';

/*
 * No kernel at hand has IPVS. So what it does with the packets of random clusters is held against iptables mode, which the
 * kernel proves: landing places, clients' addresses and refusals are the same, but for what docs/kube-proxy.md 4.3 lists.
 */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const CONNECTIONS = 24;

interface Part {
  readonly service: Service;
  readonly role: 'cluster IP' | 'external IP' | 'load balancer IP' | 'node port';
  /** Some port of the Service is meant, not only its address. */
  readonly isServed: boolean;
}

/** The Services that an address and port have to do with. */
function partsOf({ services }: RandomCluster, { to, port, protocol }: Probe): Part[] {
  return services.flatMap(service => {
    const { spec, status } = service;
    const ofProtocol = (spec?.ports ?? []).filter(one => one.protocol?.toLowerCase() === protocol);
    const isServed = ofProtocol.some(one => one.port === port);
    const vips = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode === undefined);
    return [
      ...(spec?.clusterIP === to ? [{ service, role: 'cluster IP', isServed } as const] : []),
      ...(spec?.externalIPs?.includes(to) === true ? [{ service, role: 'external IP', isServed } as const] : []),
      ...(vips.some(({ ip }) => ip === to) ? [{ service, role: 'load balancer IP', isServed } as const] : []),
      ...(ofProtocol.some(({ nodePort }) => nodePort === port)
        ? [{ service, role: 'node port', isServed: true } as const]
        : []),
    ];
  });
}

const isLocal = ({ service: { spec }, role }: Part): boolean =>
  (role === 'cluster IP' ? spec?.internalTrafficPolicy : spec?.externalTrafficPolicy) === 'Local';

/** How IPVS's outcome may differ, if at all. */
type Difference = 'none' | 'refused' | 'any server' | 'fewer servers' | 'source' | 'another Service' | 'firewall first';

function expectedDifference(cluster: RandomCluster, probe: Probe, iptables: readonly string[]): Difference {
  const parts = partsOf(cluster, probe);
  const served = parts.filter(part => part.isServed);
  const fromNode = probe.from === 'node';
  if (probe.to === loopbackOf(cluster.family)) return 'refused';
  if (served.length === 0) return parts.length > 0 && iptables.includes('timeout') ? 'refused' : 'none';
  // The first of two Services has the servers of their one address and port, but the sets hold what either says of clients.
  if (served.length > 1) return 'another Service';
  const hasRanges = served.some(({ service }) => service.spec?.loadBalancerSourceRanges !== undefined);
  if (hasRanges && iptables.includes('refused')) return 'firewall first';
  if (served.some(isLocal)) return iptables.includes('timeout') ? 'any server' : 'fewer servers';
  // All addresses are the node's, which refuses by itself what nobody is behind.
  if (iptables.includes('timeout') && fromNode) return 'refused';
  const usesClusterIP = served.some(({ role }) => role === 'cluster IP');
  return fromNode && usesClusterIP && cluster.config.detectLocal === undefined ? 'source' : 'none';
}

const serverOf = (text: string): string => text.split(' ')[0] ?? '';

const ALLOWED: Readonly<Record<Difference, (ipvs: readonly string[], iptables: readonly string[]) => boolean>> = {
  none: () => false,
  refused: ipvs => ipvs.join() === 'refused',
  'any server': ipvs => ipvs.every(text => text === 'refused' || text.includes(' sees ')),
  'fewer servers': (ipvs, iptables) => {
    const reached = new Set(iptables.map(serverOf));
    return ipvs.every(text => reached.has(serverOf(text)));
  },
  source: (ipvs, iptables) => ipvs.map(serverOf).join() === iptables.map(serverOf).join(),
  'another Service': () => true,
  'firewall first': ipvs => ipvs.join() === 'timeout',
};

/** What becomes of many connections, one after the other. */
function outcomes(node: SimulatedNode, probe: Probe): string[] {
  const seen = Array.from({ length: CONNECTIONS }, () => outcomeText(node.connect(probe, 0.5)));
  return [...new Set(seen)].sort();
}

for (const family of ['IPv4', 'IPv6'] as const)
  t.test(`what ipvs mode does with random clusters, ${family}`, async t => {
    let alike = 0;
    for (const seed of SEEDS) {
      const cluster = randomCluster(seed, family);
      const [iptables, ipvs] = [simulate(cluster, 'iptables'), simulate(cluster, 'ipvs')];
      const differences: string[] = [];
      for (const probe of probesOf(cluster)) {
        const possible = [...iptables.possible(probe).keys()].sort();
        const seen = outcomes(ipvs, probe);
        // A client with affinity meets one of the servers.
        const isSame = probe.sticky ? seen.every(text => possible.includes(text)) : seen.join() === possible.join();
        if (isSame) alike++;
        else if (!ALLOWED[expectedDifference(cluster, probe, possible)](seen, possible))
          differences.push(`${probeText(probe)}: ${seen.join(' or ')}, in iptables mode ${possible.join(' or ')}`);
      }
      t.equal(differences.join('\n'), '', `seed ${seed}`);
    }
    t.ok(alike > 1_000, `${alike} connections are the same in both modes`);
  });
