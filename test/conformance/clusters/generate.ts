import type { DetectLocal } from '../../../src/dataplane/proxiers/detect-local.js';
import type { ProxierConfig } from '../../../src/dataplane/proxiers/types.js';
import type { Family } from '../../../src/machinery/ip.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { EndpointSlice, Service } from '../../../src/machinery/types.js';
import { type EndpointRow, service, slice } from '../../fixtures/iptables/inputs.js';
import { inFamily } from '../packets.js';
import { ENDPOINT_PORTS, ENDPOINTS, LOCAL_VIP, NODE_ADDRESSES, OTHER_NODE, SECOND, THIS_NODE } from './addresses.js';

/** Services with whatever a Service can have, and how the proxy of the node is configured. */
export interface RandomCluster {
  readonly seed: number;
  readonly family: Family;
  readonly config: Omit<ProxierConfig, 'clock'>;
  readonly zone: string;
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

export interface Dice {
  below(n: number): number;
  chance(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
}

export function createDice(seed: number): Dice {
  const { below } = seededRandom(seed);
  return {
    below,
    chance: percent => below(100) < percent,
    pick: <T>(list: readonly T[]): T => list[below(list.length)] as T,
  };
}

const some = <T>(dice: Dice, list: readonly T[], percent: number): T[] => list.filter(() => dice.chance(percent));

const DETECTS: readonly (DetectLocal | undefined)[] = [
  { kind: 'clusterCidr', cidrs: ['10.66.0.0/16'] },
  { kind: 'nodeCidr' },
  { kind: 'bridgeInterface', name: 'veth0' },
  { kind: 'interfaceNamePrefix', prefix: 'veth' },
  undefined,
];
const NODE_PORT_ADDRESSES = [['primary'], ['192.168.60.0/24'], ['0.0.0.0/0'], ['192.168.50.0/24', '10.66.1.0/24']];
const EXTERNAL_IPS = ['192.0.2.50', '192.0.2.51', SECOND];
const INGRESS = [LOCAL_VIP, '203.0.113.71', '203.0.113.72'];
const SOURCE_RANGES = ['198.51.100.0/24', '192.168.50.0/24', '10.66.1.0/24', '203.0.113.200/32', '10.66.0.0/16'];
const ZONES = ['z1', 'z2'];

/** Of an endpoint; those without conditions are ready. */
const CONDITIONS: readonly EndpointRow['conditions'][] = [
  undefined,
  { ready: true, serving: true, terminating: false },
  { ready: false, serving: false, terminating: false },
  { ready: false, serving: true, terminating: true },
  { ready: false, serving: false, terminating: true },
  // publishNotReadyAddresses
  { ready: true, serving: false, terminating: true },
];

interface Mood {
  readonly conditions: readonly EndpointRow['conditions'][];
  readonly zones: boolean;
  readonly nodes: boolean;
}

function anyEndpoints(dice: Dice): EndpointRow[] {
  // A Service whose endpoints are all of one kind is what terminating fallback and hints need.
  const mood: Mood = {
    conditions: dice.pick([[undefined], [undefined], CONDITIONS, CONDITIONS.slice(2), CONDITIONS.slice(3, 5)]),
    zones: dice.chance(30),
    nodes: dice.chance(20),
  };
  const row = (ip: string, node: string): EndpointRow => {
    const conditions = dice.pick(mood.conditions);
    return {
      ip,
      node,
      ...(conditions === undefined ? {} : { conditions }),
      ...(mood.zones && dice.chance(90) ? { zones: some(dice, ZONES, 60) } : {}),
      ...(mood.nodes && dice.chance(90) ? { nodes: some(dice, [THIS_NODE, OTHER_NODE], 60) } : {}),
    };
  };
  const [ofPods, ofNode] = [ENDPOINTS.local.slice(0, -1), ENDPOINTS.local.slice(-1)];
  const share = dice.pick([0, 50, 50, 100]);
  return [
    ...some(dice, ofPods, share).map(ip => row(ip, THIS_NODE)),
    ...some(dice, ofNode, share / 6).map(ip => row(ip, THIS_NODE)),
    ...some(dice, ENDPOINTS.remote, dice.pick([0, 40, 60])).map(ip => row(ip, OTHER_NODE)),
  ];
}

interface Port {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
  readonly nodePort?: number;
}

function anyPorts(dice: Dice, i: number, outside: boolean): Port[] {
  const one = (name: string, at: number): Port => ({
    name,
    protocol: dice.pick(['TCP', 'TCP', 'TCP', 'TCP', 'UDP', 'UDP', 'UDP', 'SCTP'] as const),
    port: dice.pick([80, 443, 53]) + at,
    ...(outside && dice.chance(90) ? { nodePort: 30_000 + 2 * i + at } : {}),
  });
  return dice.chance(60) ? [one('', 0)] : [one('a', 0), one('b', 1)];
}

function anyService(dice: Dice, i: number): Service {
  const type = dice.pick(['ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer'] as const);
  const balancer = type === 'LoadBalancer';
  const externalIPs = dice.chance(35) ? some(dice, EXTERNAL_IPS, 50) : [];
  const outside = type !== 'ClusterIP' || externalIPs.length > 0;
  const external = outside && dice.chance(50) ? 'Local' : 'Cluster';
  const affinity = dice.chance(25) ? { sessionAffinity: 'ClientIP' } : {};
  const spec = {
    type,
    clusterIP: `10.200.4.${10 + i}`,
    ports: anyPorts(dice, i, type !== 'ClusterIP'),
    ...(outside ? { externalTrafficPolicy: external } : {}),
    ...(balancer && external === 'Local' ? { healthCheckNodePort: 32_000 + i } : {}),
    ...(dice.chance(30) ? { internalTrafficPolicy: 'Local' } : {}),
    ...affinity,
    ...(externalIPs.length > 0 ? { externalIPs } : {}),
    ...(balancer && dice.chance(50) ? { loadBalancerSourceRanges: some(dice, SOURCE_RANGES, 40) } : {}),
  } as NonNullable<Service['spec']>;
  const ingress = some(dice, INGRESS, 50).map(ip => ({ ip, ...(dice.chance(15) ? { ipMode: 'Proxy' } : {}) }));
  return service(`ns/s${i}`, spec, balancer ? { loadBalancer: { ingress } } : undefined);
}

function slicesOf(dice: Dice, i: number, { spec }: Service): EndpointSlice[] {
  if (dice.chance(12)) return [];
  const endpoints = anyEndpoints(dice);
  return (spec?.ports ?? []).flatMap(({ name = '', protocol = 'TCP' }, at) => {
    const made = (rows: readonly EndpointRow[], suffix: string): EndpointSlice =>
      slice(`ns/s${i}`, { name, protocol, port: dice.pick(ENDPOINT_PORTS) }, rows, suffix);
    // Two slices of one port may say different things of one endpoint.
    const second = dice.chance(20) ? [made(anyEndpoints(dice), `${at}-b`)] : [];
    return [made(endpoints, `${at}-a`), ...second];
  });
}

/** The same for the same seed; in both families the same Services. */
export function randomCluster(seed: number, family: Family): RandomCluster {
  const dice = createDice(seed);
  const detectLocal = dice.pick(DETECTS);
  const config = {
    nodeName: THIS_NODE,
    nodeAddresses: NODE_ADDRESSES,
    ...(detectLocal === undefined ? {} : { detectLocal }),
    masqueradeAll: dice.chance(15),
    ...(dice.chance(10) ? { masqueradeBit: 20 } : {}),
    ...(dice.chance(40) ? { nodePortAddresses: dice.pick(NODE_PORT_ADDRESSES) } : {}),
    localhostNodePorts: !dice.chance(20),
    conntrackTCPLiberal: dice.chance(10),
  };
  const services = Array.from({ length: 2 + dice.below(4) }, (_, i) => anyService(dice, i));
  return inFamily(
    {
      seed,
      family,
      config: { ...config, family },
      zone: dice.pick(['', ...ZONES]),
      podCidrs: ['10.66.1.0/24'],
      serviceCidrs: dice.chance(60) ? ['10.200.0.0/16'] : [],
      services,
      slices: services.flatMap((one, i) => slicesOf(dice, i, one)),
    },
    family,
  );
}
