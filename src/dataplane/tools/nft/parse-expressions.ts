import type { CtState } from '../../kernel/flow.js';
import type { NftExpression, NftVerdict } from '../../kernel/nftables/rule.js';
import type { Protocol } from '../../packet.js';
import { readList } from './blocks.js';
import { refuse, type Tokens } from './tokens.js';

const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp'];
const STATES: readonly CtState[] = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'];
const BITS = /^0x[\da-f]{1,8}$/;
const NUMBER = /^\d{1,6}$/;

export const protocolOf = (text: string): Protocol | undefined => PROTOCOLS.find(known => known === text);
export const stateOf = (text: string): CtState | undefined => STATES.find(known => known.toLowerCase() === text);

export function readProtocol(tokens: Tokens): NftExpression {
  const token = tokens.next();
  const protocol = protocolOf(token.text);
  return protocol === undefined ? refuse(token) : { kind: 'l4proto', protocol };
}

export function readState(tokens: Tokens): NftExpression {
  tokens.expect('state');
  const token = tokens.next();
  const state = stateOf(token.text);
  return state === undefined ? refuse(token) : { kind: 'ctState', state };
}

function readBits(tokens: Tokens): number {
  const token = tokens.next();
  return BITS.test(token.text) ? Number(token.text) : refuse(token);
}

/** Behind `meta mark`: `& MASK == 0`, or `set meta mark | BITS`. */
export function readMark(tokens: Tokens): NftExpression {
  if (tokens.take('&')) {
    const mask = readBits(tokens);
    tokens.expect('==');
    const token = tokens.peek();
    if (readBits(tokens) !== 0) refuse(token, 'only bits that are not set are simulated');
    return { kind: 'markClear', mask };
  }
  tokens.expect('set');
  tokens.expect('meta');
  tokens.expect('mark');
  const op = tokens.next();
  if (op.text !== '|' && op.text !== '^') return refuse(op);
  return { kind: 'mark', op: op.text === '|' ? 'or' : 'xor', value: readBits(tokens) };
}

/** Behind `numgen`: `random mod 2 vmap { 0 : goto A, 1 : goto B }`. */
export function readNumgen(tokens: Tokens, verdict: () => NftVerdict): NftExpression {
  tokens.expect('random');
  tokens.expect('mod');
  const count = tokens.next();
  if (!NUMBER.test(count.text)) refuse(count);
  tokens.expect('vmap');
  let index = 0;
  const verdicts = readList(tokens, () => {
    const at = tokens.next();
    if (at.text !== String(index)) refuse(at, `each number below ${count.text} has its verdict, in order`);
    index++;
    tokens.expect(':');
    return verdict();
  });
  if (verdicts.length !== Number(count.text)) refuse(count, `${count.text} is not the number of verdicts`);
  return { kind: 'numgen', verdicts };
}
