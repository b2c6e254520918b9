import { parseCidr } from '../../../machinery/cidr.js';
import type { Family } from '../../packet.js';
import { defaultReject, inKernelOrder, kernelProbability, setXmark, STATE_ORDER } from './kernel-form.js';
import type { Match, Rule, Verdict } from './rule.js';

/** Equal for two rules that are the same to the kernel, however they were written: what `iptables -C` and `-D` compare. */
export const ruleKey = ({ chain, matches, verdict }: Rule, family: Family): string =>
  JSON.stringify([chain, inKernelOrder(matches).flatMap(matchForm), verdictForm(verdict, family)]);

function matchForm(match: Match): readonly unknown[] {
  const inverted = 'invert' in match && match.invert === true;
  return formOf(match, inverted).map(form => [match.kind, inverted, form]);
}

/** At most one value: nothing for a match that the kernel does not even keep. */
function formOf(match: Match, inverted: boolean): readonly unknown[] {
  switch (match.kind) {
    case 'comment':
      return [match.text];
    case 'source':
    case 'destination': {
      const cidr = parseCidr(match.cidr);
      return cidr?.prefix === 0 && !inverted ? [] : [cidr?.text ?? match.cidr];
    }
    case 'inInterface':
    case 'outInterface':
      return [match.name];
    case 'protocol':
    case 'l4':
      return [match.protocol];
    case 'sourcePort':
    case 'destinationPort':
      return [[match.from, match.to]];
    case 'conntrack':
      return [[match.alias ?? 'ctstate', ...STATE_ORDER.filter(state => match.states.includes(state))]];
    case 'mark':
      return [[match.value, match.mask]];
    case 'addrtype':
      return [[match.side, match.type]];
    case 'physdevIsIn':
      return [true];
    case 'statistic':
      return [kernelProbability(match.probability)];
    case 'recent':
      return [[match.name, match.action, match.seconds ?? 0, match.reap === true]];
    case 'set':
      return [[match.set, match.sides]];
    case 'ipvs':
      return [[match.protocol, match.address, match.port]];
    default:
      return match satisfies never;
  }
}

function verdictForm(verdict: Verdict, family: Family): unknown {
  if (verdict.kind === 'mark') return { kind: 'mark', ...setXmark(verdict) };
  if (verdict.kind === 'reject') return { kind: 'reject', with: verdict.with ?? defaultReject(family) };
  return Object.entries(verdict).sort();
}
