import type { NftAddressSide, NftExpression, NftField, NftRule } from '../../kernel/nftables/rule.js';
import type { Family } from '../../packet.js';
import { parseAddressPort } from '../address-port.js';
import { isStatementEnd } from './blocks.js';
import { ipOf } from './family-name.js';
import { readAddresses } from './parse-addresses.js';
import { readVerdict, takeVerdict } from './parse-elements.js';
import { readMark, readNumgen, readProtocol, readState } from './parse-expressions.js';
import { refuse, type Tokens } from './tokens.js';

function readSide(tokens: Tokens): NftAddressSide {
  const token = tokens.next();
  return token.text === 'saddr' || token.text === 'daddr' ? token.text : refuse(token);
}

/** The rest of a key, up to the map: "ip daddr . meta l4proto . th dport vmap @service-ips". Undefined: it is no key. */
function takeVmap(tokens: Tokens, family: Family, first: NftField): NftExpression | undefined {
  const key = [first];
  while (tokens.take('.')) {
    const token = tokens.next();
    if (token.text === ipOf(family)) key.push(readSide(tokens));
    else if (token.text === 'meta') {
      tokens.expect('l4proto');
      key.push('l4proto');
    } else if (token.text === 'th') {
      tokens.expect('dport');
      key.push('dport');
    } else refuse(token);
  }
  if (!tokens.take('vmap')) return key.length === 1 ? undefined : refuse(tokens.peek());
  const map = tokens.next();
  return map.text.startsWith('@') ? { kind: 'vmap', key, map: map.text.slice(1) } : refuse(map);
}

const inverted = (tokens: Tokens): { invert?: true } => (tokens.take('!=') ? { invert: true } : {});

function readMeta(tokens: Tokens, family: Family): NftExpression {
  if (tokens.take('l4proto')) return takeVmap(tokens, family, 'l4proto') ?? readProtocol(tokens);
  tokens.expect('mark');
  return readMark(tokens);
}

function readUpdate(tokens: Tokens, family: Family): NftExpression {
  const set = tokens.next();
  if (!set.text.startsWith('@')) refuse(set);
  tokens.expect('{');
  tokens.expect(ipOf(family));
  const side = readSide(tokens);
  tokens.expect('}');
  return { kind: 'update', set: set.text.slice(1), side };
}

function readDnat(tokens: Tokens, family: Family): NftExpression {
  tokens.expect('to');
  const token = tokens.next();
  const end = parseAddressPort(token.text, family);
  return end === undefined
    ? refuse(token, `${token.text} is no address and port of ${family}`)
    : { kind: 'dnat', ...end };
}

function readExpression(tokens: Tokens, family: Family): NftExpression {
  const verdict = takeVerdict(tokens);
  if (verdict !== undefined) return { kind: 'verdict', verdict };
  const token = tokens.next();
  if (token.kind !== 'word') return refuse(token);
  switch (token.text) {
    case ipOf(family): {
      const side = readSide(tokens);
      const map = takeVmap(tokens, family, side);
      return map ?? { kind: 'address', side, ...inverted(tokens), addresses: readAddresses(tokens, family) };
    }
    case 'meta':
      return readMeta(tokens, family);
    case 'th':
      tokens.expect('dport');
      return takeVmap(tokens, family, 'dport') ?? refuse(tokens.peek());
    case 'ct':
      return readState(tokens);
    case 'fib': {
      const side = readSide(tokens);
      tokens.expect('type');
      tokens.expect('local');
      return { kind: 'fibLocal', side };
    }
    case 'iifname':
      return { kind: 'iifname', ...inverted(tokens), name: tokens.string() };
    case 'numgen':
      return readNumgen(tokens, () => readVerdict(tokens));
    case 'update':
      return readUpdate(tokens, family);
    case 'dnat':
      return readDnat(tokens, family);
    case 'masquerade':
      tokens.expect('fully-random');
      return { kind: 'masquerade' };
    case 'reject':
      return { kind: 'reject' };
    default:
      return refuse(token);
  }
}

const ENDS_RULE: ReadonlySet<NftExpression['kind']> = new Set(['verdict', 'reject', 'dnat', 'masquerade']);

export const endsRule = ({ kind }: NftExpression): boolean => ENDS_RULE.has(kind);

/** The expressions of one rule, to the end of its line. */
export function readRule(tokens: Tokens, chain: string, family: Family): NftRule {
  const expressions: NftExpression[] = [];
  let comment: string | undefined;
  while (comment === undefined && !isStatementEnd(tokens.peek())) {
    if (expressions.length > 0 && tokens.take('comment')) {
      comment = tokens.string();
      continue;
    }
    const last = expressions.at(-1);
    if (last !== undefined && endsRule(last)) refuse(tokens.peek(), 'Statement after terminal statement has no effect');
    expressions.push(readExpression(tokens, family));
  }
  if (expressions.length === 0 || !isStatementEnd(tokens.peek())) refuse(tokens.peek());
  return { kind: 'nftRule', chain, expressions, ...(comment === undefined ? {} : { comment }) };
}
