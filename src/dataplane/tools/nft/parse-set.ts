import type { NftElement, NftSet } from '../../kernel/nftables/rule.js';
import { DYNAMIC_SET_SIZE } from '../../kernel/nftables/table.js';
import { readBlock, readList } from './blocks.js';
import { readDuration } from './parse-duration.js';
import { readElement, readKeyTypes } from './parse-elements.js';
import { setOf, type SetParts } from './set-parts.js';
import { refuse, type Tokens } from './tokens.js';

function readSize(tokens: Tokens): void {
  const token = tokens.next();
  if (token.text !== String(DYNAMIC_SET_SIZE)) refuse(token, `size ${token.text} is not simulated`);
}

/** Sets are what is written, or what packets teach them and time takes away. */
function readFlags(tokens: Tokens): true {
  const seen = new Set<string>();
  const start = tokens.peek();
  do {
    const token = tokens.next();
    if (token.text !== 'dynamic' && token.text !== 'timeout') refuse(token, `the flag ${token.text} is not simulated`);
    seen.add(token.text);
  } while (tokens.take(','));
  return seen.size === 2 ? true : refuse(start, 'the flags dynamic and timeout are simulated together only');
}

export interface ReadSet {
  readonly set: NftSet;
  readonly elements: readonly NftElement[];
}

/** `NAME { type ... ; ... }` of a set or map. */
export function readSet(tokens: Tokens, kind: NftSet['kind']): ReadSet {
  const start = tokens.peek();
  const name = tokens.word();
  const parts: SetParts = {};
  const elements: NftElement[] = [];
  readBlock(tokens, () => {
    if (tokens.take('type')) {
      parts.key = readKeyTypes(tokens);
      if (tokens.take(':')) {
        tokens.expect('verdict');
        parts.hasVerdict = true;
      }
    } else if (tokens.take('size')) {
      readSize(tokens);
      parts.sized = true;
    } else if (tokens.take('flags')) parts.dynamic = readFlags(tokens);
    else if (tokens.take('timeout')) parts.timeoutSeconds = readDuration(tokens);
    else if (tokens.take('comment')) parts.comment = tokens.string();
    else {
      const at = tokens.peek();
      tokens.expect('elements');
      tokens.expect('=');
      const known = setOf(name, kind, parts, why => refuse(at, why));
      for (const element of readList(tokens, () => readElement(tokens, known))) elements.push(element);
    }
  });
  return { set: setOf(name, kind, parts, why => refuse(start, why)), elements };
}
