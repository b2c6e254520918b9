import { AwkError } from './syntax.js';

export type Token =
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'string' | 'regex' | 'name' | 'function-name' | 'builtin' | 'keyword' | 'operator';
      readonly text: string;
    }
  | { readonly kind: 'newline' | 'end' };

const KEYWORDS = new Set(
  'BEGIN END function func if else while for do break continue next nextfile exit return delete in getline print printf'.split(
    ' ',
  ),
);
export const BUILTINS = new Set(
  'length substr index split sub gsub match sprintf sin cos atan2 exp log sqrt int rand srand tolower toupper system close fflush systime strftime mktime and or xor compl lshift rshift gensub'.split(
    ' ',
  ),
);
const OPERATORS = [
  '**=',
  '>>',
  '**',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '^=',
  '==',
  '<=',
  '>=',
  '!=',
  '!~',
  '++',
  '--',
  '&&',
  '||',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '!',
  '>',
  '<',
  '|',
  '?',
  ':',
  '~',
  '$',
  '=',
];
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  '/': '/',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Cuts an awk program into tokens. Whether "/" begins a regular expression is for the parser to say. */
export class AwkLexer {
  private at = 0;

  constructor(private readonly source: string) {}

  next(): Token {
    const { source } = this;
    for (;;) {
      const c = source[this.at];
      if (c === ' ' || c === '\t' || c === '\r') this.at++;
      else if (c === '\\' && source[this.at + 1] === '\n') this.at += 2;
      else if (c === '\\' && source.startsWith('\r\n', this.at + 1)) this.at += 3;
      else if (c === '#') while (this.at < source.length && source[this.at] !== '\n') this.at++;
      else break;
    }
    const c = source[this.at];
    if (c === undefined) return { kind: 'end' };
    if (c === '\n') {
      this.at++;
      return { kind: 'newline' };
    }
    if (c === '"') return { kind: 'string', text: this.quoted('"') };
    const number = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/y;
    number.lastIndex = this.at;
    const digits = number.exec(source)?.[0];
    if (digits !== undefined) {
      this.at += digits.length;
      return { kind: 'number', value: Number(digits) };
    }
    const word = /[A-Za-z_][A-Za-z0-9_]*/y;
    word.lastIndex = this.at;
    const text = word.exec(source)?.[0];
    if (text !== undefined) {
      this.at += text.length;
      if (KEYWORDS.has(text)) return { kind: 'keyword', text: text === 'func' ? 'function' : text };
      if (BUILTINS.has(text)) return { kind: 'builtin', text };
      return { kind: source[this.at] === '(' ? 'function-name' : 'name', text };
    }
    const operator = OPERATORS.find(candidate => source.startsWith(candidate, this.at));
    if (operator === undefined) throw new AwkError(`syntax error near '${source.slice(this.at, this.at + 10)}'`);
    this.at += operator.length;
    return { kind: 'operator', text: operator === '**' ? '^' : operator === '**=' ? '^=' : operator };
  }

  /** The rest of a regular expression whose "/" (or "/=") has just been read. */
  regex(begun: string): string {
    let text = begun;
    let inBracket = false;
    for (; ; this.at++) {
      const c = this.source[this.at];
      if (c === undefined || c === '\n') throw new AwkError('unterminated regex');
      if (c === '\\') {
        const next = this.source[++this.at] ?? '';
        text += next === '/' ? '/' : `\\${next}`;
        continue;
      }
      if (inBracket) {
        if (c === ']' && !/\[\^?$/.test(text.slice(-2))) inBracket = false;
      } else if (c === '[') inBracket = true;
      else if (c === '/') {
        this.at++;
        return text;
      }
      text += c;
    }
  }

  private quoted(end: string): string {
    let text = '';
    for (this.at++; ; this.at++) {
      const c = this.source[this.at];
      if (c === undefined || c === '\n') throw new AwkError('unterminated string');
      if (c === end) {
        this.at++;
        return text;
      }
      if (c !== '\\') {
        text += c;
        continue;
      }
      const octal = /[0-7]{1,3}/y;
      octal.lastIndex = this.at + 1;
      const digits = octal.exec(this.source)?.[0];
      const hex = /x([0-9a-fA-F]{1,2})/y;
      hex.lastIndex = this.at + 1;
      const hexDigits = hex.exec(this.source)?.[1];
      if (digits !== undefined) {
        text += String.fromCharCode(parseInt(digits, 8) & 255);
        this.at += digits.length;
      } else if (hexDigits !== undefined) {
        text += String.fromCharCode(parseInt(hexDigits, 16));
        this.at += hexDigits.length + 1;
      } else {
        const next = this.source[++this.at] ?? '';
        if (next !== '\n') text += ESCAPES[next] ?? `\\${next}`;
      }
    }
  }
}
