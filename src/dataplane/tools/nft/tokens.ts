import { NetfilterError } from '../../kernel/errors.js';
import { checkLength, checkLine, TEXT_LIMITS } from '../lines.js';

/** A mark stands for itself: a brace, a comma, or the end of a statement. The end of the text is one without text. */
export interface Token {
  readonly kind: 'word' | 'string' | 'mark';
  readonly text: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/** A name of nft is not longer. */
const MAX_LENGTH = 255;
const MARKS = '{};,\n';
const END_OF_WORD = new Set(' \t\r"#{};,\n');

/** Reads a text once, from its beginning. */
export interface Tokens {
  peek(): Token;
  next(): Token;
  /** Takes the next one when it is this word or mark. */
  take(text: string): boolean;
  /** @throws NetfilterError when the next one is not this word or mark */
  expect(text: string): void;
  word(): string;
  string(): string;
  /** Where a statement may go on in the next line. */
  skipLines(): void;
}

/** As nft says that it did not expect a token, or what is wrong with it. */
export function refuse({ kind, text, line, column }: Token, why?: string): never {
  const name = text === '' && kind === 'mark' ? 'end of file' : text === '\n' ? 'newline' : text;
  const last = column + Math.max(text.length, 1) - 1;
  const message = why ?? `syntax error, unexpected ${kind === 'string' ? `"${name}"` : name}`;
  throw new NetfilterError(`/dev/stdin:${line}:${column}-${last}: Error: ${message}`);
}

export function createTokens(text: string, limits = TEXT_LIMITS): Tokens {
  checkLength(text, limits);
  let at = 0;
  let line = 1;
  let lineStart = 0;
  let ahead: Token | undefined;

  const token = (kind: Token['kind'], start: number, end: number): Token => {
    const found = {
      kind,
      text: text.slice(start, Math.min(end, start + MAX_LENGTH + 1)),
      line,
      column: start - lineStart + 1,
    };
    if (end - start > MAX_LENGTH)
      refuse({ ...found, text: found.text.slice(0, 16) }, `it is longer than ${MAX_LENGTH}`);
    return found;
  };

  function skipBlanks(): void {
    while (at < text.length && ' \t\r'.includes(text.charAt(at))) at++;
    if (text.charAt(at) !== '#') return;
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end;
  }

  function readString(): Token {
    const start = at + 1;
    at = start;
    while (at < text.length && text.charAt(at) !== '"' && text.charAt(at) !== '\n') at++;
    const found = token('string', start, at);
    if (text.charAt(at) !== '"') refuse(found, 'the quote is not closed');
    at++;
    return found;
  }

  function read(): Token {
    skipBlanks();
    const first = text.charAt(at);
    if (first === '"') return readString();
    const start = at;
    if (first === '' || MARKS.includes(first)) {
      const found = token('mark', start, start + first.length);
      at += first.length;
      if (first === '\n') {
        line++;
        lineStart = at;
        checkLine(line, limits);
      }
      return found;
    }
    while (at < text.length && !END_OF_WORD.has(text.charAt(at))) at++;
    return token('word', start, at);
  }

  const peek = (): Token => (ahead ??= read());
  const next = (): Token => {
    const found = peek();
    ahead = undefined;
    return found;
  };
  const take = (wanted: string): boolean => {
    const { kind, text: found } = peek();
    const isIt = kind !== 'string' && found === wanted;
    if (isIt) next();
    return isIt;
  };
  const of = (kind: Token['kind']): string => {
    const found = next();
    return found.kind === kind ? found.text : refuse(found);
  };
  return {
    peek,
    next,
    take,
    expect(wanted) {
      if (!take(wanted)) refuse(peek());
    },
    word: () => of('word'),
    string: () => of('string'),
    skipLines() {
      while (take('\n'));
    },
  };
}
