import type { Family } from '../../packet.js';
import type { CtState } from '../flow.js';
import type { Match, Verdict } from './rule.js';

const HEADER: readonly Match['kind'][] = ['source', 'destination', 'inInterface', 'outInterface', 'protocol'];

/**
 * The order in which the kernel tests: the header first, then the modules as given, each port with its module.
 * `-p tcp --dport 80` without `-m tcp` loads the module where the port stands.
 */
export function inKernelOrder(matches: readonly Match[]): Match[] {
  const header = HEADER.flatMap(kind => matches.filter(match => match.kind === kind));
  const ports = (['sourcePort', 'destinationPort'] as const).flatMap(kind =>
    matches.filter(match => match.kind === kind),
  );
  const isPort = (match: Match): boolean => match.kind === 'sourcePort' || match.kind === 'destinationPort';
  const modules = matches.filter(match => !HEADER.includes(match.kind) && !isPort(match));
  if (ports.length === 0) return [...header, ...modules];
  const l4 = modules.findIndex(match => match.kind === 'l4');
  if (l4 >= 0) return [...header, ...modules.slice(0, l4 + 1), ...ports, ...modules.slice(l4 + 1)];
  const protocol = header.find(match => match.kind === 'protocol')?.protocol;
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return [...header, ...ports, ...modules];
  const firstPort = matches.findIndex(isPort);
  const before = matches.slice(0, firstPort).filter(match => modules.includes(match));
  return [...header, ...before, { kind: 'l4', protocol }, ...ports, ...modules.slice(before.length)];
}

export const STATE_ORDER: readonly CtState[] = [
  'INVALID',
  'NEW',
  'RELATED',
  'ESTABLISHED',
  'UNTRACKED',
  'SNAT',
  'DNAT',
];

/** The kernel keeps a probability as a 31-bit integer of the ten decimals it was given. */
export const kernelProbability = (probability: number): number =>
  Math.round(Number(probability.toFixed(10)) * 2 ** 31) / 2 ** 31;

/** The (value, mask) of MARK's set-xmark, to which all its forms come down: mark = (mark & ~mask) ^ value. */
export function setXmark(verdict: Extract<Verdict, { kind: 'mark' }>): { value: number; mask: number } {
  switch (verdict.op) {
    case 'set':
      return { value: verdict.value, mask: verdict.mask };
    case 'or':
      return { value: verdict.value, mask: verdict.value };
    case 'xor':
      return { value: verdict.value, mask: 0 };
    case 'and':
      return { value: 0, mask: ~verdict.value >>> 0 };
    default:
      return verdict.op satisfies never;
  }
}

export const defaultReject = (family: Family): string =>
  family === 'IPv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable';
