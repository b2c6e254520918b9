import { parseCidr } from '../../../machinery/cidr.js';
import { formatIP } from '../../../machinery/ip.js';
import { parseRange } from '../../../machinery/cidr.js';
import type { NftAddresses } from '../../kernel/nftables/rule.js';
import type { Family } from '../../packet.js';
import { readList } from './blocks.js';
import { refuse, type Token, type Tokens } from './tokens.js';

/** An address, which stays without a prefix, a CIDR, or a range. */
function elementOf(token: Token, family: Family): string {
  const { kind, text } = token;
  const range = kind === 'word' ? parseRange(text) : undefined;
  if (range?.family !== family) return refuse(token, `${text} is no address or range of ${family}`);
  const first = formatIP({ family, value: range.first });
  if (text.includes('-')) return `${first}-${formatIP({ family, value: range.last })}`;
  return text.includes('/') ? (parseCidr(text)?.text ?? text) : first;
}

/** What stands behind `ip saddr`. */
export function readAddresses(tokens: Tokens, family: Family): NftAddresses {
  const start = tokens.peek();
  if (start.kind === 'word' && start.text.startsWith('@')) return { kind: 'set', name: tokens.word().slice(1) };
  if (start.kind !== 'mark' || start.text !== '{')
    return { kind: 'listed', elements: [elementOf(tokens.next(), family)] };
  const elements = readList(tokens, () => elementOf(tokens.next(), family));
  const [first] = elements;
  if (first === undefined) return refuse(start, 'a list without addresses');
  // The merge of several is listed in braces: the same twice is what that was.
  return { kind: 'listed', elements: elements.length === 1 ? [first, first] : elements };
}
