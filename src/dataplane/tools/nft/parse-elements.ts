import { canonicalIP, familyOf } from '../../../machinery/ip.js';
import type { NftElement, NftKeyType, NftSet, NftVerdict } from '../../kernel/nftables/rule.js';
import { readDuration } from './parse-duration.js';
import { refuse, type Token, type Tokens } from './tokens.js';

const PORT = /^(?:0|[1-9]\d{0,4})$/;
const PROTOCOLS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

const isOfType: Readonly<Record<NftKeyType, (text: string) => boolean>> = {
  ipv4_addr: text => familyOf(text) === 'IPv4',
  ipv6_addr: text => familyOf(text) === 'IPv6',
  inet_proto: text => PROTOCOLS.has(text),
  inet_service: text => PORT.test(text) && Number(text) <= 65_535,
};

const KEY_TYPES = Object.keys(isOfType) as readonly NftKeyType[];

const isVerdictName = (text: string): text is 'accept' | 'drop' | 'return' =>
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
  const isRight =
    kind === 'word' && (type === undefined ? KEY_TYPES.some(any => isOfType[any](text)) : isOfType[type](text));
  if (!isRight) refuse(token, type === undefined ? undefined : `${text} is no ${type}`);
  return canonicalIP(text) ?? text;
}

/** "10.96.0.1 . tcp . 80"; `set`: what it is the key of, when it is known. */
export function readKey(tokens: Tokens, set: NftSet | undefined): string[] {
  const start = tokens.peek();
  const key: string[] = [];
  do key.push(keyPart(tokens.next(), set?.key[key.length]));
  while (tokens.take('.') && key.length < KEY_TYPES.length);
  if (set !== undefined && key.length !== set.key.length)
    refuse(start, `a key of ${set.name} has ${set.key.length} parts`);
  return key;
}

/** `KEY [expires 3h] [comment "..."] [: VERDICT]` */
export function readElement(tokens: Tokens, set: NftSet | undefined): NftElement {
  const start = tokens.peek();
  const key = readKey(tokens, set);
  const expiresSeconds = tokens.take('expires') ? readDuration(tokens) : undefined;
  const comment = tokens.take('comment') ? tokens.string() : undefined;
  const verdict = tokens.take(':') ? readVerdict(tokens) : undefined;
  if (set !== undefined && (set.kind === 'map') !== (verdict !== undefined))
    refuse(start, `an element of the ${set.kind} ${set.name} ${set.kind === 'map' ? 'needs a' : 'has no'} verdict`);
  if (expiresSeconds !== undefined && set !== undefined && set.timeoutSeconds === undefined)
    refuse(start, `elements of ${set.name} do not expire`);
  return {
    key,
    ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(comment === undefined ? {} : { comment }),
  };
}
