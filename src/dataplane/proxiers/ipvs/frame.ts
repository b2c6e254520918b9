import type { SetSide } from '../../kernel/ipset/types.js';
import type { VirtualService } from '../../kernel/ipvs/types.js';
import type { XtablesProgram } from '../../kernel/program.js';
import type { Match, Rule, Verdict } from '../../kernel/xtables/rule.js';
import type { Protocol } from '../../packet.js';
import type { LocalTraffic } from '../detect-local.js';
import type { ProxierConfig } from '../types.js';
import { addrtypeLocal, comment, ctstate, fromLocalPods, inChains, jump, rule, source } from '../xtables-rules.js';
import * as chains from './chains.js';
import { nameIn, type SetName, SETS } from './sets.js';

/** What the rules around IPVS depend on, beside the configuration. */
export interface FrameInput {
  readonly isEmpty: (set: SetName) => boolean;
  readonly closedToNode: readonly VirtualService[];
}

const RETURN: Verdict = { kind: 'return' };
const ACCEPT: Verdict = { kind: 'accept' };
const DROP: Verdict = { kind: 'drop' };
const LOOPBACK = { IPv4: '127.0.0.0/8', IPv6: '::1/128' } as const;

type Sides = 'dst' | 'dst,dst' | 'src,dst' | 'dst,dst,src';

interface SetRule {
  readonly set: SetName;
  readonly chain: string;
  readonly sides: Sides;
  readonly verdict: Verdict;
  readonly protocol?: Protocol;
}

const nodePort = (set: SetName, protocol: Protocol, verdict: Verdict): SetRule => ({
  set,
  chain: chains.NODE_PORT,
  sides: protocol === 'sctp' ? 'dst,dst' : 'dst',
  verdict,
  protocol,
});

const MASQ = jump(chains.MARK_MASQ);

/** Rules that are there while their set has entries. */
const NAT_SET_RULES: readonly SetRule[] = [
  {
    set: 'KUBE-LOOP-BACK',
    chain: chains.POSTROUTING,
    sides: 'dst,dst,src',
    verdict: { kind: 'masquerade', randomFully: false },
  },
  { set: 'KUBE-LOAD-BALANCER', chain: chains.SERVICES, sides: 'dst,dst', verdict: jump(chains.LOAD_BALANCER) },
  { set: 'KUBE-LOAD-BALANCER-LOCAL', chain: chains.LOAD_BALANCER, sides: 'dst,dst', verdict: RETURN },
  nodePort('KUBE-NODE-PORT-LOCAL-TCP', 'tcp', RETURN),
  nodePort('KUBE-NODE-PORT-TCP', 'tcp', MASQ),
  nodePort('KUBE-NODE-PORT-LOCAL-UDP', 'udp', RETURN),
  nodePort('KUBE-NODE-PORT-UDP', 'udp', MASQ),
  nodePort('KUBE-NODE-PORT-LOCAL-SCTP-HASH', 'sctp', RETURN),
  nodePort('KUBE-NODE-PORT-SCTP-HASH', 'sctp', MASQ),
];
const FILTER_SET_RULES: readonly SetRule[] = [
  {
    set: 'KUBE-LOAD-BALANCER-FW',
    chain: chains.PROXY_FIREWALL,
    sides: 'dst,dst',
    verdict: jump(chains.SOURCE_RANGES_FIREWALL),
  },
  {
    set: 'KUBE-LOAD-BALANCER-SOURCE-CIDR',
    chain: chains.SOURCE_RANGES_FIREWALL,
    sides: 'dst,dst,src',
    verdict: RETURN,
  },
  { set: 'KUBE-LOAD-BALANCER-SOURCE-IP', chain: chains.SOURCE_RANGES_FIREWALL, sides: 'dst,dst,src', verdict: RETURN },
];

/** Returns a function that makes the rules around IPVS; they are few, however many Services there are. */
export function createFrame(
  config: ProxierConfig,
  local: LocalTraffic | undefined,
): (input: FrameInput) => XtablesProgram['tables'] {
  const inSet = (name: SetName, sides: Sides): Match => ({
    kind: 'set',
    set: nameIn(config.family, name),
    sides: sides.split(',') as SetSide[],
  });
  const about = (name: SetName): Match => comment(SETS[name].comment);
  const make = (chain: string, matches: readonly Match[], verdict: Verdict): Rule =>
    rule(chain, matches, verdict, chains.PROXY);
  const setRules = (table: readonly SetRule[], isEmpty: FrameInput['isEmpty']): Rule[] =>
    table.flatMap(({ set, chain, sides, verdict, protocol }) => {
      if (isEmpty(set)) return [];
      const l4: readonly Match[] = protocol === undefined ? [] : [{ kind: 'protocol', protocol }];
      return [make(chain, [...l4, about(set), inSet(set, sides)], verdict)];
    });

  /** Which packets to ClusterIPs are masqueraded. */
  function clusterIPMatches(): readonly Match[] {
    if (config.masqueradeAll === true) return [inSet('KUBE-CLUSTER-IP', 'dst,dst')];
    if (local !== undefined) return [inSet('KUBE-CLUSTER-IP', 'dst,dst'), fromLocalPods(local, true)];
    // The node's own packets have a ClusterIP as their source, as those are addresses of the node.
    return [inSet('KUBE-CLUSTER-IP', 'src,dst')];
  }

  /** What comes from off the machine, or goes to an address of it, is left to IPVS. */
  function externalIPRules(set: SetName, masquerade: boolean): Rule[] {
    const matches = [about(set), inSet(set, 'dst,dst')];
    const fromElsewhere: Match[] = [
      { kind: 'physdevIsIn', invert: true },
      { kind: 'addrtype', side: 'src', type: 'LOCAL', invert: true },
    ];
    return [
      ...(masquerade ? [make(chains.SERVICES, matches, MASQ)] : []),
      make(chains.SERVICES, [...matches, ...fromElsewhere], ACCEPT),
      make(chains.SERVICES, [...matches, addrtypeLocal('dst')], ACCEPT),
    ];
  }

  const mark = (1 << (config.masqueradeBit ?? 14)) >>> 0;
  const postrouting: readonly Rule[] = [
    make(chains.POSTROUTING, [{ kind: 'mark', value: mark, mask: mark, invert: true }], RETURN),
    make(chains.POSTROUTING, [], { kind: 'mark', op: 'xor', value: mark, mask: 0 }),
    make(chains.POSTROUTING, [comment('kubernetes service traffic requiring SNAT')], {
      kind: 'masquerade',
      randomFully: true,
    }),
    make(chains.MARK_MASQ, [], { kind: 'mark', op: 'or', value: mark, mask: mark }),
  ];

  const natRules = ({ isEmpty }: FrameInput): Rule[] => [
    make(chains.SERVICES, [source(LOOPBACK[config.family])], RETURN),
    ...setRules(NAT_SET_RULES, isEmpty),
    ...(isEmpty('KUBE-CLUSTER-IP')
      ? []
      : [make(chains.SERVICES, [about('KUBE-CLUSTER-IP'), ...clusterIPMatches()], MASQ)]),
    ...(isEmpty('KUBE-EXTERNAL-IP') ? [] : externalIPRules('KUBE-EXTERNAL-IP', true)),
    ...(isEmpty('KUBE-EXTERNAL-IP-LOCAL') ? [] : externalIPRules('KUBE-EXTERNAL-IP-LOCAL', false)),
    make(chains.SERVICES, [addrtypeLocal('dst')], jump(chains.NODE_PORT)),
    make(chains.LOAD_BALANCER, [], MASQ),
    ...(['KUBE-CLUSTER-IP', 'KUBE-LOAD-BALANCER'] as const).flatMap(set =>
      isEmpty(set) ? [] : [make(chains.SERVICES, [inSet(set, 'dst,dst')], ACCEPT)],
    ),
    ...postrouting,
  ];

  const filterRules = ({ isEmpty, closedToNode }: FrameInput): Rule[] => [
    ...setRules(FILTER_SET_RULES, isEmpty),
    make(chains.SOURCE_RANGES_FIREWALL, [], DROP),
    ...closedToNode.map(({ address, protocol, port }) =>
      make(chains.IPVS_OUT_FILTER, [source(address), { kind: 'ipvs', address, protocol, port }], DROP),
    ),
    make(chains.FORWARD, [comment('kubernetes forwarding rules'), { kind: 'mark', value: mark, mask: mark }], ACCEPT),
    make(
      chains.FORWARD,
      [comment('kubernetes forwarding conntrack rule'), ctstate(['RELATED', 'ESTABLISHED'])],
      ACCEPT,
    ),
    make(chains.NODE_PORT, [about('KUBE-HEALTH-CHECK-NODE-PORT'), inSet('KUBE-HEALTH-CHECK-NODE-PORT', 'dst')], ACCEPT),
    // Ports of the host are not reached through an address of a Service.
    ...(['KUBE-LOAD-BALANCER', 'KUBE-CLUSTER-IP', 'KUBE-EXTERNAL-IP', 'KUBE-EXTERNAL-IP-LOCAL'] as const).map(set =>
      make(chains.IPVS_FILTER, [inSet(set, 'dst,dst')], RETURN),
    ),
    make(chains.IPVS_FILTER, [inSet('KUBE-HEALTH-CHECK-NODE-PORT', 'dst')], RETURN),
    make(chains.IPVS_FILTER, [ctstate(['NEW']), inSet('KUBE-IPVS-IPS', 'dst')], { kind: 'reject' }),
  ];

  return input => [
    { table: 'nat', chains: chains.NAT_CHAINS, commands: inChains(natRules(input)) },
    { table: 'filter', chains: chains.FILTER_CHAINS, commands: inChains(filterRules(input)) },
  ];
}
