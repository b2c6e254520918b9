export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'symbol';
  /** A word is in lower case, a quoted name and a text without their quotes. */
  readonly text: string;
}

export interface Dialect {
  /** What quotes a name. */
  readonly nameQuote: '"' | '`';
  /** Whether "this" is a text. */
  readonly doubleQuotedText: boolean;
  /** Whether a backslash escapes the next character of a text. */
  readonly backslash: boolean;
}

/** A quote, a comment or a $tag$ that does not end. */
export class UnterminatedError extends Error {
  override readonly name = 'UnterminatedError';
}

const isWordCharacter = (c: string): boolean => /[\w$]/.test(c) || c > '\x7f';
const isDigit = (c: string): boolean => c >= '0' && c <= '9';

export interface Statement {
  /** Without comments. */
  readonly tokens: readonly Token[];
  /** As it was written, without the semicolon. */
  readonly source: string;
}

/** The statements of a text; empty ones are left out. Linear. @throws UnterminatedError */
export function statementsOf(text: string, dialect: Dialect): Statement[] {
  const statements: Statement[] = [];
  let begin = 0;
  const end = (at: number): void => {
    if (tokens.length > 0) statements.push({ tokens, source: text.slice(begin, at).trim() });
    tokens = [];
    begin = at + 1;
  };
  let tokens: Token[] = [];
  let at = 0;
  const until = (end: string, from: number): number => {
    const found = text.indexOf(end, from);
    if (found < 0) throw new UnterminatedError(text.slice(at, at + 32));
    return found;
  };
  while (at < text.length) {
    const c = text[at] ?? '';
    if (c === ';') {
      end(at++);
    } else if (c <= ' ') at++;
    else if ((c === '-' && text[at + 1] === '-') || (c === '#' && dialect.nameQuote === '`')) {
      const newline = text.indexOf('\n', at);
      at = newline < 0 ? text.length : newline + 1;
    } else if (c === '/' && text[at + 1] === '*') at = until('*/', at + 2) + 2;
    else if (c === "'" || c === '"' || c === '`') {
      const { value, next } = quoted(text, at, dialect);
      const isName = c === dialect.nameQuote || (c === '"' && !dialect.doubleQuotedText);
      tokens.push({ kind: isName ? 'name' : 'text', text: value });
      at = next;
    } else if (c === '$' && !isDigit(text[at + 1] ?? '')) {
      const open = until('$', at + 1);
      const tag = text.slice(at, open + 1);
      const close = until(tag, open + 1);
      tokens.push({ kind: 'text', text: text.slice(open + 1, close) });
      at = close + tag.length;
    } else if (isDigit(c) || isWordCharacter(c)) {
      let stop = at + 1;
      while (stop < text.length && (isWordCharacter(text[stop] ?? '') || (isDigit(c) && text[stop] === '.'))) stop++;
      const word = text.slice(at, stop);
      tokens.push(isDigit(c) ? { kind: 'number', text: word } : { kind: 'word', text: word.toLowerCase() });
      at = stop;
    } else {
      const two = text.slice(at, at + 2);
      const symbol = ['::', '@@', '<>', '!=', '<=', '>=', '||'].includes(two) ? two : c;
      tokens.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
    }
  }
  end(text.length);
  return statements;
}

function quoted(text: string, at: number, { backslash }: Dialect): { value: string; next: number } {
  const quote = text[at];
  const pieces: string[] = [];
  for (let i = at + 1, from = i; i < text.length; i++) {
    const escaped = backslash && text[i] === '\\';
    if (!escaped && text[i] !== quote) continue;
    pieces.push(text.slice(from, i));
    if (!escaped && text[i + 1] !== quote) return { value: pieces.join(''), next: i + 1 };
    // The next one stands for itself.
    from = ++i;
  }
  throw new UnterminatedError(text.slice(at, at + 32));
}
