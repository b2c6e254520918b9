import type { Call, Expr, Literal, MapEntry, StructField } from '../ast.js';
import type { Macro } from '../declarations.js';
import type { Steps } from '../../steps.js';
import { tokenize, type Problem, type Token } from '../tokens.js';
import { readBytes, readDouble, readInt, readString, readUint, type Read } from './literals.js';
import { copyExpr } from './copy.js';
import { createMaker, MacroProblem } from './maker.js';
import { NOWHERE } from './problems.js';

/** What an environment has of syntax. */
export interface Syntax {
  /** `a.?b`, `a[?b]`, `[?x]`, `{?k: v}` */
  readonly optionals: boolean;
  /** Field names in backquotes. */
  readonly escapedNames: boolean;
  /** Undefined: the call is no macro. */
  macro(name: string, isMember: boolean, args: number): Macro | undefined;
}

/** Where reading ends: for a reason, unless that has been told. */
class SyntaxProblem extends Error {
  constructor(readonly problem: Problem | undefined) {
    super(problem?.text);
  }
}

const PREFIXES =
  "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
const BEGINS = `{${PREFIXES}}`;
const ARGUMENT_BEGINS = `{${PREFIXES.replace("'(', '.'", "'(', ')', '.'")}}`;

const LIST_BEGINS = `{${PREFIXES.replace("'['", "'[', ']'").replace("'.'", "'.', ','").replace("'!'", "'!', '?'")}}`;
const MAP_BEGINS = `{${PREFIXES.replace("'{'", "'{', '}'").replace("'.'", "'.', ','").replace("'!'", "'!', '?'")}}`;

export const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
);
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Binary operators by how tightly they bind, loosest first; the first two are logic. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];
const LOGIC_LEVELS = 2;

/** What may come behind a whole operand wherever it stands. */
const MEMBERS: ReadonlySet<string> = new Set('. [ ? || && < <= >= > == != + - * / %'.split(' '));

/** cel-go's bounds of what it parses (parser/options.go), and where it says so: nowhere. */
const MAX_DEPTH = 250;
const MAX_CODE_POINTS = 100_000;
/** A copy of a copy of a copy is soon more than there is memory for. */
const MAX_COPIES = 10_000;

/** The grammar, as cel-go's ANTLR grammar has it, in one pass. Stops at the first problem of the grammar. */
class Parser {
  private next = 0;
  /** Nothing has been read since the last problem: what is wrong now comes of it. */
  private isRecovering = false;
  /** Expressions that macros have copied. */
  private copies = 0;
  /** How many conditionals the one being read is in, itself included. */
  private open = 0;
  /** What may come behind an expression in what is open, inner ones last. */
  private readonly around: string[] = [];
  /** How deep operators and members are in each other. Logic is not counted: its trees are balanced. */
  private readonly depths = new WeakMap<Expr, number>();

  constructor(
    private readonly tokens: readonly Token[],
    private readonly syntax: Syntax,
    readonly problems: Problem[],
  ) {}

  start(): Expr {
    const expr = this.conditional();
    if (this.peek().kind !== 'end') this.unexpected(this.peek(), this.peek(1).kind === 'end', '<EOF>');
    return expr;
  }

  private peek(ahead = 0): Token {
    return (this.tokens[this.next + ahead] ?? this.tokens[this.tokens.length - 1]) as Token;
  }

  private take(): Token {
    const token = this.peek();
    this.next++;
    this.isRecovering = false;
    return token;
  }

  private isOperator(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'op' && token.text === text;
  }

  private skip(text: string): Token | undefined {
    return this.isOperator(text) ? this.take() : undefined;
  }

  private fail(at: number, text: string): never {
    throw new SyntaxProblem(this.isRecovering ? undefined : { at, text: `Syntax error: ${text}` });
  }

  /** Says what is wrong with the grammar and goes on. */
  private report(at: number, text: string): void {
    if (!this.isRecovering) this.problems.push({ at, text: `Syntax error: ${text}` });
    this.isRecovering = true;
  }

  /** ANTLR's words: the token after a stray one tells whether it is stray or a mistake. */
  private unexpected(token: Token, isStray: boolean, expected: string): never {
    return this.fail(token.at, `${isStray ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${expected}`);
  }

  private expect(text: string): Token {
    if (this.isOperator(text)) return this.take();
    const token = this.peek();
    if (this.isRecovering) throw new SyntaxProblem(undefined);
    // Both are forgiven, as ANTLR does it: what comes behind may be wrong, too.
    if (this.isOperator(text, 1)) {
      this.report(token.at, `extraneous input '${token.text}' expecting '${text}'`);
      this.next++;
      return this.take();
    }
    if (!this.mayFollow(token)) this.unexpected(token, false, `'${text}'`);
    this.report(token.at, `missing '${text}' at '${token.text}'`);
    return token;
  }

  /** Whether a token may stand behind what is closed last: ANTLR says that the end is missing then. */
  private mayFollow({ kind, text }: Token): boolean {
    const around = this.around[this.around.length - 2];
    if (kind === 'end') return true;
    if (kind !== 'op') return text === 'in';
    if (MEMBERS.has(text)) return true;
    return around !== undefined && around.includes(text);
  }

  private begins(token: Token): boolean {
    if (token.kind === 'op') return '[{(.-!'.includes(token.text);
    return token.kind !== 'end' && token.kind !== 'escaped' && token.text !== 'in';
  }

  /** Says what is wrong and goes on: what stands there does not matter any more. */
  private problem<T extends Expr>(at: number, text: string, instead: T): T {
    this.problems.push({ at, text });
    return instead;
  }

  private deep<T extends Expr>(expr: T, children: readonly Expr[], own: 0 | 1): T {
    let depth = 0;
    for (const child of children) depth = Math.max(depth, this.depths.get(child) ?? 0);
    depth += own;
    if (depth > MAX_DEPTH) throw new SyntaxProblem({ at: NOWHERE, text: 'max recursion depth exceeded' });
    this.depths.set(expr, depth);
    return expr;
  }

  private call(name: string, at: number, args: readonly Expr[], own: 0 | 1): Expr {
    return this.deep<Call>({ kind: 'call', target: undefined, name, args, at }, args, own);
  }

  /** What stands before a token that closes it. */
  private within<T>(end: string, read: () => T, after = end): T {
    this.around.push(after);
    const inner = read();
    this.expect(end);
    this.around.pop();
    return inner;
  }

  private conditional(): Expr {
    if (++this.open > MAX_DEPTH)
      throw new SyntaxProblem({ at: NOWHERE, text: `expression recursion limit exceeded: ${MAX_DEPTH}` });
    const expr = this.openConditional();
    this.open--;
    return expr;
  }

  private openConditional(): Expr {
    const condition = this.binary(0);
    const mark = this.skip('?');
    if (mark === undefined) return condition;
    const then = this.binary(0);
    const colon = this.peek();
    if (!this.isOperator(':')) this.unexpected(colon, this.isOperator(':', 1), "':'");
    this.take();
    return this.call('_?_:_', mark.at, [condition, then, this.conditional()], 1);
  }

  private binary(level: number): Expr {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    if (level < LOGIC_LEVELS) return this.logic(level, operators[0] as string);
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.peek();
      const isIn = token.kind === 'ident' && token.text === 'in';
      if (!(token.kind === 'op' || isIn) || !operators.includes(token.text)) return left;
      this.take();
      left = this.call(isIn ? '@in' : `_${token.text}_`, token.at, [left, this.binary(level + 1)], 1);
    }
  }

  /** A chain of "||" or "&&" as a balanced tree, as cel-go makes it: such chains may be long. */
  private logic(level: number, operator: string): Expr {
    const terms = [this.binary(level + 1)];
    const places: number[] = [];
    for (let token = this.skip(operator); token !== undefined; token = this.skip(operator)) {
      places.push(token.at);
      terms.push(this.binary(level + 1));
    }
    const tree = (low: number, high: number): Expr => {
      if (low > high) return terms[low] as Expr;
      const middle = Math.floor((low + high + 1) / 2);
      const args = [tree(low, middle - 1), tree(middle + 1, high)];
      return this.call(`_${operator}_`, places[middle] as number, args, 0);
    };
    return tree(0, places.length - 1);
  }

  private unary(): Expr {
    const first = this.peek();
    if (!this.isOperator('!') && !this.isOperator('-')) return this.member();
    let count = 0;
    while (this.skip(first.text) !== undefined) count++;
    const number = this.peek();
    const isNumber = (token: Token): boolean => token.kind === 'int' || token.kind === 'float';
    if (first.text === '-' && count === 1 && isNumber(number)) return this.members(this.number(this.take(), first.at));
    const isNegative = first.text === '!' && this.isOperator('-');
    if (isNegative && isNumber(this.peek(1))) {
      const sign = this.take();
      const operand = this.members(this.number(this.take(), sign.at));
      return count % 2 === 0 ? operand : this.call('!_', first.at, [operand], 0);
    }
    if (isNegative) this.noViable('-', this.peek(1));
    if (!this.begins(number) || (first.text === '-' && this.isOperator('!'))) {
      if (first.text === '!') this.unexpected(number, true, BEGINS);
      this.noViable('-', number);
    }
    const operand = this.member();
    // An even number of them is none.
    return count % 2 === 0 ? operand : this.call(`${first.text}_`, first.at, [operand], 0);
  }

  /** ANTLR has looked ahead as far as `token`, and goes on from there where it could be an operand. */
  private noViable(before: string, token: Token): never {
    const shown = token.kind === 'end' ? '' : token.text;
    this.problems.push({ at: token.at, text: `Syntax error: no viable alternative at input '${before}${shown}'` });
    if (this.begins(token)) throw new SyntaxProblem(undefined);
    return this.unexpected(token, false, BEGINS);
  }

  private literal(at: number, read: Read): Literal {
    const value = 'value' in read ? read.value : null;
    const expr: Literal = { kind: 'literal', value, at };
    return 'value' in read ? expr : this.problem(at, read.problem, expr);
  }

  private number(token: Token, signAt?: number): Literal {
    const isNegative = signAt !== undefined;
    const read = token.kind === 'int' ? readInt(token.text, isNegative) : readDouble(token.text, isNegative);
    return this.literal(signAt ?? token.at, read);
  }

  private member(): Expr {
    const dot = this.isOperator('.') && this.peek(1).kind === 'ident' ? this.take() : undefined;
    const token = this.peek();
    if (token.kind !== 'ident' || token.text === 'in' || CONSTANTS.has(token.text)) return this.members(this.primary());
    const message = this.messageName();
    if (message !== undefined) return this.members(this.message(`${dot === undefined ? '' : '.'}${message}`));
    return this.members(this.named(dot === undefined ? '' : '.'));
  }

  /** The name before "{" when names with dots between them are. */
  private messageName(): string | undefined {
    let ahead = 1;
    while (this.isOperator('.', ahead) && this.peek(ahead + 1).kind === 'ident') ahead += 2;
    if (!this.isOperator('{', ahead)) return undefined;
    let name = '';
    for (; ahead > 0; ahead--) name += this.take().text;
    return name;
  }

  private message(name: string): Expr {
    const { at } = this.take();
    const fields: StructField[] = [];
    this.around.push('},');
    while (!this.isOperator('}')) {
      const optional = this.optional();
      const field = this.peek();
      if (field.kind !== 'ident' && field.kind !== 'escaped')
        this.unexpected(field, this.isOperator('}', 1), "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}");
      this.take();
      const colon = this.colon();
      fields.push({ name: this.fieldName(field), value: this.conditional(), optional, at: colon.at });
      this.separator('}');
    }
    this.around.pop();
    this.take();
    return this.deep(
      { kind: 'struct', name, fields, at },
      fields.map(field => field.value),
      0,
    );
  }

  private fieldName(token: Token): string {
    if (token.kind !== 'escaped') return token.text;
    if (!this.syntax.escapedNames) this.problems.push({ at: token.at, text: "unsupported syntax: '`'" });
    return token.text.slice(1, -1);
  }

  private colon(): Token {
    if (!this.isOperator(':')) this.unexpected(this.peek(), this.isOperator(':', 1), "':'");
    return this.take();
  }

  /** "?" before an entry. */
  private optional(): boolean {
    const mark = this.skip('?');
    if (mark !== undefined && !this.syntax.optionals)
      this.problems.push({ at: mark.at, text: "unsupported syntax '?'" });
    return mark !== undefined;
  }

  private separator(end: string): void {
    if (this.isOperator(end)) return;
    if (this.skip(',') === undefined) this.unexpected(this.peek(), this.isOperator(end, 1), `{'${end}', ','}`);
    if (this.isOperator(',')) this.unexpected(this.peek(), this.isOperator(end, 1), `'${end}'`);
  }

  /** An empty list or map may have a comma in it. */
  private first(end: string, expected: string): void {
    if (this.isOperator(',') && this.isOperator(end, 1)) this.take();
    const token = this.peek();
    if (this.begins(token) || this.isOperator('?') || this.isOperator(end)) return;
    this.unexpected(token, this.begins(this.peek(1)), expected);
  }

  private members(first: Expr): Expr {
    let expr = first;
    for (;;) {
      if (this.isOperator('.')) expr = this.selection(expr);
      else if (this.isOperator('[')) expr = this.index(expr);
      else return expr;
    }
  }

  private index(of: Expr): Expr {
    const { at } = this.take();
    const isOptional = this.skip('?') !== undefined;
    if (!isOptional && !this.begins(this.peek()))
      this.unexpected(this.peek(), this.begins(this.peek(1)), BEGINS.replace("'!'", "'!', '?'"));
    const args = [of, this.within(']', () => this.conditional())];
    const expr = this.call(isOptional ? '_[?_]' : '_[_]', at, args, 1);
    return isOptional && !this.syntax.optionals ? this.problem(at, "unsupported syntax '[?'", expr) : expr;
  }

  private selection(of: Expr): Expr {
    const dot = this.take();
    const isOptional = this.skip('?') !== undefined;
    if (isOptional && this.isOperator('?') && this.peek(1).kind === 'ident') {
      this.report(this.peek().at, "extraneous input '?' expecting {IDENTIFIER, ESC_IDENTIFIER}");
      this.next++;
    }
    const name = this.peek();
    const isName = name.kind === 'ident' && name.text !== 'in' && !CONSTANTS.has(name.text);
    if (!isName && name.kind !== 'escaped') {
      if (isOptional) {
        const text = `Syntax error: mismatched input '${name.text}' expecting {IDENTIFIER, ESC_IDENTIFIER}`;
        this.problems.push({ at: name.at, text }, { at: name.at, text: 'unsupported ident kind' });
        throw new SyntaxProblem(undefined);
      }
      if (CONSTANTS.has(name.text) && name.kind === 'ident') {
        const text = `Syntax error: mismatched input '${name.text}' expecting IDENTIFIER`;
        this.take();
        return this.problem(name.at, text, { kind: 'select', of, field: name.text, test: false, at: dot.at });
      }
      if (name.kind === 'ident' && name.text === 'in') {
        this.report(name.at, "no viable alternative at input '.in'");
        return of;
      }
      this.fail(name.at, `no viable alternative at input '.${name.kind === 'end' ? '' : name.text}'`);
    }
    this.take();
    if (isOptional) {
      const field: Literal = { kind: 'literal', value: this.fieldName(name), at: name.at };
      const expr = this.call('_?._', dot.at, [of, field], 1);
      return this.syntax.optionals ? expr : this.problem(dot.at, "unsupported syntax '.?'", expr);
    }
    const paren = this.peek();
    if (!this.isOperator('(') || name.kind === 'escaped')
      return this.deep({ kind: 'select', of, field: this.fieldName(name), test: false, at: dot.at }, [of], 1);
    return this.callOrMacro(of, name.text, this.args(), paren.at);
  }

  /** A call, or what the macro of its name makes of it. */
  private callOrMacro(target: Expr | undefined, name: string, args: readonly Expr[], at: number): Expr {
    const children = target === undefined ? args : [target, ...args];
    const own = target === undefined ? 0 : 1;
    const call = this.deep<Call>({ kind: 'call', target, name, args, at }, children, own);
    const macro = this.syntax.macro(name, target !== undefined, args.length);
    if (macro === undefined) return call;
    try {
      const expanded = macro.expand(
        createMaker(at, expr => this.copy(expr)),
        target,
        args,
      );
      if (expanded === undefined) return call;
      this.depths.set(expanded, this.depths.get(call) ?? 0);
      return expanded;
    } catch (error) {
      if (!(error instanceof MacroProblem)) throw error;
      return this.problem(error.at, error.message, call);
    }
  }

  /** The same once more, unless that has been done so often that expressions would grow without bounds. */
  private copy(expr: Expr): Expr {
    const copied = copyExpr(expr, () => this.copies++ < MAX_COPIES);
    this.depths.set(copied, this.depths.get(expr) ?? 0);
    return copied;
  }

  /** The list after "(" of a call. */
  private args(): Expr[] {
    this.take();
    const args: Expr[] = [];
    if (this.skip(')') !== undefined) return args;
    if (!this.begins(this.peek()))
      this.unexpected(this.peek(), this.begins(this.peek(1)) || this.isOperator(')', 1), ARGUMENT_BEGINS);
    this.within(
      ')',
      () => {
        do args.push(this.conditional());
        while (this.skip(',') !== undefined);
      },
      '),',
    );
    return args;
  }

  private named(prefix: string): Expr {
    const { text, at } = this.take();
    const paren = this.isOperator('(') ? this.peek() : undefined;
    const args = paren === undefined ? [] : this.args();
    if (RESERVED.has(text)) return this.problem(at, `reserved identifier: ${text}`, { kind: 'ident', name: text, at });
    if (paren !== undefined) return this.callOrMacro(undefined, prefix + text, args, paren.at);
    return { kind: 'ident', name: prefix + text, at };
  }

  private primary(): Expr {
    const token = this.peek();
    if (this.skip('(') !== undefined) return this.within(')', () => this.conditional());
    if (this.isOperator('[')) return this.list();
    if (this.isOperator('{')) return this.map();
    if (!this.begins(token) || token.kind === 'op') return this.noOperand(token);
    this.take();
    switch (token.kind) {
      case 'int':
      case 'float':
        return this.number(token);
      case 'uint':
        return this.literal(token.at, readUint(token.text));
      case 'string':
        return this.literal(token.at, readString(token.text));
      case 'bytes':
        return this.literal(token.at, readBytes(token.text));
      default:
        return { kind: 'literal', value: CONSTANTS.get(token.text) ?? null, at: token.at };
    }
  }

  /** Where there is none: one stray token is left out, else it goes on behind the operand that there is not. */
  private noOperand(token: Token): Expr {
    const isStray = this.begins(this.peek(1));
    this.report(token.at, `${isStray ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${BEGINS}`);
    if (isStray) {
      this.next++;
      return this.unary();
    }
    while (!this.mayEnd(this.peek())) this.next++;
    return { kind: 'ident', name: '', at: token.at };
  }

  private mayEnd({ kind, text }: Token): boolean {
    if (kind === 'end' || (kind === 'ident' && text === 'in')) return true;
    return kind === 'op' && (MEMBERS.has(text) || this.around.some(after => after.includes(text)));
  }

  private list(): Expr {
    const { at } = this.take();
    const items: Expr[] = [];
    const optional = new Set<number>();
    this.first(']', LIST_BEGINS);
    this.around.push('],');
    while (!this.isOperator(']')) {
      if (this.optional()) optional.add(items.length);
      items.push(this.conditional());
      this.separator(']');
    }
    this.around.pop();
    this.take();
    return this.deep({ kind: 'list', items, optional, at }, items, 0);
  }

  private map(): Expr {
    const { at } = this.take();
    const entries: MapEntry[] = [];
    this.first('}', MAP_BEGINS);
    this.around.push('},:');
    while (!this.isOperator('}')) {
      const optional = this.optional();
      const key = this.conditional();
      const colon = this.colon();
      entries.push({ key, value: this.conditional(), optional, at: colon.at });
      this.separator('}');
    }
    this.around.pop();
    this.take();
    return this.deep(
      { kind: 'map', entries, at },
      entries.flatMap(entry => [entry.key, entry.value]),
      0,
    );
  }
}

/** The expression with its macros expanded, or why it is none. Its words are read first, and then it rests. */
export function* parse(source: string, syntax: Syntax): Steps<Expr | readonly Problem[]> {
  // Code points are at most as many as characters.
  const size = source.length > MAX_CODE_POINTS ? [...source].length : source.length;
  if (size > MAX_CODE_POINTS) {
    const text = `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}`;
    return [{ at: NOWHERE, text }];
  }
  const { tokens, problems } = tokenize(source);
  yield;
  const parser = new Parser(tokens, syntax, [...problems]);
  try {
    const expr = parser.start();
    return parser.problems.length > 0 ? parser.problems : expr;
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const { problem } = error;
    if (problem === undefined) return parser.problems;
    return problem.at === NOWHERE ? [problem] : [...parser.problems, problem];
  }
}
