import type { Steps } from '../steps.js';

/** The words of the Common Expression Language (github.com/google/cel-spec), as cel-go's grammar reads them. */

export interface Token {
  readonly kind: 'ident' | 'escaped' | 'int' | 'uint' | 'float' | 'string' | 'bytes' | 'op' | 'end';
  readonly text: string;
  /** Offset in the source, in UTF-16 units. */
  readonly at: number;
}

export interface Problem {
  readonly at: number;
  readonly text: string;
}

/** How many words are read between two rests. */
const WORDS_AT_ONCE = 10_000;

const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?\x60]|[0-3][0-7]{2}|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})`;
const DOUBLE = `"(?:${ESCAPE}|[^\\\\\\r\\n"])*`;
const SINGLE = `'(?:${ESCAPE}|[^\\\\\\r\\n'])*`;
const TRIPLE = `"{3}(?:${ESCAPE}|[^\\\\])*?"{3}|'{3}(?:${ESCAPE}|[^\\\\])*?'{3}`;
const RAW = `[rR](?:"""[^]*?"""|'''[^]*?'''|"[^"\\r\\n]*"|'[^'\\r\\n]*')`;

const SPACE = /(?:[ \t\r\n\f]|\/\/[^\n]*(?:\n|$))+/y;
const OPERATORS = /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y;

const MAY_BE_SPACE: ReadonlySet<number> = new Set(Array.from(' \t\r\n\f/', char => char.charCodeAt(0)));
/** What is an operator whatever comes next. */
const ALWAYS_OPERATORS: ReadonlySet<string> = new Set('[]{}(),-?:+*/%');

interface Rule {
  readonly kind: Token['kind'];
  readonly word: RegExp;
  readonly first: RegExp;
}

/** Tried in this order at each place. */
const RULES: readonly Rule[] = [
  { kind: 'float', word: /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y, first: /[\d.]/ },
  { kind: 'uint', word: /(?:0x[0-9a-fA-F]+|\d+)[uU]/y, first: /\d/ },
  { kind: 'int', word: /(?:0x[0-9a-fA-F]+|\d+)/y, first: /\d/ },
  { kind: 'bytes', word: new RegExp(`[bB](?:${RAW}|${TRIPLE}|${DOUBLE}"|${SINGLE}')`, 'y'), first: /[bB]/ },
  { kind: 'string', word: new RegExp(`${RAW}|${TRIPLE}|${DOUBLE}"|${SINGLE}'`, 'y'), first: /[rR"']/ },
  { kind: 'ident', word: /[A-Za-z_][A-Za-z0-9_]*/y, first: /[A-Za-z_]/ },
  { kind: 'escaped', word: /`[A-Za-z0-9_.\-/ ]+`/y, first: /`/ },
  { kind: 'op', word: OPERATORS, first: /[=!<>&|[\]{}().,\-?:+*/%]/ },
];

/** Those that a word may be of, by the code of its first character. No word begins with one that is not here. */
const RULES_BY_CODE: readonly (readonly Rule[])[] = Array.from({ length: 128 }, (_, code) =>
  RULES.filter(({ first }) => first.test(String.fromCharCode(code))),
);
const NO_RULES: readonly Rule[] = [];

const OPEN_DOUBLE = new RegExp(DOUBLE, 'y');
const OPEN_SINGLE = new RegExp(SINGLE, 'y');

/** How much of the source the lexer gives up on: an open string goes as far as it could be one. */
function unreadable(source: string, at: number): number {
  const quote = source.charAt(at);
  const width = (place: number): number => ((source.codePointAt(place) ?? 0) > 0xffff ? 2 : 1);
  // Half of an operator, and what it is not followed by.
  if ('=&|'.includes(quote)) return at + 1 < source.length ? 1 + width(at + 1) : 1;
  if (quote !== '"' && quote !== "'") return width(at);
  const open = quote === '"' ? OPEN_DOUBLE : OPEN_SINGLE;
  open.lastIndex = at;
  const length = open.exec(source)?.[0].length ?? 1;
  // The character that broke it is named, too.
  const next = source[at + length];
  return length + (next === '\\' ? 2 : next === undefined ? 0 : 1);
}

interface Words {
  readonly tokens: readonly Token[];
  readonly problems: readonly Problem[];
}

export function* tokenize(source: string): Steps<Words> {
  const tokens: Token[] = [];
  const problems: Problem[] = [];
  let left = WORDS_AT_ONCE;
  for (let at = 0; at < source.length;) {
    if (left-- === 0) {
      yield;
      left = WORDS_AT_ONCE;
    }
    if (MAY_BE_SPACE.has(source.charCodeAt(at))) {
      SPACE.lastIndex = at;
      at += SPACE.exec(source)?.[0].length ?? 0;
      if (at >= source.length) break;
    }
    const token = readToken(source, at);
    if (token === undefined) {
      const length = unreadable(source, at);
      problems.push({ at, text: `Syntax error: token recognition error at: '${source.slice(at, at + length)}'` });
      at += length;
      continue;
    }
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: source.length });
  return { tokens, problems };
}

function readToken(source: string, at: number): Token | undefined {
  const char = source.charAt(at);
  // An expression may be nothing but these.
  if (ALWAYS_OPERATORS.has(char)) return { kind: 'op', text: char, at };
  for (const { kind, word } of RULES_BY_CODE[char.charCodeAt(0)] ?? NO_RULES) {
    word.lastIndex = at;
    const text = word.exec(source)?.[0];
    if (text !== undefined) return { kind, text, at };
  }
  return undefined;
}
