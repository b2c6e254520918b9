import { parseCidr } from '../../../machinery/cidr.js';
import type { PacketState } from '../passage.js';
import type { Match, Rule } from './rule.js';

/**
 * Finds the rules of a long chain that a packet can match, without testing thousands of others. It only leaves out
 * rules whose destination, protocol or port is another one, so walking the candidates in order equals walking the chain.
 */
export interface DispatchIndex {
  /** Positions of the candidates, ascending. */
  candidates(packet: PacketState): readonly number[];
}

/** Shorter chains are faster to walk. */
export const INDEX_FROM = 16;

export function buildDispatchIndex(rules: readonly Rule[]): DispatchIndex {
  const byKey = new Map<string, number[]>();
  const always: number[] = [];
  rules.forEach((rule, position) => {
    const key = cachedKey(rule);
    if (key === undefined) return void always.push(position);
    const positions = byKey.get(key);
    if (positions === undefined) byKey.set(key, [position]);
    else positions.push(position);
  });
  return {
    candidates({ dst, protocol, dstPort }) {
      const port = `${protocol} ${dstPort}`;
      const exact = byKey.get(`${dst} ${port}`) ?? [];
      const anyAddress = byKey.get(port) ?? [];
      if (exact.length === 0 && anyAddress.length === 0) return always;
      return [...exact, ...anyAddress, ...always].sort((a, b) => a - b);
    },
  };
}

/** Rules are immutable and outlive the chains they are loaded into, again and again. */
const keys = new WeakMap<Rule, { readonly key: string | undefined }>();

function cachedKey(rule: Rule): string | undefined {
  const known = keys.get(rule);
  if (known !== undefined) return known.key;
  const key = dispatchKey(rule.matches);
  keys.set(rule, { key });
  return key;
}

/** "address protocol port" or "protocol port"; undefined for a rule that must always be tested. */
function dispatchKey(matches: readonly Match[]): string | undefined {
  let address: string | undefined;
  let protocol: string | undefined;
  let port: number | undefined;
  for (const match of matches) {
    // A rule that draws a random number or writes a list may do so before its port is compared.
    if (match.kind === 'statistic' || match.kind === 'recent') return undefined;
    if ('invert' in match && match.invert === true) continue;
    if (match.kind === 'destination') address = hostOf(match.cidr);
    else if (match.kind === 'protocol') protocol = match.protocol;
    else if (match.kind === 'destinationPort' && match.from === match.to) port = match.from;
  }
  if (protocol === undefined || port === undefined) return undefined;
  return address === undefined ? `${protocol} ${port}` : `${address} ${protocol} ${port}`;
}

function hostOf(text: string): string | undefined {
  if (!text.includes('/')) return text;
  const cidr = parseCidr(text);
  return cidr !== undefined && cidr.prefix === (cidr.family === 'IPv4' ? 32 : 128) ? cidr.network : undefined;
}
