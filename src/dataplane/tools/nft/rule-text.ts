import { joinHostPort } from '../../../machinery/ip.js';
import { type NftExpression, type NftField, type NftRule, verdictText } from '../../kernel/nftables/rule.js';
import type { Family } from '../../packet.js';
import { listedAddresses } from './addresses-text.js';
import { ipOf } from './family-name.js';

const bits = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

function fieldText(field: NftField, family: Family): string {
  switch (field) {
    case 'saddr':
    case 'daddr':
      return `${ipOf(family)} ${field}`;
    case 'l4proto':
      return 'meta l4proto';
    case 'dport':
      return 'th dport';
  }
}

/** As nft lists it, or as `nft -f` is given it: the kernel itself merges the addresses of a rule. */
export type Form = 'list' | 'input';

const inputAddresses = (elements: readonly string[]): string =>
  elements.length === 1 ? elements.join() : `{ ${elements.join(', ')} }`;

function expressionText(expression: NftExpression, family: Family, form: Form): string {
  switch (expression.kind) {
    case 'address': {
      const { addresses, side, invert } = expression;
      const listed = form === 'list' ? listedAddresses : inputAddresses;
      const among = addresses.kind === 'set' ? `@${addresses.name}` : listed(addresses.elements, family);
      return `${ipOf(family)} ${side} ${invert === true ? '!= ' : ''}${among}`;
    }
    case 'ctState':
      return `ct state ${expression.state.toLowerCase()}`;
    case 'l4proto':
      return `meta l4proto ${expression.protocol}`;
    case 'fibLocal':
      return `fib ${expression.side} type local`;
    case 'iifname':
      return `iifname ${expression.invert === true ? '!= ' : ''}"${expression.name}"`;
    case 'markClear':
      return `meta mark & ${bits(expression.mask)} == 0x00000000`;
    case 'vmap':
      return `${expression.key.map(field => fieldText(field, family)).join(' . ')} vmap @${expression.map}`;
    case 'numgen': {
      const targets = expression.verdicts.map((verdict, i) => `${i} : ${verdictText(verdict)}`);
      return `numgen random mod ${targets.length} vmap { ${targets.join(', ')} }`;
    }
    case 'update':
      return `update @${expression.set} { ${ipOf(family)} ${expression.side} }`;
    case 'mark':
      return `meta mark set meta mark ${expression.op === 'or' ? '|' : '^'} ${bits(expression.value)}`;
    case 'dnat':
      return `dnat to ${joinHostPort(expression.address, expression.port)}`;
    case 'masquerade':
      return 'masquerade fully-random';
    case 'reject':
      return 'reject';
    case 'verdict':
      return verdictText(expression.verdict);
  }
}

/** A rule as nft prints it, without its chain. */
export function nftRuleText({ expressions, comment }: NftRule, family: Family, form: Form = 'list'): string {
  const text = expressions.map(expression => expressionText(expression, family, form)).join(' ');
  return comment === undefined ? text : `${text} comment "${comment}"`;
}
