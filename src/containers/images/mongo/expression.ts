/** What of JavaScript a probe is written in: calls, properties, literals, !, ||, &&, ==, ?:. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Expression])[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'not'; readonly value: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'choice'; readonly test: Expression; readonly yes: Expression; readonly no: Expression };

/** A text that is more JavaScript than that. */
export class NotAnExpression extends Error {
  override readonly name = 'NotAnExpression';
}

interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'symbol' | 'end';
  readonly text: string;
}

const MAX_DEPTH = 32;
const MAX_TEXT = 64 * 1024;
const SYMBOLS = ['===', '!==', '==', '!=', '||', '&&'];

function tokensOf(text: string): Token[] {
  if (text.length > MAX_TEXT) throw new NotAnExpression('too long');
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const c = text[at] ?? '';
    if (c <= ' ') at++;
    else if (c === '"' || c === "'" || c === '`') {
      let value = '';
      let end = at + 1;
      for (; end < text.length && text[end] !== c; end++)
        value += text[end] === '\\' ? (text[++end] ?? '') : (text[end] ?? '');
      if (end >= text.length) throw new NotAnExpression('a text without an end');
      tokens.push({ kind: 'text', text: value });
      at = end + 1;
    } else if (/[\w$]/.test(c)) {
      let end = at + 1;
      const isNumber = /\d/.test(c);
      while (end < text.length && (/[\w$]/.test(text[end] ?? '') || (isNumber && text[end] === '.'))) end++;
      tokens.push({ kind: isNumber ? 'number' : 'name', text: text.slice(at, end) });
      at = end;
    } else {
      const symbol = SYMBOLS.find(one => text.startsWith(one, at)) ?? c;
      tokens.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
    }
  }
  return tokens;
}

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', null],
]);

/** The expressions of a text, one after the other. @throws NotAnExpression */
export function parseExpressions(text: string): Expression[] {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = (): Token => tokens[at] ?? { kind: 'end', text: '' };
  const accept = (symbol: string): boolean => {
    const fits = peek().kind === 'symbol' && peek().text === symbol;
    if (fits) at++;
    return fits;
  };
  const expect = (symbol: string): void => {
    if (!accept(symbol)) throw new NotAnExpression(peek().text);
  };
  const list = (end: string, depth: number): Expression[] => {
    const items: Expression[] = [];
    while (!accept(end)) {
      items.push(choice(depth));
      if (!accept(',')) {
        expect(end);
        break;
      }
    }
    return items;
  };
  const choice = (depth: number): Expression => {
    if (depth > MAX_DEPTH) throw new NotAnExpression('too deep');
    const test = binary(depth, 0);
    if (!accept('?')) return test;
    const yes = choice(depth + 1);
    expect(':');
    return { kind: 'choice', test, yes, no: choice(depth + 1) };
  };
  const LEVELS = [['||'], ['&&'], ['===', '!==', '==', '!=']];
  const binary = (depth: number, level: number): Expression => {
    const operators = LEVELS[level];
    if (operators === undefined) return unary(depth);
    let left = binary(depth, level + 1);
    for (let operator = operators.find(accept); operator !== undefined; operator = operators.find(accept))
      left = { kind: 'binary', operator, left, right: binary(depth, level + 1) };
    return left;
  };
  const unary = (depth: number): Expression => {
    if (depth > MAX_DEPTH) throw new NotAnExpression('too deep');
    if (accept('!')) return { kind: 'not', value: unary(depth + 1) };
    let value = primary(depth);
    for (let links = 0; ; links++) {
      if (links > MAX_DEPTH) throw new NotAnExpression('too long a chain');
      if (accept('.')) value = { kind: 'member', of: value, name: nameOf() };
      else if (accept('(')) value = { kind: 'call', callee: value, args: list(')', depth + 1) };
      else return value;
    }
  };
  const nameOf = (): string => {
    const { kind, text: name } = peek();
    if (kind !== 'name' && kind !== 'text') throw new NotAnExpression(name);
    at++;
    return name;
  };
  const primary = (depth: number): Expression => {
    const token = peek();
    at++;
    if (token.kind === 'text') return { kind: 'literal', value: token.text };
    if (token.kind === 'number') return { kind: 'literal', value: Number(token.text) };
    if (token.kind === 'name')
      return CONSTANTS.has(token.text)
        ? { kind: 'literal', value: CONSTANTS.get(token.text) ?? null }
        : { kind: 'name', name: token.text };
    if (token.text === '(') {
      const value = choice(depth + 1);
      expect(')');
      return value;
    }
    if (token.text === '[') return { kind: 'array', items: list(']', depth + 1) };
    if (token.text !== '{') throw new NotAnExpression(token.text);
    const entries: [string, Expression][] = [];
    while (!accept('}')) {
      const name = nameOf();
      expect(':');
      entries.push([name, choice(depth + 1)]);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    return { kind: 'object', entries };
  };
  const all: Expression[] = [];
  while (peek().kind !== 'end') {
    if (accept(';')) continue;
    all.push(choice(0));
    if (peek().kind !== 'end') expect(';');
  }
  return all;
}
