import type { Expr, Literal, MapEntry, StructField } from '../ast.js';
import type { Steps } from '../../steps.js';
import type { Token } from '../tokens.js';
import { FIELD_OR_END, LIST_ITEM_OR_END, MAP_ENTRY_OR_END, OPERAND } from './expected-tokens.js';
import { readBytes, readDouble, readInt, readString, readUint, type Read } from './literals.js';
import { CONSTANTS } from './reserved-words.js';
import type { Syntax } from './syntax.js';
import { beginsOperand, type TokenStream } from './token-stream.js';
import type { TreeBuilder } from './tree-builder.js';

/** What stands in others: the rules that the parts of a grammar need of the whole. */
export interface Grammar {
  /** Whatever may stand between brackets. */
  expression(): Steps<Expr>;
  /** One without operators around it, signs included. */
  operand(): Steps<Expr>;
}

/** The name of a field, which may be in backquotes. */
export function fieldName(token: Token, tokens: TokenStream, syntax: Syntax): string {
  if (token.kind !== 'escaped') return token.text;
  if (!syntax.escapedNames) tokens.problems.push({ at: token.at, text: "unsupported syntax: '`'" });
  return token.text.slice(1, -1);
}

/** Literals, lists, maps, messages, and what is in parentheses: the grammar's `primary`, but for names and their calls. */
export class Primaries {
  constructor(
    private readonly tokens: TokenStream,
    private readonly tree: TreeBuilder,
    private readonly syntax: Syntax,
    private readonly grammar: Grammar,
  ) {}

  *primary(): Steps<Expr> {
    const token = this.tokens.peek();
    if (this.tokens.skip('(') !== undefined) {
      this.tokens.enter(')');
      const inner = yield* this.grammar.expression();
      this.tokens.close(')');
      return inner;
    }
    if (this.tokens.isOperator('[')) return yield* this.list();
    if (this.tokens.isOperator('{')) return yield* this.map();
    if (!beginsOperand(token) || token.kind === 'op') return yield* this.noOperand(token);
    return this.constant();
  }

  /** A literal that is one word. */
  constant(): Literal {
    const token = this.tokens.take();
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

  private literal(at: number, read: Read): Literal {
    const value = 'value' in read ? read.value : null;
    const expr: Literal = { kind: 'literal', value, at };
    return 'value' in read ? expr : this.tokens.problem(at, read.problem, expr);
  }

  number(token: Token, signAt?: number): Literal {
    const isNegative = signAt !== undefined;
    const read = token.kind === 'int' ? readInt(token.text, isNegative) : readDouble(token.text, isNegative);
    return this.literal(signAt ?? token.at, read);
  }

  /** Where there is none: one stray token is left out, else it goes on behind the operand that there is not. */
  private *noOperand(token: Token): Steps<Expr> {
    if (beginsOperand(this.tokens.peek(1))) {
      this.tokens.stray(OPERAND);
      return yield* this.grammar.operand();
    }
    this.tokens.noOperand();
    return { kind: 'ident', name: '', at: token.at };
  }

  private *list(): Steps<Expr> {
    const { at } = this.tokens.take();
    const items: Expr[] = [];
    const optional = new Set<number>();
    this.first(']', LIST_ITEM_OR_END);
    this.tokens.enter('],');
    while (!this.tokens.isOperator(']')) {
      if (this.optional()) optional.add(items.length);
      items.push(yield* this.grammar.expression());
      this.separator(']');
    }
    this.tokens.leave();
    this.tokens.take();
    return this.tree.deep({ kind: 'list', items, optional, at }, items, 0);
  }

  private *map(): Steps<Expr> {
    const { at } = this.tokens.take();
    const entries: MapEntry[] = [];
    this.first('}', MAP_ENTRY_OR_END);
    this.tokens.enter('},:');
    while (!this.tokens.isOperator('}')) {
      const optional = this.optional();
      const key = yield* this.grammar.expression();
      const colon = this.tokens.require(':');
      entries.push({ key, value: yield* this.grammar.expression(), optional, at: colon.at });
      this.separator('}');
    }
    this.tokens.leave();
    this.tokens.take();
    return this.tree.deep(
      { kind: 'map', entries, at },
      entries.flatMap(entry => [entry.key, entry.value]),
      0,
    );
  }

  *message(name: string): Steps<Expr> {
    const { at } = this.tokens.take();
    const fields: StructField[] = [];
    this.tokens.enter('},');
    while (!this.tokens.isOperator('}')) {
      const optional = this.optional();
      const field = this.tokens.peek();
      if (field.kind !== 'ident' && field.kind !== 'escaped')
        this.tokens.unexpected(field, this.tokens.isOperator('}', 1), FIELD_OR_END);
      this.tokens.take();
      const colon = this.tokens.require(':');
      fields.push({
        name: fieldName(field, this.tokens, this.syntax),
        value: yield* this.grammar.expression(),
        optional,
        at: colon.at,
      });
      this.separator('}');
    }
    this.tokens.leave();
    this.tokens.take();
    return this.tree.deep(
      { kind: 'struct', name, fields, at },
      fields.map(field => field.value),
      0,
    );
  }

  /** "?" before an entry. */
  private optional(): boolean {
    const mark = this.tokens.skip('?');
    if (mark !== undefined && !this.syntax.optionals)
      this.tokens.problems.push({ at: mark.at, text: "unsupported syntax '?'" });
    return mark !== undefined;
  }

  private separator(end: string): void {
    if (this.tokens.isOperator(end)) return;
    if (this.tokens.skip(',') === undefined)
      this.tokens.unexpected(this.tokens.peek(), this.tokens.isOperator(end, 1), `{'${end}', ','}`);
    if (this.tokens.isOperator(','))
      this.tokens.unexpected(this.tokens.peek(), this.tokens.isOperator(end, 1), `'${end}'`);
  }

  /** An empty list or map may have a comma in it. */
  private first(end: string, expected: string): void {
    if (this.tokens.isOperator(',') && this.tokens.isOperator(end, 1)) this.tokens.take();
    const token = this.tokens.peek();
    if (beginsOperand(token) || this.tokens.isOperator('?') || this.tokens.isOperator(end)) return;
    this.tokens.unexpected(token, beginsOperand(this.tokens.peek(1)), expected);
  }
}
