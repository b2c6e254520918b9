import type { EndpointSlice, Service } from '../../src/machinery/types.js';
import type { Protocol } from '../../src/dataplane/packet.js';
import type { ProxyConfig } from '../../src/dataplane/proxiers/index.js';
import { PROXY_MODES, type ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import { canonicalIP, type Family } from '../../src/machinery/ip.js';
import { service, slice } from '../fixtures/iptables/inputs.js';

/** What must happen to the first packet of a connection, whatever the proxy mode. */
export interface PacketRow {
  readonly name: string;
  /** Modes in which upstream behaves differently are left out. */
  readonly modes: readonly ProxyMode[];
  /** A row is written in IPv4; `inFamily` says how it reads in the other. */
  readonly families: readonly Family[];
  readonly config?: Partial<ProxyConfig>;
  readonly nodeLabels?: Readonly<Record<string, string>>;
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly packet: {
    readonly proto?: Protocol;
    readonly from: string;
    readonly to: readonly [address: string, port: number];
    /** Default: 'output' when it comes from the node's address, else 'prerouting'. */
    readonly hook?: 'prerouting' | 'output';
  };
  readonly expect:
    | { readonly verdict: 'drop' | 'reject' }
    /** The proxy accepts the connection, and has nobody to give it to. */
    | { readonly verdict: 'close' }
    /** All destinations that a hundred connections reach. */
    | { readonly verdict: 'accept'; readonly reaches: readonly string[]; readonly masquerade: boolean };
}

export const NODE = '192.168.50.11';
export const LOCAL_POD = '10.66.1.99';
const OUTSIDE = '198.51.100.7';
const HERE = 'worker-a';
const THERE = 'worker-b';

const web = (spec: Partial<NonNullable<Service['spec']>>, status?: Service['status']): Service =>
  service(
    'shop/web',
    {
      clusterIP: '10.200.4.10',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, ...(spec.type === undefined ? {} : { nodePort: 30080 }) }],
      ...spec,
    },
    status,
  );
const balancer = { loadBalancer: { ingress: [{ ip: '203.0.113.77' }] } };
const both = [
  slice('shop/web', { name: 'http', port: 8080 }, [
    { ip: '10.66.1.10', node: HERE },
    { ip: '10.66.2.20', node: THERE },
  ]),
];
const remoteOnly = [slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.2.20', node: THERE }])];
const localOnly = [slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.1.10', node: HERE }])];
const LOCAL_EP = '10.66.1.10:8080';
const REMOTE_EP = '10.66.2.20:8080';
const reaches = (masquerade: boolean, ...ends: string[]): PacketRow['expect'] => ({
  verdict: 'accept',
  reaches: ends,
  masquerade,
});
const terminating = { ready: false, serving: true, terminating: true };
const dead = { ready: false, serving: false, terminating: true };

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const EVERYWHERE = { modes: PROXY_MODES, families: FAMILIES };
/** Where rules choose the endpoint. A relay takes every connection itself, is every client, and looks at no policy. */
const BY_RULES = { modes: PROXY_MODES.filter(mode => mode !== 'userspace'), families: FAMILIES };
const BY_RELAY = { modes: ['userspace'] as const, families: FAMILIES };
/** In iptables mode node ports listen on 127.0.0.0/8, which is a range; "::1" is one address, and they do not; nor in nftables mode. */
const IPV4_ONLY = { modes: ['iptables'] as const, families: ['IPv4'] as const };
/** nftables mode refuses what a known ClusterIP has no port for, and drops what no Service has. In ipvs mode a ClusterIP is an address of the node. */
const UNTOUCHED = { modes: ['iptables', 'userspace'] as const, families: FAMILIES };
/** nftables mode drops what goes to a ClusterIP that no Service has. */
const NO_SERVICE = { modes: ['iptables', 'ipvs', 'userspace'] as const, families: FAMILIES };
/** A "Local" policy is another thing in ipvs mode: a virtual server has the endpoints of its node, or else all, whoever asks. */
const NOT_IPVS = { modes: BY_RULES.modes.filter(mode => mode !== 'ipvs'), families: FAMILIES };
const IPVS = { modes: ['ipvs'] as const, families: FAMILIES };

/** What is another thing where a process of the node relays. */
const relayRows: readonly Omit<PacketRow, 'modes' | 'families'>[] = [
  {
    name: 'a Pod reaches all endpoints, and they see the node',
    services: [web({})],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'without a way to tell local traffic it is the same',
    config: { detectLocal: undefined as never },
    services: [web({})],
    slices: both,
    packet: { from: OUTSIDE, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  ...[LOCAL_POD, NODE].map(from => ({
    name: `a ClusterIP without endpoints, from ${from}: accepted and closed`,
    services: [web({})],
    slices: [],
    packet: { from, to: ['10.200.4.10', 80] as const },
    expect: { verdict: 'close' as const },
  })),
  {
    name: 'a node port without endpoints: accepted and closed',
    services: [web({ type: 'NodePort' })],
    slices: [],
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: { verdict: 'close' },
  },
  {
    name: 'an external IP without endpoints: accepted and closed',
    services: [web({ externalIPs: ['192.0.2.50'] })],
    slices: [],
    packet: { from: OUTSIDE, to: ['192.0.2.50', 80] },
    expect: { verdict: 'close' },
  },
  {
    name: 'the node itself does not use an external IP that is not its own',
    services: [web({ externalIPs: ['192.0.2.50'] })],
    slices: both,
    packet: { from: NODE, to: ['192.0.2.50', 80] },
    expect: reaches(false, '192.0.2.50:80'),
  },
  ...[LOCAL_POD, OUTSIDE, NODE].map(from => ({
    name: `an external IP that is the node’s own, from ${from}`,
    services: [web({ externalIPs: [NODE] })],
    slices: both,
    packet: { from, to: [NODE, 80] as const },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  })),
  {
    name: 'internal policy Local is not looked at',
    services: [web({ internalTrafficPolicy: 'Local' })],
    slices: remoteOnly,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(true, REMOTE_EP),
  },
  {
    name: 'external policy Local is not looked at, and hides the client as well',
    services: [web({ type: 'NodePort', externalTrafficPolicy: 'Local' })],
    slices: both,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  ...[LOCAL_POD, NODE].map(from => ({
    name: `a load balancer IP, from ${from}`,
    services: [web({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, balancer)],
    slices: both,
    packet: { from, to: ['203.0.113.77', 80] as const },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  })),
  {
    name: 'source ranges keep nobody out',
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['198.51.100.0/24'] }, balancer)],
    slices: both,
    packet: { from: '192.0.2.1', to: ['203.0.113.77', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'node ports answer at every address of the node, whatever is set',
    config: { nodePortAddresses: ['10.1.0.0/16'] },
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  ...[NODE, LOCAL_POD].map(from => ({
    name: `a node port, from ${from}`,
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from, to: [NODE, 30080] as const },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  })),
  {
    name: 'endpoints that terminate are not used, though they still serve',
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [{ ip: '10.66.1.10', node: HERE, conditions: terminating }]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: { verdict: 'close' },
  },
  {
    name: 'zone hints are not looked at',
    nodeLabels: { 'topology.kubernetes.io/zone': 'z1' },
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, zones: ['z1'] },
        { ip: '10.66.2.20', node: THERE, zones: ['z2'] },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'with affinity a client has one endpoint',
    services: [web({ sessionAffinity: 'ClientIP' })],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP),
  },
  {
    name: 'UDP is relayed as well',
    services: [service('kube-system/dns', { clusterIP: '10.200.0.10', ports: [{ protocol: 'UDP', port: 53 }] })],
    slices: [slice('kube-system/dns', { protocol: 'UDP', port: 5353 }, [{ ip: '10.66.2.53', node: THERE }])],
    packet: { proto: 'udp', from: LOCAL_POD, to: ['10.200.0.10', 53] },
    expect: reaches(true, '10.66.2.53:5353'),
  },
  {
    name: 'SCTP is not: the packet goes on as it is',
    services: [web({ ports: [{ name: 'http', protocol: 'SCTP', port: 80 }] })],
    slices: [],
    packet: { proto: 'sctp', from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, '10.200.4.10:80'),
  },
];

export const packetRows: readonly PacketRow[] = [
  ...relayRows.map((row): PacketRow => ({ ...row, ...BY_RELAY })),
  {
    name: 'a Pod reaches all endpoints of a ClusterIP and keeps its address',
    ...BY_RULES,
    services: [web({})],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'the node itself is masqueraded',
    ...EVERYWHERE,
    services: [web({})],
    slices: both,
    packet: { from: NODE, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'a stranger that routes to a ClusterIP is masqueraded',
    ...EVERYWHERE,
    services: [web({})],
    slices: both,
    packet: { from: OUTSIDE, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'masqueradeAll masquerades Pods too',
    ...EVERYWHERE,
    config: { masqueradeAll: true },
    services: [web({})],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'without a way to tell local traffic nothing is masqueraded',
    ...BY_RULES,
    config: { detectLocal: undefined as never },
    services: [web({})],
    slices: both,
    packet: { from: OUTSIDE, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'hairpin: a Pod that reaches itself sees the node as its client',
    ...EVERYWHERE,
    services: [web({})],
    slices: localOnly,
    packet: { from: '10.66.1.10', to: ['10.200.4.10', 80] },
    expect: reaches(true, LOCAL_EP),
  },
  {
    name: 'another port of the ClusterIP is nobody’s business',
    ...UNTOUCHED,
    services: [web({})],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 81] },
    expect: reaches(false, '10.200.4.10:81'),
  },
  {
    name: 'another protocol on the same port is left alone',
    ...UNTOUCHED,
    services: [web({})],
    slices: both,
    packet: { proto: 'udp', from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, '10.200.4.10:80'),
  },
  {
    name: 'ClusterIP without endpoints: refused at once',
    ...BY_RULES,
    services: [web({})],
    slices: [],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'ClusterIP without endpoints, from the node',
    ...BY_RULES,
    services: [web({})],
    slices: [],
    packet: { from: NODE, to: ['10.200.4.10', 80] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'node port without endpoints',
    ...BY_RULES,
    services: [web({ type: 'NodePort' })],
    slices: [],
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'external IP without endpoints',
    ...BY_RULES,
    services: [web({ externalIPs: ['192.0.2.50'] })],
    slices: [],
    packet: { from: OUTSIDE, to: ['192.0.2.50', 80] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'internal policy Local: only the endpoint of this node',
    ...BY_RULES,
    services: [web({ internalTrafficPolicy: 'Local' })],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP),
  },
  {
    name: 'internal policy Local without local endpoint: dropped',
    ...NOT_IPVS,
    services: [web({ internalTrafficPolicy: 'Local' })],
    slices: remoteOnly,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: { verdict: 'drop' },
  },
  {
    name: 'node port from outside: any endpoint, masqueraded',
    ...EVERYWHERE,
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'node port through loopback',
    ...IPV4_ONLY,
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: '127.0.0.1', to: ['127.0.0.1', 30080], hook: 'output' },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'no node port on loopback when it is turned off',
    ...IPV4_ONLY,
    config: { localhostNodePorts: false },
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: '127.0.0.1', to: ['127.0.0.1', 30080], hook: 'output' },
    expect: reaches(false, '127.0.0.1:30080'),
  },
  {
    name: 'no node port on loopback in ipvs mode, whatever is set',
    modes: ['ipvs'],
    families: ['IPv4'],
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: '127.0.0.1', to: ['127.0.0.1', 30080], hook: 'output' },
    expect: reaches(false, '127.0.0.1:30080'),
  },
  {
    name: 'a stranger cannot send to loopback',
    ...IPV4_ONLY,
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: OUTSIDE, to: ['127.0.0.1', 10250] },
    expect: { verdict: 'drop' },
  },
  {
    name: 'nodePortAddresses leaves the other addresses alone',
    ...BY_RULES,
    config: { nodePortAddresses: ['10.1.0.0/16'] },
    services: [web({ type: 'NodePort' })],
    slices: both,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: reaches(false, `${NODE}:30080`),
  },
  {
    name: 'external policy Local from outside: the local endpoint sees the client',
    ...BY_RULES,
    services: [web({ type: 'NodePort', externalTrafficPolicy: 'Local' })],
    slices: both,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: reaches(false, LOCAL_EP),
  },
  {
    name: 'external policy Local without local endpoint: dropped',
    ...NOT_IPVS,
    services: [web({ type: 'NodePort', externalTrafficPolicy: 'Local' })],
    slices: remoteOnly,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: { verdict: 'drop' },
  },
  {
    name: 'external policy Local, from a Pod to a load balancer IP: treated as inside',
    ...NOT_IPVS,
    services: [web({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, balancer)],
    slices: both,
    packet: { from: LOCAL_POD, to: ['203.0.113.77', 80] },
    expect: reaches(false, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'external policy Local, from the node to a load balancer IP: inside, but masqueraded',
    ...NOT_IPVS,
    services: [web({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, balancer)],
    slices: both,
    packet: { from: NODE, to: ['203.0.113.77', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'load balancer IP from outside',
    ...EVERYWHERE,
    services: [web({ type: 'LoadBalancer' }, balancer)],
    slices: both,
    packet: { from: OUTSIDE, to: ['203.0.113.77', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'ipMode Proxy: the load balancer handles its IP itself',
    ...EVERYWHERE,
    services: [web({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ ip: '203.0.113.77', ipMode: 'Proxy' }] } })],
    slices: both,
    packet: { from: LOCAL_POD, to: ['203.0.113.77', 80] },
    expect: reaches(false, '203.0.113.77:80'),
  },
  {
    name: 'source ranges let a member in',
    ...EVERYWHERE,
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['198.51.100.0/24'] }, balancer)],
    slices: both,
    packet: { from: OUTSIDE, to: ['203.0.113.77', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'source ranges drop everyone else',
    ...BY_RULES,
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['198.51.100.0/24'] }, balancer)],
    slices: both,
    packet: { from: '192.0.2.1', to: ['203.0.113.77', 80] },
    expect: { verdict: 'drop' },
  },
  {
    name: 'node ports have no source ranges',
    ...EVERYWHERE,
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['198.51.100.0/24'] }, balancer)],
    slices: both,
    packet: { from: '192.0.2.1', to: [NODE, 30080] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'external IP',
    ...EVERYWHERE,
    services: [web({ externalIPs: ['192.0.2.50'] })],
    slices: both,
    packet: { from: OUTSIDE, to: ['192.0.2.50', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'with nothing ready, terminating endpoints that still serve are used',
    ...BY_RULES,
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, conditions: terminating },
        { ip: '10.66.2.20', node: THERE, conditions: dead },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP),
  },
  {
    name: 'with one ready, terminating endpoints are not used',
    ...BY_RULES,
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, conditions: terminating },
        { ip: '10.66.2.20', node: THERE },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, REMOTE_EP),
  },
  {
    name: 'zone hints keep traffic in the zone',
    ...BY_RULES,
    nodeLabels: { 'topology.kubernetes.io/zone': 'z1' },
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, zones: ['z1'] },
        { ip: '10.66.2.20', node: THERE, zones: ['z2'] },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP),
  },
  {
    name: 'hints for other zones only are ignored',
    ...BY_RULES,
    nodeLabels: { 'topology.kubernetes.io/zone': 'z3' },
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, zones: ['z1'] },
        { ip: '10.66.2.20', node: THERE, zones: ['z2'] },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'one endpoint without hints turns them all off',
    ...BY_RULES,
    nodeLabels: { 'topology.kubernetes.io/zone': 'z1' },
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, zones: ['z1'] },
        { ip: '10.66.2.20', node: THERE },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP, REMOTE_EP),
  },
  {
    name: 'node hints beat zone hints',
    ...BY_RULES,
    nodeLabels: { 'topology.kubernetes.io/zone': 'z2' },
    services: [web({})],
    slices: [
      slice('shop/web', { name: 'http', port: 8080 }, [
        { ip: '10.66.1.10', node: HERE, zones: ['z1'], nodes: [HERE] },
        { ip: '10.66.2.20', node: THERE, zones: ['z2'], nodes: [THERE] },
      ]),
    ],
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, LOCAL_EP),
  },
  {
    name: 'UDP',
    ...BY_RULES,
    services: [service('kube-system/dns', { clusterIP: '10.200.0.10', ports: [{ protocol: 'UDP', port: 53 }] })],
    slices: [slice('kube-system/dns', { protocol: 'UDP', port: 5353 }, [{ ip: '10.66.2.53', node: THERE }])],
    packet: { proto: 'udp', from: LOCAL_POD, to: ['10.200.0.10', 53] },
    expect: reaches(false, '10.66.2.53:5353'),
  },
  {
    name: 'a Service that another proxy handles is skipped',
    ...NO_SERVICE,
    services: [
      {
        ...web({}),
        metadata: { namespace: 'shop', name: 'web', labels: { 'service.kubernetes.io/service-proxy-name': 'other' } },
      },
    ],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: reaches(false, '10.200.4.10:80'),
  },
  ...['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'].flatMap((label): PacketRow[] => [
    {
      name: `a Service labelled ${label} is skipped, whatever the value`,
      ...NO_SERVICE,
      services: [{ ...web({}), metadata: { namespace: 'shop', name: 'web', labels: { [label]: '' } } }],
      slices: both,
      packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
      expect: reaches(false, '10.200.4.10:80'),
    },
    {
      name: `a slice labelled ${label} has no endpoints for the proxy`,
      ...BY_RULES,
      services: [web({})],
      slices: both.map(object => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, [label]: 'other' } },
      })),
      packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
      expect: { verdict: 'reject' },
    },
  ]),
  ...[['0.0.0.0/0'], ['198.51.100.99/32', ' 0.0.0.0/0 '], ['10.0.0.0/0']].map((ranges): PacketRow => ({
    name: `the source ranges ${JSON.stringify(ranges)} are no firewall`,
    ...EVERYWHERE,
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ranges }, balancer)],
    slices: both,
    packet: { from: OUTSIDE, to: ['203.0.113.77', 80] },
    expect: reaches(true, LOCAL_EP, REMOTE_EP),
  })),
  {
    name: 'two halves of the address space are ranges as any other, and so is all of IPv6',
    ...IPV4_ONLY,
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['0.0.0.0/1', '::/0'] }, balancer)],
    slices: both,
    packet: { from: OUTSIDE, to: ['203.0.113.77', 80] },
    expect: { verdict: 'drop' },
  },
  {
    name: 'another port of the ClusterIP is a port of the node, which is not reached that way',
    ...IPVS,
    services: [web({})],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 81] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'another protocol on the port of the ClusterIP is refused as well',
    ...IPVS,
    services: [web({})],
    slices: both,
    packet: { proto: 'udp', from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'internal policy Local without local endpoint: a virtual server that has none refuses',
    ...IPVS,
    services: [web({ internalTrafficPolicy: 'Local' })],
    slices: remoteOnly,
    packet: { from: LOCAL_POD, to: ['10.200.4.10', 80] },
    expect: { verdict: 'reject' },
  },
  {
    name: 'external policy Local without local endpoint: those of other nodes, who see the client',
    ...IPVS,
    services: [web({ type: 'NodePort', externalTrafficPolicy: 'Local' })],
    slices: remoteOnly,
    packet: { from: OUTSIDE, to: [NODE, 30080] },
    expect: reaches(false, REMOTE_EP),
  },
  ...[LOCAL_POD, NODE].map((from): PacketRow => ({
    name: `external policy Local, from ${from} to a load balancer IP: the local endpoint, as for everybody`,
    ...IPVS,
    services: [web({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, balancer)],
    slices: both,
    packet: { from, to: ['203.0.113.77', 80] },
    expect: reaches(false, LOCAL_EP),
  })),
  {
    name: 'a stranger is not masqueraded on its way to an external IP of policy Local',
    ...IPVS,
    services: [web({ externalIPs: ['192.0.2.50'], externalTrafficPolicy: 'Local' })],
    slices: both,
    packet: { from: OUTSIDE, to: ['192.0.2.50', 80] },
    expect: reaches(false, LOCAL_EP),
  },
  {
    name: 'the node, by the address of a load balancer that does not let it in',
    ...IPVS,
    services: [web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['198.51.100.0/24'] }, balancer)],
    slices: both,
    packet: { from: '203.0.113.77', to: ['203.0.113.77', 80], hook: 'output' },
    expect: { verdict: 'drop' },
  },
  {
    name: 'traffic between Pods passes untouched',
    ...BY_RULES,
    services: [web({})],
    slices: both,
    packet: { from: LOCAL_POD, to: ['10.66.2.20', 8080] },
    expect: reaches(false, REMOTE_EP),
  },
];

/** The row as it reads in the family: each octet of an IPv4 address is a group of an IPv6 address, from fd00:: on. */
export const inFamily = <T>(value: T, family: Family): T => (family === 'IPv4' ? value : (toIPv6(value) as T));

function toIPv6(value: unknown): unknown {
  if (typeof value === 'string') return value === 'IPv4' ? 'IPv6' : value.replace(ADDRESS, inIPv6);
  if (Array.isArray(value)) return value.map(toIPv6);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toIPv6(part)]));
}

const ADDRESS = /(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?(:\d+)?/g;

function inIPv6(_text: string, address: string, prefix?: string, port?: string): string {
  const groups = address.split('.').map(octet => Number(octet).toString(16));
  const six = canonicalIP(`fd00:0:0:0:${groups.join(':')}`) ?? '';
  if (port !== undefined) return `[${six}]${port}`;
  if (prefix === undefined) return six;
  return `${six}/${prefix === '0' ? 0 : 64 + 2 * Number(prefix)}`;
}
