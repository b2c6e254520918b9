import type { Expr } from '../ast.js';
import type { Steps } from '../../steps.js';
import { tokenize, type Problem, type Token } from '../tokens.js';
import { OPERAND } from './expected-tokens.js';
import { Members } from './members.js';
import { Primaries, type Grammar } from './primaries.js';
import { NOWHERE } from './problems.js';
import type { Syntax } from './syntax.js';
import { beginsOperand, SyntaxProblem, TokenStream } from './token-stream.js';
import { MAX_DEPTH, TreeBuilder } from './tree-builder.js';

/** Binary operators by how tightly they bind, loosest first; the first two are logic. */
const LEVELS: ReadonlyMap<string, number> = new Map(
  ['||', '&&', '< <= >= > == != in', '+ -', '* / %'].flatMap((operators, level) =>
    operators.split(' ').map(operator => [operator, level] as const),
  ),
);
const LOGIC_LEVELS = 2;
const NO_LEVEL = -1;

/** How tightly a token binds what is on both sides of it. */
function levelOf({ kind, text }: Token): number {
  if (kind === 'op' || (kind === 'ident' && text === 'in')) return LEVELS.get(text) ?? NO_LEVEL;
  return NO_LEVEL;
}

/** An operator whose right side is being read; of logic, all terms of a chain before that. */
interface Pending {
  readonly level: number;
  readonly operators: Token[];
  readonly terms: Expr[];
}

/** cel-go's bound of what it reads (parser/options.go). */
const MAX_CODE_POINTS = 100_000;

/**
 * The grammar, as cel-go's ANTLR grammar has it, in one pass: operators here, what they stand between in `members`.
 * Stops at the first problem of the grammar.
 */
class Parser implements Grammar {
  /** How many conditionals the one being read is in, itself included. */
  private open = 0;
  readonly tree: TreeBuilder;
  private readonly primaries: Primaries;
  private readonly members: Members;

  constructor(
    private readonly tokens: TokenStream,
    syntax: Syntax,
  ) {
    this.tree = new TreeBuilder(tokens, syntax);
    this.primaries = new Primaries(tokens, this.tree, syntax, this);
    this.members = new Members(tokens, this.tree, syntax, this, this.primaries);
  }

  *start(): Steps<Expr> {
    const expr = yield* this.expression();
    if (this.tokens.peek().kind !== 'end')
      this.tokens.unexpected(this.tokens.peek(), this.tokens.peek(1).kind === 'end', '<EOF>');
    return expr;
  }

  *expression(): Steps<Expr> {
    if (++this.open > MAX_DEPTH)
      throw new SyntaxProblem({ at: NOWHERE, text: `expression recursion limit exceeded: ${MAX_DEPTH}` });
    let expr = yield* this.operation();
    const mark = this.tokens.skip('?');
    if (mark !== undefined) {
      const then = yield* this.operation();
      this.tokens.require(':');
      expr = this.tree.call('_?_:_', mark.at, [expr, then, yield* this.expression()], 1);
    }
    this.open--;
    return expr;
  }

  /** Operands with binary operators between them: those that bind tighter are put together first. */
  private *operation(): Steps<Expr> {
    const pending: Pending[] = [];
    for (;;) {
      if (this.tokens.isTimeToRest()) yield;
      let right = this.members.simple();
      if (right === undefined) right = yield* this.operand();
      else if (!this.members.isWhole()) right = yield* this.members.after(right);
      const operator = this.tokens.peek();
      const level = levelOf(operator);
      let last = pending[pending.length - 1];
      while (last !== undefined && (last.level > level || (last.level === level && level >= LOGIC_LEVELS))) {
        right = last.level < LOGIC_LEVELS ? this.chain(last, right) : this.binary(last, right);
        pending.pop();
        last = pending[pending.length - 1];
      }
      if (level === NO_LEVEL) return right;
      this.tokens.take();
      if (last?.level === level) {
        last.operators.push(operator);
        last.terms.push(right);
      } else pending.push({ level, operators: [operator], terms: [right] });
    }
  }

  private binary({ operators, terms }: Pending, right: Expr): Expr {
    const [{ text, at }, left] = [operators[0] as Token, terms[0] as Expr];
    return this.tree.call(text === 'in' ? '@in' : `_${text}_`, at, [left, right], 1);
  }

  /** A chain of "||" or "&&" as a balanced tree, as cel-go makes it: such chains may be long. */
  private chain({ operators, terms }: Pending, last: Expr): Expr {
    const name = `_${operators[0]?.text}_`;
    terms.push(last);
    const tree = (low: number, high: number): Expr => {
      if (low > high) return terms[low] as Expr;
      const middle = Math.floor((low + high + 1) / 2);
      const args = [tree(low, middle - 1), tree(middle + 1, high)];
      return this.tree.call(name, (operators[middle] as Token).at, args, 0);
    };
    return tree(0, operators.length - 1);
  }

  *operand(): Steps<Expr> {
    const first = this.tokens.peek();
    if (!this.tokens.isOperator('!') && !this.tokens.isOperator('-')) return yield* this.members.member();
    let count = 0;
    while (this.tokens.skip(first.text) !== undefined) count++;
    const number = this.tokens.peek();
    const isNumber = (token: Token): boolean => token.kind === 'int' || token.kind === 'float';
    if (first.text === '-' && count === 1 && isNumber(number))
      return yield* this.members.after(this.primaries.number(this.tokens.take(), first.at));
    const isNegative = first.text === '!' && this.tokens.isOperator('-');
    if (isNegative && isNumber(this.tokens.peek(1))) {
      const sign = this.tokens.take();
      const operand = yield* this.members.after(this.primaries.number(this.tokens.take(), sign.at));
      return count % 2 === 0 ? operand : this.tree.call('!_', first.at, [operand], 0);
    }
    if (isNegative) this.tokens.noViable('-', this.tokens.peek(1));
    if (!beginsOperand(number) || (first.text === '-' && this.tokens.isOperator('!'))) {
      if (first.text === '!') this.tokens.unexpected(number, true, OPERAND);
      this.tokens.noViable('-', number);
    }
    const operand = yield* this.members.member();
    // An even number of them is none.
    return count % 2 === 0 ? operand : this.tree.call(`${first.text}_`, first.at, [operand], 0);
  }
}

/** An expression with its macros expanded. */
export interface Parsed {
  readonly expr: Expr;
  /** How many parts of it macros have made of others: a short text may stand for much. */
  readonly copies: number;
}

/** What a text stands for, or why it is no expression. It rests between some words and others. */
export function* parse(source: string, syntax: Syntax): Steps<Parsed | readonly Problem[]> {
  // Code points are at most as many as characters.
  const size = source.length > MAX_CODE_POINTS ? [...source].length : source.length;
  if (size > MAX_CODE_POINTS) {
    const text = `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}`;
    return [{ at: NOWHERE, text }];
  }
  const { tokens, problems } = yield* tokenize(source);
  const stream = new TokenStream(tokens, [...problems]);
  try {
    const parser = new Parser(stream, syntax);
    const expr = yield* parser.start();
    return stream.problems.length > 0 ? stream.problems : { expr, copies: parser.tree.copies };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const { problem } = error;
    if (problem === undefined) return stream.problems;
    return problem.at === NOWHERE ? [problem] : [...stream.problems, problem];
  }
}
