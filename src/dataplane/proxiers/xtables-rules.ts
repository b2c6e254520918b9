import type { ChainRules } from '../kernel/program.js';
import type { Match, Rule, Verdict } from '../kernel/xtables/rule.js';
import type { Protocol } from '../packet.js';
import type { Origin } from '../trace.js';
import type { LocalTraffic } from './detect-local.js';

/** Small constructors that keep the compiler's tables readable. */
export const rule = (chain: string, matches: readonly Match[], verdict: Verdict, origin?: Origin): Rule =>
  origin === undefined ? { kind: 'rule', chain, matches, verdict } : { kind: 'rule', chain, matches, verdict, origin };

export const addRules = (chain: string, rules: readonly Rule[]): ChainRules => ({ kind: 'addRules', chain, rules });

/** Rules in their order, those of one chain that follow each other together. */
export function inChains(rules: Iterable<Rule>): ChainRules[] {
  const commands: ChainRules[] = [];
  let list: Rule[] = [];
  for (const one of rules) {
    if (commands.at(-1)?.chain !== one.chain) commands.push(addRules(one.chain, (list = [])));
    list.push(one);
  }
  return commands;
}

export const comment = (text: string): Match => ({ kind: 'comment', text });
export const jump = (chain: string): Verdict => ({ kind: 'jump', chain });
export const source = (cidr: string, invert = false): Match => ({ kind: 'source', cidr, invert });
export const destination = (cidr: string, invert = false): Match => ({ kind: 'destination', cidr, invert });
export const ctstate = (states: Extract<Match, { kind: 'conntrack' }>['states'], invert = false): Match => ({
  kind: 'conntrack',
  states,
  invert,
});
export const addrtypeLocal = (side: 'src' | 'dst'): Match => ({ kind: 'addrtype', side, type: 'LOCAL' });

/** `-m tcp -p tcp`, as kube-proxy writes it; shared because every rule of every service has it. */
const protocolMatches: Readonly<Record<Protocol, readonly [Match, Match]>> = {
  tcp: [
    { kind: 'l4', protocol: 'tcp' },
    { kind: 'protocol', protocol: 'tcp' },
  ],
  udp: [
    { kind: 'l4', protocol: 'udp' },
    { kind: 'protocol', protocol: 'udp' },
  ],
  sctp: [
    { kind: 'l4', protocol: 'sctp' },
    { kind: 'protocol', protocol: 'sctp' },
  ],
};

export const proto = (protocol: Protocol): readonly [Match, Match] => protocolMatches[protocol];
export const dport = (port: number): Match => ({ kind: 'destinationPort', from: port, to: port });

/** `-m tcp -p tcp -d address --dport port` */
export const to = (protocol: Protocol, address: string, port: number): readonly Match[] => [
  ...proto(protocol),
  destination(address),
  dport(port),
];

/** True once in `left` times; the last one is not asked. Shared: every Service of so many endpoints has it. */
export function oneOf(left: number): readonly Match[] {
  return CHANCES[left] ?? chance(left);
}
const chance = (left: number): readonly Match[] => (left <= 1 ? [] : [{ kind: 'statistic', probability: 1 / left }]);
const CHANCES = Array.from({ length: 100 }, (_, left) => chance(left));

/** The test for traffic that Pods of this node sent; inverted, for all other traffic. */
export function fromLocalPods(detect: LocalTraffic, invert: boolean): Match {
  switch (detect.kind) {
    case 'cidr':
      return source(detect.cidr, invert);
    case 'bridgeInterface':
      return { kind: 'inInterface', name: detect.name, invert };
    case 'interfaceNamePrefix':
      return { kind: 'inInterface', name: `${detect.prefix}+`, invert };
    default:
      return detect satisfies never;
  }
}
