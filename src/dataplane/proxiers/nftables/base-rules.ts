import { PRIORITY } from '../../kernel/hooks.js';
import type { NftBase, NftExpression, NftField, NftKeyType, NftRule, NftSet } from '../../kernel/nftables/rule.js';
import type { NftCommand } from '../../kernel/program.js';
import type { Origin } from '../../trace.js';
import { nodePortAddresses } from '../node-port-addresses.js';
import type { ProxierConfig } from '../types.js';
import { drop, fibLocal, inSet, isNoneOf, isOneOf, rule, verdict, vmap } from './expressions.js';
import * as names from './names.js';

const PROXY: Origin = { kind: 'Proxy', name: 'kube-proxy' };
const DEFAULT_MASQUERADE_BIT = 14;

const BASE_CHAINS: readonly (NftBase & { readonly name: string })[] = [
  { name: 'filter-prerouting-pre-dnat', type: 'filter', hook: 'prerouting', priority: PRIORITY.beforeDestinationNat },
  { name: 'filter-output-pre-dnat', type: 'filter', hook: 'output', priority: PRIORITY.beforeDestinationNat },
  { name: 'filter-input', type: 'filter', hook: 'input', priority: PRIORITY.filter },
  { name: 'filter-forward', type: 'filter', hook: 'forward', priority: PRIORITY.filter },
  { name: 'filter-output', type: 'filter', hook: 'output', priority: PRIORITY.filter },
  { name: 'nat-prerouting', type: 'nat', hook: 'prerouting', priority: PRIORITY.destinationNat },
  { name: 'nat-output', type: 'nat', hook: 'output', priority: PRIORITY.destinationNat },
  { name: 'nat-postrouting', type: 'nat', hook: 'postrouting', priority: PRIORITY.sourceNat },
];

const NEW: NftExpression = { kind: 'ctState', state: 'NEW' };

const JUMPS: readonly (readonly [from: string, to: string, ...conditions: NftExpression[]])[] = [
  ['filter-input', names.NODEPORT_ENDPOINTS_CHECK, NEW],
  ['filter-input', names.SERVICE_ENDPOINTS_CHECK, NEW],
  ['filter-forward', names.SERVICE_ENDPOINTS_CHECK, NEW],
  ['filter-output', names.SERVICE_ENDPOINTS_CHECK, NEW],
  ['filter-prerouting-pre-dnat', names.FIREWALL_CHECK, NEW],
  ['filter-output-pre-dnat', names.FIREWALL_CHECK, NEW],
  ['nat-output', names.SERVICES],
  ['nat-prerouting', names.SERVICES],
  ['nat-postrouting', names.MASQUERADING],
  ['filter-forward', names.CLUSTER_IPS_CHECK, NEW],
  ['filter-output', names.CLUSTER_IPS_CHECK, NEW],
];

const CHAINS: readonly string[] = [
  names.NODEPORT_ENDPOINTS_CHECK,
  names.SERVICE_ENDPOINTS_CHECK,
  names.FIREWALL_CHECK,
  names.SERVICES,
  names.MASQUERADING,
  names.CLUSTER_IPS_CHECK,
  names.MARK_FOR_MASQUERADE,
];

const REJECT_COMMENT = 'helper for @no-endpoint-services / @no-endpoint-nodeports';
const SERVICE_KEY: readonly NftField[] = ['daddr', 'l4proto', 'dport'];
const NODEPORT_KEY: readonly NftField[] = ['l4proto', 'dport'];
const LOOPBACK = { IPv4: '127.0.0.0/8', IPv6: '::1' } as const;

/** What depends on no Service: sets, maps, base chains and the rules in the chains that all Services share. */
export function baseCommands(config: ProxierConfig, serviceCidrs: readonly string[]): NftCommand[] {
  const nodeIPs = nodePortAddresses({ ...config, nodePortAddresses: config.nodePortAddresses ?? ['primary'] });
  const regular = [...CHAINS.map(name => ({ name })), { name: names.REJECT, comment: REJECT_COMMENT }];
  const base = BASE_CHAINS.map(({ name, type, hook, priority }) => ({ name, base: { type, hook, priority } }));
  const rules = [
    ...JUMPS.map(([from, to, ...conditions]) => rule(from, [...conditions, verdict('jump', to)], PROXY)),
    ...sharedRules(config, nodeIPs),
    ...clusterIPsRules(serviceCidrs),
  ];
  return [
    ...sharedSets(config, nodeIPs !== undefined).map((set): NftCommand => ({ kind: 'addSet', set })),
    ...[...base, ...regular].map((chain): NftCommand => ({ kind: 'addChain', chain })),
    ...rulesByChain(rules),
    ...(nodeIPs ?? []).map((address): NftCommand => ({
      kind: 'addElement',
      set: names.NODEPORT_IPS,
      element: { key: [address] },
    })),
  ];
}

/** Rules keep their order within a chain. */
export function rulesByChain(rules: readonly NftRule[]): NftCommand[] {
  const chains = new Map<string, NftRule[]>();
  for (const one of rules) {
    const list = chains.get(one.chain) ?? [];
    chains.set(one.chain, list);
    list.push(one);
  }
  return [...chains].map(([chain, list]) => ({ kind: 'addRules', chain, rules: list }));
}

function sharedSets({ family }: ProxierConfig, withNodePortIPs: boolean): NftSet[] {
  const address: NftKeyType = family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr';
  const serviceKey: readonly NftKeyType[] = [address, 'inet_proto', 'inet_service'];
  const nodePortKey: readonly NftKeyType[] = ['inet_proto', 'inet_service'];
  const set = (name: string, comment: string): NftSet => ({ name, kind: 'set', key: [address], comment });
  const map = (name: string, key: readonly NftKeyType[], comment: string): NftSet => ({
    name,
    kind: 'map',
    key,
    comment,
  });
  return [
    set(names.CLUSTER_IPS, 'Active ClusterIPs'),
    ...(withNodePortIPs ? [set(names.NODEPORT_IPS, 'IPs that accept NodePort traffic')] : []),
    map(names.NO_ENDPOINT_SERVICES, serviceKey, 'vmap to drop or reject packets to services with no endpoints'),
    map(
      names.NO_ENDPOINT_NODEPORTS,
      nodePortKey,
      'vmap to drop or reject packets to service nodeports with no endpoints',
    ),
    map(names.FIREWALL_IPS, serviceKey, 'destinations that are subject to LoadBalancerSourceRanges'),
    map(names.SERVICE_IPS, serviceKey, 'ClusterIP, ExternalIP and LoadBalancer IP traffic'),
    map(names.SERVICE_NODEPORTS, nodePortKey, 'NodePort traffic'),
  ];
}

function sharedRules(config: ProxierConfig, nodeIPs: readonly string[] | undefined): NftRule[] {
  const mark = 2 ** (config.masqueradeBit ?? DEFAULT_MASQUERADE_BIT);
  const isNodePortIP =
    nodeIPs === undefined ? isNoneOf('daddr', [LOOPBACK[config.family]]) : inSet('daddr', names.NODEPORT_IPS);
  const isLocal = nodeIPs === undefined ? [fibLocal('daddr')] : [];
  const in_ = (chain: string, ...expressions: NftExpression[]): NftRule => rule(chain, expressions, PROXY);
  return [
    in_(names.NODEPORT_ENDPOINTS_CHECK, isNodePortIP, vmap(NODEPORT_KEY, names.NO_ENDPOINT_NODEPORTS)),
    in_(names.SERVICE_ENDPOINTS_CHECK, vmap(SERVICE_KEY, names.NO_ENDPOINT_SERVICES)),
    in_(names.FIREWALL_CHECK, vmap(SERVICE_KEY, names.FIREWALL_IPS)),
    in_(names.SERVICES, vmap(SERVICE_KEY, names.SERVICE_IPS)),
    in_(names.SERVICES, ...isLocal, isNodePortIP, vmap(NODEPORT_KEY, names.SERVICE_NODEPORTS)),
    in_(names.MARK_FOR_MASQUERADE, { kind: 'mark', op: 'or', value: mark }),
    in_(names.MASQUERADING, { kind: 'markClear', mask: mark }, { kind: 'verdict', verdict: { kind: 'return' } }),
    in_(names.MASQUERADING, { kind: 'mark', op: 'xor', value: mark }),
    in_(names.MASQUERADING, { kind: 'masquerade' }),
    in_(names.REJECT, { kind: 'reject' }),
  ];
}

/** Nobody is behind a ClusterIP but its Service's ports. */
function clusterIPsRules(serviceCidrs: readonly string[]): NftRule[] {
  const check = (expressions: readonly NftExpression[], comment: string): NftRule =>
    rule(names.CLUSTER_IPS_CHECK, expressions, PROXY, comment);
  return [
    check([inSet('daddr', names.CLUSTER_IPS), { kind: 'reject' }], 'Reject traffic to invalid ports of ClusterIPs'),
    ...(serviceCidrs.length === 0
      ? []
      : [check([isOneOf('daddr', serviceCidrs), drop], 'Drop traffic to unallocated ClusterIPs')]),
  ];
}
