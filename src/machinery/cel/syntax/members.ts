import type { Steps } from '../../steps.js';
import type { Expr, Literal } from '../ast.js';
import { ARGUMENT_OR_END, FIELD_NAME, INDEX } from './expected-tokens.js';
import { fieldName, type Grammar, type Primaries } from './primaries.js';
import { CONSTANTS, RESERVED } from './reserved-words.js';
import type { Token } from '../tokens.js';
import type { Syntax } from './syntax.js';
import { beginsOperand, SyntaxProblem, type TokenStream } from './token-stream.js';
import type { TreeBuilder } from './tree-builder.js';

/** Whether it may stand behind a dot without backquotes. */
const isName = ({ kind, text }: Token): boolean => kind === 'ident' && text !== 'in' && !CONSTANTS.has(text);

/** Names, and what is selected, indexed and called: the grammar's `member`. */
export class Members {
  constructor(
    private readonly tokens: TokenStream,
    private readonly tree: TreeBuilder,
    private readonly syntax: Syntax,
    private readonly grammar: Grammar,
    private readonly primaries: Primaries,
  ) {}

  /**
   * A name or a literal, with what is selected of it: what there is nothing in, which most operands are. `after` is what
   * may come behind. undefined: it is something else.
   */
  simple(): Expr | undefined {
    const { kind, text } = this.tokens.peek();
    if (kind === 'op' || kind === 'end' || kind === 'escaped' || text === 'in') return undefined;
    if (kind !== 'ident' || CONSTANTS.has(text)) return this.selections(this.primaries.constant());
    if (this.tokens.isOperator('(', 1) || this.messageEnd() !== undefined) return undefined;
    return this.selections(this.name(''));
  }

  *member(): Steps<Expr> {
    const dot = this.tokens.isOperator('.') && this.tokens.peek(1).kind === 'ident' ? this.tokens.take() : undefined;
    const token = this.tokens.peek();
    if (token.kind !== 'ident' || token.text === 'in' || CONSTANTS.has(token.text))
      return yield* this.after(yield* this.primaries.primary());
    const prefix = dot === undefined ? '' : '.';
    const message = this.messageName();
    if (message !== undefined) return yield* this.after(yield* this.primaries.message(prefix + message));
    return yield* this.after(this.tokens.isOperator('(', 1) ? yield* this.called(prefix) : this.name(prefix));
  }

  /** The name before "{" when names with dots between them are. */
  private messageName(): string | undefined {
    let left = this.messageEnd();
    if (left === undefined) return undefined;
    let name = '';
    for (; left > 0; left--) name += this.tokens.take().text;
    return name;
  }

  private messageEnd(): number | undefined {
    let ahead = 1;
    while (this.tokens.isOperator('.', ahead) && this.tokens.peek(ahead + 1).kind === 'ident') ahead += 2;
    return this.tokens.isOperator('{', ahead) ? ahead : undefined;
  }

  private name(prefix: string): Expr {
    const token = this.tokens.take();
    if (RESERVED.has(token.text)) return this.reserved(token);
    return { kind: 'ident', name: prefix + token.text, at: token.at };
  }

  private *called(prefix: string): Steps<Expr> {
    const token = this.tokens.take();
    const { at } = this.tokens.peek();
    const args = yield* this.args();
    if (RESERVED.has(token.text)) return this.reserved(token);
    return this.tree.callOrMacro(undefined, prefix + token.text, args, at);
  }

  private reserved({ text, at }: Token): Expr {
    return this.tokens.problem(at, `reserved identifier: ${text}`, { kind: 'ident', name: text, at });
  }

  *after(first: Expr): Steps<Expr> {
    let expr = first;
    for (;;) {
      expr = this.selections(expr);
      if (this.tokens.isOperator('.')) expr = yield* this.method(expr);
      else if (this.tokens.isOperator('[')) expr = yield* this.index(expr);
      else return expr;
    }
  }

  /** Whether there is nothing that `after` would find. */
  isWhole(): boolean {
    return !this.tokens.isOperator('.') && !this.tokens.isOperator('[');
  }

  /** As far as nothing is called. */
  private selections(first: Expr): Expr {
    let expr = first;
    while (this.tokens.isOperator('.') && !(isName(this.tokens.peek(1)) && this.tokens.isOperator('(', 2)))
      expr = this.selection(expr);
    return expr;
  }

  private *method(of: Expr): Steps<Expr> {
    this.tokens.take();
    const { text } = this.tokens.take();
    const { at } = this.tokens.peek();
    return this.tree.callOrMacro(of, text, yield* this.args(), at);
  }

  private *index(of: Expr): Steps<Expr> {
    const { at } = this.tokens.take();
    const isOptional = this.tokens.skip('?') !== undefined;
    if (!isOptional && !beginsOperand(this.tokens.peek()))
      this.tokens.unexpected(this.tokens.peek(), beginsOperand(this.tokens.peek(1)), INDEX);
    this.tokens.enter(']');
    const args = [of, yield* this.grammar.expression()];
    this.tokens.close(']');
    const expr = this.tree.call(isOptional ? '_[?_]' : '_[_]', at, args, 1);
    return isOptional && !this.syntax.optionals ? this.tokens.problem(at, "unsupported syntax '[?'", expr) : expr;
  }

  private selection(of: Expr): Expr {
    const dot = this.tokens.take();
    const isOptional = this.tokens.skip('?') !== undefined;
    if (isOptional && this.tokens.isOperator('?') && this.tokens.peek(1).kind === 'ident')
      this.tokens.stray(FIELD_NAME);
    const name = this.tokens.peek();
    if (!isName(name) && name.kind !== 'escaped') {
      if (isOptional) {
        const text = `Syntax error: mismatched input '${name.text}' expecting ${FIELD_NAME}`;
        this.tokens.problems.push({ at: name.at, text }, { at: name.at, text: 'unsupported ident kind' });
        throw new SyntaxProblem(undefined);
      }
      if (CONSTANTS.has(name.text) && name.kind === 'ident') {
        const text = `Syntax error: mismatched input '${name.text}' expecting IDENTIFIER`;
        this.tokens.take();
        return this.tokens.problem(name.at, text, { kind: 'select', of, field: name.text, test: false, at: dot.at });
      }
      if (name.kind === 'ident' && name.text === 'in') {
        this.tokens.report(name.at, "no viable alternative at input '.in'");
        return of;
      }
      this.tokens.fail(name.at, `no viable alternative at input '.${name.kind === 'end' ? '' : name.text}'`);
    }
    this.tokens.take();
    if (isOptional) {
      const field: Literal = { kind: 'literal', value: fieldName(name, this.tokens, this.syntax), at: name.at };
      const expr = this.tree.call('_?._', dot.at, [of, field], 1);
      return this.syntax.optionals ? expr : this.tokens.problem(dot.at, "unsupported syntax '.?'", expr);
    }
    const field = fieldName(name, this.tokens, this.syntax);
    return this.tree.deep({ kind: 'select', of, field, test: false, at: dot.at }, [of], 1);
  }

  /** The list after "(" of a call. */
  private *args(): Steps<Expr[]> {
    this.tokens.take();
    const args: Expr[] = [];
    if (this.tokens.skip(')') !== undefined) return args;
    if (!beginsOperand(this.tokens.peek()))
      this.tokens.unexpected(
        this.tokens.peek(),
        beginsOperand(this.tokens.peek(1)) || this.tokens.isOperator(')', 1),
        ARGUMENT_OR_END,
      );
    this.tokens.enter('),');
    do args.push(yield* this.grammar.expression());
    while (this.tokens.skip(',') !== undefined);
    this.tokens.close(')');
    return args;
  }
}
