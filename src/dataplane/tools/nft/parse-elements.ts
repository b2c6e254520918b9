import type { NftElement, NftKeyType, NftSet, NftVerdict } from '../../kernel/nftables/rule.js';
import { elementFault, KEY_TYPES, keyFault, keyPartOf } from './keys.js';
import { readDuration } from './parse-duration.js';
import { refuse, type Token, type Tokens } from './tokens.js';

export const isVerdictName = (text: string): text is 'accept' | 'drop' | 'return' =>
  text === 'accept' || text === 'drop' || text === 'return';

/** Undefined: the next token begins none. */
export function takeVerdict(tokens: Tokens): NftVerdict | undefined {
  const { kind, text } = tokens.peek();
  if (kind !== 'word') return undefined;
  if (isVerdictName(text)) {
    tokens.next();
    return { kind: text };
  }
  if (text !== 'jump' && text !== 'goto') return undefined;
  tokens.next();
  return { kind: text, chain: tokens.word() };
}

export const readVerdict = (tokens: Tokens): NftVerdict => takeVerdict(tokens) ?? refuse(tokens.peek());

/** "ipv4_addr . inet_proto . inet_service" */
export function readKeyTypes(tokens: Tokens): NftKeyType[] {
  const types: NftKeyType[] = [];
  do {
    const token = tokens.next();
    types.push(KEY_TYPES.find(type => type === token.text) ?? refuse(token, `the type ${token.text} is not simulated`));
  } while (tokens.take('.'));
  return types;
}

/** `type`: of that part, when the set is known. */
function keyPart(token: Token, type: NftKeyType | undefined): string {
  const { kind, text } = token;
  const part = kind === 'word' ? keyPartOf(text, type) : undefined;
  return part ?? refuse(token, type === undefined ? undefined : `${text} is no ${type}`);
}

/** "10.96.0.1 . tcp . 80"; `set`: what it is the key of, when it is known. */
export function readKey(tokens: Tokens, set: NftSet | undefined): string[] {
  const start = tokens.peek();
  const key: string[] = [];
  do key.push(keyPart(tokens.next(), set?.key[key.length]));
  while (tokens.take('.') && key.length < KEY_TYPES.length);
  const fault = keyFault(key, set);
  if (fault !== undefined) refuse(start, fault);
  return key;
}

/** `KEY [expires 3h] [comment "..."] [: VERDICT]` */
export function readElement(tokens: Tokens, set: NftSet | undefined): NftElement {
  const start = tokens.peek();
  const key = readKey(tokens, set);
  const expiresSeconds = tokens.take('expires') ? readDuration(tokens) : undefined;
  const comment = tokens.take('comment') ? tokens.string() : undefined;
  const verdict = tokens.take(':') ? readVerdict(tokens) : undefined;
  const element = {
    key,
    ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(comment === undefined ? {} : { comment }),
  };
  const fault = elementFault(element, set);
  return fault === undefined ? element : refuse(start, fault);
}
