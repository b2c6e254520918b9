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
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];
const LOGIC_LEVELS = 2;

/** cel-go's bound of what it reads (parser/options.go). */
const MAX_CODE_POINTS = 100_000;

/**
 * The grammar, as cel-go's ANTLR grammar has it, in one pass: operators here, what they stand between in `members`.
 * Stops at the first problem of the grammar.
 */
class Parser implements Grammar {
  /** How many conditionals the one being read is in, itself included. */
  private open = 0;
  private readonly tree: TreeBuilder;
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

  start(): Expr {
    const expr = this.expression();
    if (this.tokens.peek().kind !== 'end')
      this.tokens.unexpected(this.tokens.peek(), this.tokens.peek(1).kind === 'end', '<EOF>');
    return expr;
  }

  expression(): Expr {
    if (++this.open > MAX_DEPTH)
      throw new SyntaxProblem({ at: NOWHERE, text: `expression recursion limit exceeded: ${MAX_DEPTH}` });
    const expr = this.conditional();
    this.open--;
    return expr;
  }

  private conditional(): Expr {
    const condition = this.binary(0);
    const mark = this.tokens.skip('?');
    if (mark === undefined) return condition;
    const then = this.binary(0);
    this.tokens.require(':');
    return this.tree.call('_?_:_', mark.at, [condition, then, this.expression()], 1);
  }

  private binary(level: number): Expr {
    const operators = LEVELS[level];
    if (operators === undefined) return this.operand();
    if (level < LOGIC_LEVELS) return this.logic(level, operators[0] as string);
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.tokens.peek();
      const isIn = token.kind === 'ident' && token.text === 'in';
      if (!(token.kind === 'op' || isIn) || !operators.includes(token.text)) return left;
      this.tokens.take();
      left = this.tree.call(isIn ? '@in' : `_${token.text}_`, token.at, [left, this.binary(level + 1)], 1);
    }
  }

  /** A chain of "||" or "&&" as a balanced tree, as cel-go makes it: such chains may be long. */
  private logic(level: number, operator: string): Expr {
    const terms = [this.binary(level + 1)];
    const places: number[] = [];
    for (let token = this.tokens.skip(operator); token !== undefined; token = this.tokens.skip(operator)) {
      places.push(token.at);
      terms.push(this.binary(level + 1));
    }
    const tree = (low: number, high: number): Expr => {
      if (low > high) return terms[low] as Expr;
      const middle = Math.floor((low + high + 1) / 2);
      const args = [tree(low, middle - 1), tree(middle + 1, high)];
      return this.tree.call(`_${operator}_`, places[middle] as number, args, 0);
    };
    return tree(0, places.length - 1);
  }

  operand(): Expr {
    const first = this.tokens.peek();
    if (!this.tokens.isOperator('!') && !this.tokens.isOperator('-')) return this.members.member();
    let count = 0;
    while (this.tokens.skip(first.text) !== undefined) count++;
    const number = this.tokens.peek();
    const isNumber = (token: Token): boolean => token.kind === 'int' || token.kind === 'float';
    if (first.text === '-' && count === 1 && isNumber(number))
      return this.members.after(this.primaries.number(this.tokens.take(), first.at));
    const isNegative = first.text === '!' && this.tokens.isOperator('-');
    if (isNegative && isNumber(this.tokens.peek(1))) {
      const sign = this.tokens.take();
      const operand = this.members.after(this.primaries.number(this.tokens.take(), sign.at));
      return count % 2 === 0 ? operand : this.tree.call('!_', first.at, [operand], 0);
    }
    if (isNegative) this.tokens.noViable('-', this.tokens.peek(1));
    if (!beginsOperand(number) || (first.text === '-' && this.tokens.isOperator('!'))) {
      if (first.text === '!') this.tokens.unexpected(number, true, OPERAND);
      this.tokens.noViable('-', number);
    }
    const operand = this.members.member();
    // An even number of them is none.
    return count % 2 === 0 ? operand : this.tree.call(`${first.text}_`, first.at, [operand], 0);
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
  const stream = new TokenStream(tokens, [...problems]);
  try {
    const expr = new Parser(stream, syntax).start();
    return stream.problems.length > 0 ? stream.problems : expr;
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const { problem } = error;
    if (problem === undefined) return stream.problems;
    return problem.at === NOWHERE ? [problem] : [...stream.problems, problem];
  }
}
