import type { NftBase, NftChain, NftRule } from '../../kernel/nftables/rule.js';
import type { Family } from '../../packet.js';
import type { Hook } from '../../trace.js';
import { readBlock } from './blocks.js';
import { readRule } from './parse-rule.js';
import { PRIORITY_NAMES } from './priorities.js';
import { refuse, type Tokens } from './tokens.js';

const HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
export const hookOf = (text: string): Hook | undefined => HOOKS.find(known => known === text);

const NUMBER = /^-?\d{1,9}$/;
const OFFSET = /^\d{1,9}$/;

/** "-110", "filter", "dstnat - 10" */
function readPriority(tokens: Tokens): number {
  const token = tokens.next();
  if (NUMBER.test(token.text)) return Number(token.text);
  const named = PRIORITY_NAMES.find(([, name]) => name === token.text);
  if (named === undefined) return refuse(token, `'${token.text}' is invalid priority`);
  const sign = tokens.take('+') ? 1 : tokens.take('-') ? -1 : 0;
  if (sign === 0) return named[0];
  const offset = tokens.next();
  return OFFSET.test(offset.text) ? named[0] + sign * Number(offset.text) : refuse(offset);
}

/** `type filter hook input priority 0`, behind its first word. */
function readBase(tokens: Tokens): NftBase {
  const token = tokens.next();
  const type = token.text;
  if (type !== 'filter' && type !== 'nat') return refuse(token, `chains of type ${type} are not simulated`);
  tokens.expect('hook');
  const at = tokens.next();
  const hook = hookOf(at.text) ?? refuse(at, `unknown chain hook ${at.text}`);
  tokens.expect('priority');
  return { type, hook, priority: readPriority(tokens) };
}

function readPolicy(tokens: Tokens): void {
  const token = tokens.next();
  if (token.text !== 'accept') refuse(token, `policy ${token.text} is not simulated, only accept`);
}

export interface ReadChain {
  readonly chain: NftChain;
  readonly rules: readonly NftRule[];
}

/** `NAME [{ ... }]`, with what hangs it on a hook, a comment, and rules. */
export function readChain(tokens: Tokens, family: Family): ReadChain {
  const name = tokens.word();
  const rules: NftRule[] = [];
  let base: NftBase | undefined;
  let comment: string | undefined;
  if (tokens.peek().text === '{')
    readBlock(tokens, () => {
      if (tokens.take('type')) base = readBase(tokens);
      else if (tokens.take('policy')) readPolicy(tokens);
      else if (tokens.take('comment')) comment = tokens.string();
      else rules.push(readRule(tokens, name, family));
    });
  const chain = { name, ...(base === undefined ? {} : { base }), ...(comment === undefined ? {} : { comment }) };
  return { chain, rules };
}
