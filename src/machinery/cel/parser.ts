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

/** The loosest levels are those of logic. */
const LOGIC_LEVELS = 2;

interface Reader {
  peek(ahead?: number): Token;
  next(): Token;
  /** How many conditionals the one being read is in, itself included. */
  depth: number;
}

/** cel-go's bounds of what it parses (parser/options.go), and where it says so: nowhere. */
const MAX_DEPTH = 250;
const MAX_CODE_POINTS = 100_000;
export const NOWHERE = -1;

/** How deep operators and members are in each other. Logic is not counted: its trees are balanced. */
const depths = new WeakMap<Expr, number>();
const depthOf = (expr: Expr): number => depths.get(expr) ?? 0;

/** @throws SyntaxProblem when the expression is nested too deep */
function nested<T extends Expr>(expr: T, children: readonly Expr[], own: 0 | 1): T {
  const depth = own + children.reduce((most, child) => Math.max(most, depthOf(child)), 0);
  if (depth > MAX_DEPTH) throw new SyntaxProblem({ at: NOWHERE, text: 'max recursion depth exceeded' });
  depths.set(expr, depth);
  return expr;
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
  if (++reader.depth > MAX_DEPTH)
    throw new SyntaxProblem({ at: NOWHERE, text: `expression recursion limit exceeded: ${MAX_DEPTH}` });
  const expr = openConditional(reader);
  reader.depth--;
  return expr;
}

function openConditional(reader: Reader): Expr {
  const condition = binary(reader, 0);
  const mark = reader.peek();
  if (mark.kind !== 'op' || mark.text !== '?') return condition;
  reader.next();
  const then = binary(reader, 0);
  const colon = reader.peek();
  if (colon.text !== ':') unexpected(colon, reader.peek(1).text === ':', "':'");
  reader.next();
  const args = [condition, then, conditional(reader)];
  return nested({ kind: 'call', target: undefined, name: '_?_:_', args, at: mark.at }, args, 1);
}

function binary(reader: Reader, level: number): Expr {
  const operators = LEVELS[level];
  if (operators === undefined) return unary(reader);
  if (level < LOGIC_LEVELS) return logic(reader, level, operators);
  let left = binary(reader, level + 1);
  for (;;) {
    const token = reader.peek();
    const isOperator = (token.kind === 'op' || token.text === 'in') && operators.includes(token.text);
    if (!isOperator) return left;
    reader.next();
    const name = token.text === 'in' ? '@in' : `_${token.text}_`;
    const args = [left, binary(reader, level + 1)];
    left = nested({ kind: 'call', target: undefined, name, args, at: token.at }, args, 1);
  }
}

/** A chain of "||" or "&&" as a balanced tree, as cel-go makes it: such chains may be long. */
function logic(reader: Reader, level: number, [operator = '']: readonly string[]): Expr {
  const terms = [binary(reader, level + 1)];
  const places: number[] = [];
  for (let token = reader.peek(); token.kind === 'op' && token.text === operator; token = reader.peek()) {
    places.push(reader.next().at);
    terms.push(binary(reader, level + 1));
  }
  const tree = (from: number, to: number): Expr => {
    if (from === to) return terms[from] as Expr;
    const middle = Math.floor((from + to) / 2);
    const args = [tree(from, middle), tree(middle + 1, to)];
    const at = places[middle] ?? 0;
    return nested({ kind: 'call', target: undefined, name: `_${operator}_`, args, at }, args, 0);
  };
  return tree(0, terms.length - 1);
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
  return nested(
    { kind: 'call', target: undefined, name: `${first.text}_`, args: [operand], at: first.at },
    [operand],
    0,
  );
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
      const args = [expr, index];
      expr = nested({ kind: 'call', target: undefined, name: '_[_]', args, at: token.at }, args, 1);
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
  if (paren.kind !== 'op' || paren.text !== '(')
    return nested({ kind: 'select', of, field: name.text, at: dot.at }, [of], 1);
  const args = callArguments(reader);
  return nested({ kind: 'call', target: of, name: name.text, args, at: paren.at }, [of, ...args], 1);
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
    if (token.text === '{') {
      const entries = braces(reader);
      return nested({ kind: 'map', entries, at: token.at }, entries.flat(), 0);
    }
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
  if (paren.kind === 'op' && paren.text === '(') {
    const args = callArguments(reader);
    return nested({ kind: 'call', target: undefined, name: text, args, at: paren.at }, args, 0);
  }
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
  return nested({ kind: 'list', items, at }, items, 0);
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
  // Code points are at most as many as characters.
  const size = source.length > MAX_CODE_POINTS ? [...source].length : source.length;
  if (size > MAX_CODE_POINTS) {
    const text = `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}`;
    return { problems: [{ at: NOWHERE, text }] };
  }
  const { tokens, problems } = tokenize(source);
  const last = tokens[tokens.length - 1] as Token;
  let i = 0;
  const reader: Reader = {
    peek: (ahead = 0) => tokens[i + ahead] ?? last,
    next: () => tokens[i++] ?? last,
    depth: 0,
  };
  try {
    const expr = conditional(reader);
    const rest = reader.peek();
    if (rest.kind !== 'end') unexpected(rest, reader.peek(1).kind === 'end', '<EOF>');
    return problems.length > 0 ? { problems } : { expr, problems };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { problems: error.problem.at === NOWHERE ? [error.problem] : [...problems, error.problem] };
  }
}
