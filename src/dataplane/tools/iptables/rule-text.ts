import { parseCidr } from '../../../machinery/cidr.js';
import { joinHostPort } from '../../../machinery/ip.js';
import type { CtState } from '../../kernel/flow.js';
import {
  defaultReject,
  inKernelOrder,
  kernelProbability,
  setXmark,
  STATE_ORDER,
} from '../../kernel/xtables/kernel-form.js';
import type { Match, Rule, Verdict } from '../../kernel/xtables/rule.js';
import type { Family, Protocol } from '../../packet.js';

/** Prints a rule as kube-proxy writes it into iptables-restore: "-A CHAIN ..." with the arguments in the rule's own order. */
export function restoreText(rule: Rule): string {
  const parts = [`-A ${rule.chain}`];
  for (const match of rule.matches) parts.push(restoreMatch(match));
  const verdict = restoreVerdict(rule.verdict);
  if (verdict !== '') parts.push(verdict);
  return parts.join(' ');
}

const not = (match: { readonly invert?: boolean }): string => (match.invert === true ? '! ' : '');
const hex = (value: number): string => `0x${value.toString(16)}`;
const hex8 = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
const range = (from: number, to: number): string => (from === to ? String(from) : `${from}:${to}`);

function restoreMatch(match: Match): string {
  switch (match.kind) {
    case 'comment':
      return `-m comment --comment ${/^[^\s"'\\]+$/.test(match.text) ? match.text : quote(match.text, /["\\]/g)}`;
    case 'source':
      return `${not(match)}-s ${match.cidr}`;
    case 'destination':
      return `${not(match)}-d ${match.cidr}`;
    case 'mark':
      return `-m mark ${not(match)}--mark ${hex8(match.value)}/${hex8(match.mask)}`;
    case 'statistic':
      return `-m statistic --mode random ${not(match)}--probability ${match.probability.toFixed(10)}`;
    case 'recent':
      return `-m recent --name ${match.name} ${recentAction(match)}`;
    case 'conntrack':
      return stateText(match, match.states);
    case 'ipvs':
      return `-m ipvs --vaddr ${match.address} --vproto ${match.protocol} --vport ${match.port}`;
    case 'inInterface':
    case 'outInterface':
    case 'protocol':
    case 'l4':
    case 'sourcePort':
    case 'destinationPort':
    case 'addrtype':
    case 'physdevIsIn':
    case 'set':
      return plainMatch(match);
    default:
      return match satisfies never;
  }
}

type PlainKind =
  | 'inInterface'
  | 'outInterface'
  | 'protocol'
  | 'l4'
  | 'sourcePort'
  | 'destinationPort'
  | 'addrtype'
  | 'physdevIsIn'
  | 'set';

/** The matches that read the same in restore input and in iptables-save. */
function plainMatch(match: Extract<Match, { kind: PlainKind }>): string {
  switch (match.kind) {
    case 'inInterface':
      return `${not(match)}-i ${match.name}`;
    case 'outInterface':
      return `${not(match)}-o ${match.name}`;
    case 'protocol':
      return `${not(match)}-p ${match.protocol}`;
    case 'l4':
      return `-m ${match.protocol}`;
    case 'sourcePort':
      return `${not(match)}--sport ${range(match.from, match.to)}`;
    case 'destinationPort':
      return `${not(match)}--dport ${range(match.from, match.to)}`;
    case 'addrtype':
      return `-m addrtype ${not(match)}--${match.side}-type ${match.type}`;
    case 'physdevIsIn':
      return `-m physdev ${not(match)}--physdev-is-in`;
    case 'set':
      return `-m set ${not(match)}--match-set ${match.set} ${match.sides.join(',')}`;
    default:
      return match satisfies never;
  }
}

function stateText(match: Extract<Match, { kind: 'conntrack' }>, states: readonly CtState[]): string {
  const [module, option] = match.alias === 'state' ? ['state', '--state'] : ['conntrack', '--ctstate'];
  return `-m ${module} ${not(match)}${option} ${states.join(',')}`;
}

function recentAction(match: Extract<Match, { kind: 'recent' }>): string {
  const seconds = match.seconds === undefined ? '' : ` --seconds ${match.seconds}`;
  return `${not(match)}--${match.action}${seconds}${match.reap === true ? ' --reap' : ''}`;
}

function restoreVerdict(verdict: Verdict): string {
  if (verdict.kind === 'mark' && verdict.op !== 'set') return `-j MARK --${verdict.op}-mark ${hex8(verdict.value)}`;
  if (verdict.kind === 'reject' && verdict.with === undefined) return '-j REJECT';
  return saveVerdict(verdict, 'IPv4');
}

/** Prints a rule as iptables-save 1.8 (nf_tables) lists it: header fields first, full prefixes, canonical masks. */
/** `counters`: what stands before the target, as `-S -v` has it. */
export function saveText(rule: Rule, family: Family, counters?: string): string {
  const parts = [`-A ${rule.chain}`];
  for (const match of inKernelOrder(rule.matches)) {
    const text = saveMatch(match, family);
    if (text !== '') parts.push(text);
  }
  if (counters !== undefined) parts.push(counters);
  const verdict = saveVerdict(rule.verdict, family);
  if (verdict !== '') parts.push(verdict);
  return parts.join(' ');
}

const HOST_MASK = { IPv4: '255.255.255.255', IPv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' } as const;

const PROTOCOL_NUMBER: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

function saveMatch(match: Match, family: Family): string {
  switch (match.kind) {
    case 'comment':
      return `-m comment --comment ${/^[A-Za-z0-9_-]+$/.test(match.text) ? match.text : quote(match.text, /["'\\]/g)}`;
    case 'source':
    case 'destination': {
      const cidr = parseCidr(match.cidr);
      // A zero prefix matches everything and is not even stored, unless negated.
      if (cidr?.prefix === 0 && match.invert !== true) return '';
      return `${not(match)}${match.kind === 'source' ? '-s' : '-d'} ${cidr?.text ?? match.cidr}`;
    }
    case 'mark':
      return `-m mark ${not(match)}--mark ${hex(match.value)}${match.mask === 0xffffffff ? '' : `/${hex(match.mask)}`}`;
    case 'statistic':
      return `-m statistic --mode random ${not(match)}--probability ${kernelProbability(match.probability).toFixed(11)}`;
    case 'recent':
      return `-m recent ${recentAction(match)} --name ${match.name} --mask ${HOST_MASK[family]} --rsource`;
    case 'conntrack':
      return stateText(
        match,
        STATE_ORDER.filter(state => match.states.includes(state)),
      );
    case 'ipvs': {
      const mask = family === 'IPv6' ? '/128' : '';
      return `-m ipvs --vproto ${PROTOCOL_NUMBER[match.protocol]} --vaddr ${match.address}${mask} --vport ${match.port}`;
    }
    case 'inInterface':
    case 'outInterface':
    case 'protocol':
    case 'l4':
    case 'sourcePort':
    case 'destinationPort':
    case 'addrtype':
    case 'physdevIsIn':
    case 'set':
      return plainMatch(match);
    default:
      return match satisfies never;
  }
}

function saveVerdict(verdict: Verdict, family: Family): string {
  switch (verdict.kind) {
    case 'none':
      return '';
    case 'accept':
      return '-j ACCEPT';
    case 'drop':
      return '-j DROP';
    case 'return':
      return '-j RETURN';
    case 'notrack':
      return '-j CT --notrack';
    case 'jump':
      return `-j ${verdict.chain}`;
    case 'goto':
      return `-g ${verdict.chain}`;
    case 'reject':
      return `-j REJECT --reject-with ${verdict.with ?? defaultReject(family)}`;
    case 'mark': {
      const { value, mask } = setXmark(verdict);
      return `-j MARK --set-xmark ${hex(value)}/${hex(mask)}`;
    }
    case 'dnat':
    case 'snat': {
      const option = verdict.kind === 'dnat' ? '--to-destination' : '--to-source';
      const address = verdict.port === undefined ? verdict.address : joinHostPort(verdict.address, verdict.port);
      return `-j ${verdict.kind.toUpperCase()} ${option} ${address}`;
    }
    case 'redirect':
      return verdict.port === undefined ? '-j REDIRECT' : `-j REDIRECT --to-ports ${verdict.port}`;
    case 'masquerade':
      return verdict.randomFully ? '-j MASQUERADE --random-fully' : '-j MASQUERADE';
    default:
      return verdict satisfies never;
  }
}

/** iptables-save escapes more than iptables-restore needs. */
const quote = (text: string, escaped: RegExp): string => `"${text.replace(escaped, character => `\\${character}`)}"`;
