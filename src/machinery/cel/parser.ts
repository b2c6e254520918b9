import { tokenize, type Problem, type Token } from './tokens.js';

export type Expr =
  | { readonly kind: 'literal'; readonly type: string; readonly value: string; readonly at: number }
  | { readonly kind: 'ident'; readonly name: string; readonly at: number }
  | { readonly kind: 'select'; readonly of: Expr; readonly field: string; readonly at: number }
  | {
      readonly kind: 'call';
      readonly target: Expr | undefined;
      readonly name: string;
      readonly args: readonly Expr[];
      readonly at: number;
    }
  | { readonly kind: 'list'; readonly items: readonly Expr[]; readonly at: number }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Expr, Expr])[]; readonly at: number }
  | { readonly kind: 'message'; readonly at: number };

class SyntaxProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.text);
  }
}

const PREFIXES =
  "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
const BEGINS = `{${PREFIXES}}`;
const ARGUMENT_BEGINS = `{${PREFIXES.replace("'(', '.'", "'(', ')', '.'")}}`;

const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const LITERALS: Readonly<Record<string, string>> = { true: 'bool', false: 'bool', null: 'null_type' };
const NUMBERS: Readonly<Record<string, string>> = { int: 'int', uint: 'uint', float: 'double' };

/** Binary operators by how tightly they bind, loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];

interface Reader {
  peek(ahead?: number): Token;
  next(): Token;
}

const isIdent = (token: Token): boolean => token.kind === 'ident' && token.text !== 'in';
const beginsExpr = (token: Token): boolean =>
  token.kind === 'op' ? '[{(.-!'.includes(token.text) : token.kind !== 'end' && token.text !== 'in';

const fail = (token: Token, text: string): never => {
  throw new SyntaxProblem({ at: token.at, text: `Syntax error: ${text}` });
};

/** ANTLR's words: the token after a stray one tells whether it is stray or a mistake. */
const unexpected = (token: Token, isStray: boolean, expected: string): never =>
  fail(token, `${isStray ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${expected}`);

function close(reader: Reader, text: string): void {
  const token = reader.peek();
  if (token.text === text && token.kind === 'op') return void reader.next();
  if (reader.peek(1).text === text) unexpected(token, true, `'${text}'`);
  if (token.kind === 'end' || token.kind === 'op') fail(token, `missing '${text}' at '${token.text}'`);
  unexpected(token, false, `'${text}'`);
}

function conditional(reader: Reader): Expr {
  const condition = binary(reader, 0);
  const mark = reader.peek();
  if (mark.kind !== 'op' || mark.text !== '?') return condition;
  reader.next();
  const then = binary(reader, 0);
  const colon = reader.peek();
  if (colon.text !== ':') unexpected(colon, reader.peek(1).text === ':', "':'");
  reader.next();
  return { kind: 'call', target: undefined, name: '_?_:_', args: [condition, then, conditional(reader)], at: mark.at };
}

function binary(reader: Reader, level: number): Expr {
  const operators = LEVELS[level];
  if (operators === undefined) return unary(reader);
  let left = binary(reader, level + 1);
  for (;;) {
    const token = reader.peek();
    const isOperator = (token.kind === 'op' || token.text === 'in') && operators.includes(token.text);
    if (!isOperator) return left;
    reader.next();
    const name = token.text === 'in' ? '@in' : `_${token.text}_`;
    left = { kind: 'call', target: undefined, name, args: [left, binary(reader, level + 1)], at: token.at };
  }
}

function unary(reader: Reader): Expr {
  const first = reader.peek();
  if (first.kind !== 'op' || (first.text !== '!' && first.text !== '-')) return member(reader);
  let count = 0;
  while (reader.peek().kind === 'op' && reader.peek().text === first.text) {
    reader.next();
    count++;
  }
  const operand = member(reader);
  if (first.text === '-' && count === 1 && operand.kind === 'literal' && operand.type in { int: 1, double: 1 })
    return { ...operand, at: first.at };
  // An even number of them is none.
  if (count % 2 === 0) return operand;
  return { kind: 'call', target: undefined, name: `${first.text}_`, args: [operand], at: first.at };
}

function member(reader: Reader): Expr {
  let expr = primary(reader);
  for (;;) {
    const token = reader.peek();
    if (token.kind !== 'op') return expr;
    if (token.text === '.') expr = selection(reader, expr);
    else if (token.text === '[') {
      reader.next();
      if (reader.peek().text === '?') reader.next();
      const index = conditional(reader);
      close(reader, ']');
      expr = { kind: 'call', target: undefined, name: '_[_]', args: [expr, index], at: token.at };
    } else if (token.text === '{' && (expr.kind === 'ident' || expr.kind === 'select')) {
      braces(reader);
      expr = { kind: 'message', at: token.at };
    } else return expr;
  }
}

function selection(reader: Reader, of: Expr): Expr {
  const dot = reader.next();
  if (reader.peek().text === '?') reader.next();
  const name = reader.peek();
  if (!isIdent(name)) {
    const isAlternative = name.kind === 'end' || name.kind === 'op';
    if (isAlternative) fail(name, `no viable alternative at input '.${name.kind === 'end' ? '' : name.text}'`);
    fail(name, `no viable alternative at input '.${name.text}'`);
  }
  reader.next();
  const paren = reader.peek();
  if (paren.kind !== 'op' || paren.text !== '(') return { kind: 'select', of, field: name.text, at: dot.at };
  return { kind: 'call', target: of, name: name.text, args: callArguments(reader), at: paren.at };
}

/** The list after "(" of a call. */
function callArguments(reader: Reader): Expr[] {
  reader.next();
  const args: Expr[] = [];
  if (reader.peek().text === ')' && reader.peek().kind === 'op') {
    reader.next();
    return args;
  }
  if (!beginsExpr(reader.peek())) unexpected(reader.peek(), false, ARGUMENT_BEGINS);
  for (;;) {
    args.push(conditional(reader));
    if (reader.peek().text !== ',') break;
    reader.next();
  }
  close(reader, ')');
  return args;
}

function primary(reader: Reader): Expr {
  let token = reader.peek();
  if (token.kind === 'op' && token.text === '.' && isIdent(reader.peek(1))) {
    reader.next();
    token = reader.peek();
  }
  if (token.kind === 'op') {
    if (token.text === '(') {
      reader.next();
      const inner = conditional(reader);
      close(reader, ')');
      return inner;
    }
    if (token.text === '[') return listLiteral(reader);
    if (token.text === '{') return { kind: 'map', entries: braces(reader), at: token.at };
    unexpected(token, beginsExpr(reader.peek(1)), BEGINS);
  }
  if (token.kind === 'end' || token.text === 'in') unexpected(token, beginsExpr(reader.peek(1)), BEGINS);
  reader.next();
  const { text, at } = token;
  const number = NUMBERS[token.kind];
  if (number !== undefined) return { kind: 'literal', type: number, value: text, at };
  if (token.kind === 'string' || token.kind === 'bytes') return { kind: 'literal', type: token.kind, value: text, at };
  const literal = Object.hasOwn(LITERALS, text) ? LITERALS[text] : undefined;
  if (literal !== undefined) return { kind: 'literal', type: literal, value: text, at };
  if (RESERVED.has(text)) throw new SyntaxProblem({ at, text: `reserved identifier: ${text}` });
  const paren = reader.peek();
  if (paren.kind === 'op' && paren.text === '(')
    return { kind: 'call', target: undefined, name: text, args: callArguments(reader), at: paren.at };
  return { kind: 'ident', name: text, at };
}

function listLiteral(reader: Reader): Expr {
  const { at } = reader.next();
  const items: Expr[] = [];
  while (reader.peek().text !== ']' || reader.peek().kind !== 'op') {
    if (reader.peek().text === '?') reader.next();
    items.push(conditional(reader));
    const token = reader.peek();
    if (token.kind === 'op' && token.text === ',') reader.next();
    else if (token.text !== ']') unexpected(token, reader.peek(1).text === ']', "{']', ','}");
  }
  reader.next();
  return { kind: 'list', items, at };
}

/** Entries of a map or of a message. */
function braces(reader: Reader): (readonly [Expr, Expr])[] {
  reader.next();
  const entries: (readonly [Expr, Expr])[] = [];
  while (reader.peek().text !== '}' || reader.peek().kind !== 'op') {
    if (reader.peek().text === '?') reader.next();
    const key = conditional(reader);
    const colon = reader.peek();
    if (colon.text !== ':') unexpected(colon, reader.peek(1).text === ':', "':'");
    reader.next();
    entries.push([key, conditional(reader)]);
    const token = reader.peek();
    if (token.kind === 'op' && token.text === ',') reader.next();
    else if (token.text !== '}') unexpected(token, reader.peek(1).text === '}', "{'}', ','}");
  }
  reader.next();
  return entries;
}

/** The expression, or why it is none: the first problem of the grammar, after those of the words. */
export function parseCel(source: string): { readonly expr?: Expr; readonly problems: readonly Problem[] } {
  const { tokens, problems } = tokenize(source);
  const last = tokens[tokens.length - 1] as Token;
  let i = 0;
  const reader: Reader = {
    peek: (ahead = 0) => tokens[i + ahead] ?? last,
    next: () => tokens[i++] ?? last,
  };
  try {
    const expr = conditional(reader);
    const rest = reader.peek();
    if (rest.kind !== 'end') unexpected(rest, reader.peek(1).kind === 'end', '<EOF>');
    return problems.length > 0 ? { problems } : { expr, problems };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { problems: [...problems, error.problem] };
  }
}
