import { ExpressionParser } from './expression-parser.js';
import { AwkLexer } from './lexer.js';
import type { AwkFunction, AwkProgram, Expression, Redirection, Rule, Statement } from './syntax.js';

/** @throws AwkError */
export function parseAwk(source: string): AwkProgram {
  return new Parser(new AwkLexer(source)).program();
}

/** Rules, functions and statements. */
class Parser extends ExpressionParser {
  program(): AwkProgram {
    const rules: Rule[] = [];
    const functions = new Map<string, AwkFunction>();
    for (;;) {
      this.skip();
      if (this.token.kind === 'end') return { rules, functions };
      if (this.take('keyword', 'function')) {
        const name = this.name();
        this.expect('(');
        const parameters: string[] = [];
        while (!this.take('operator', ')')) {
          parameters.push(this.name());
          this.take('operator', ',');
          this.newlines();
        }
        this.newlines();
        functions.set(name, { parameters, body: this.block() });
        continue;
      }
      let pattern: Rule['pattern'];
      if (this.take('keyword', 'BEGIN')) pattern = 'BEGIN';
      else if (this.take('keyword', 'END')) pattern = 'END';
      else if (!this.is('operator', '{')) {
        const first = this.expression();
        if (this.take('operator', ',')) {
          this.newlines();
          pattern = [first, this.expression()];
        } else pattern = [first];
      }
      const action = this.is('operator', '{') ? this.block() : undefined;
      if (action === undefined && typeof pattern === 'string') throw this.unexpected();
      rules.push({ pattern, action });
    }
  }

  private block(): Statement {
    this.expect('{');
    const body: Statement[] = [];
    for (;;) {
      this.skip();
      if (this.take('operator', '}')) return { kind: 'block', body };
      body.push(this.statement());
    }
  }

  private statement(): Statement {
    return this.nested(() => this.statementHere());
  }

  private statementHere(): Statement {
    if (this.is('operator', '{')) return this.block();
    if (this.take('operator', ';')) return { kind: 'block', body: [] };
    if (this.take('keyword', 'if')) {
      this.expect('(');
      const test = this.free(() => this.expression());
      this.expect(')');
      const yes = this.body();
      // The ";" or line break before "else" belongs to it.
      this.skip();
      return { kind: 'if', test, yes, no: this.take('keyword', 'else') ? this.body() : undefined };
    }
    if (this.take('keyword', 'while')) {
      this.expect('(');
      const test = this.free(() => this.expression());
      this.expect(')');
      const body = this.take('operator', ';') ? ({ kind: 'block', body: [] } as const) : this.body();
      return { kind: 'loop', before: undefined, test, after: undefined, body, bodyFirst: false };
    }
    if (this.take('keyword', 'do')) {
      const body = this.body();
      this.skip();
      if (!this.take('keyword', 'while')) throw this.unexpected();
      this.expect('(');
      const test = this.free(() => this.expression());
      this.expect(')');
      this.terminator();
      return { kind: 'loop', before: undefined, test, after: undefined, body, bodyFirst: true };
    }
    if (this.take('keyword', 'for')) return this.forLoop();
    const simple = this.simple();
    this.terminator();
    return simple;
  }

  private body(): Statement {
    this.newlines();
    return this.statement();
  }

  private terminator(): void {
    if (this.is('operator', '}') || this.token.kind === 'end') return;
    if (this.token.kind !== 'newline' && !this.is('operator', ';')) throw this.unexpected();
    this.advance();
  }

  private forLoop(): Statement {
    this.expect('(');
    let before: Statement | undefined;
    if (!this.is('operator', ';')) {
      this.noIn = true;
      before = this.simple();
      this.noIn = false;
      if (before.kind === 'expression' && before.value.kind === 'variable' && this.take('keyword', 'in')) {
        const array = this.name();
        this.expect(')');
        return { kind: 'for-in', name: before.value.name, array, body: this.body() };
      }
    }
    this.expect(';');
    this.newlines();
    const test = this.is('operator', ';') ? undefined : this.expression();
    this.expect(';');
    this.newlines();
    const after = this.is('operator', ')') ? undefined : this.simple();
    this.expect(')');
    const body = this.take('operator', ';') ? ({ kind: 'block', body: [] } as const) : this.body();
    return { kind: 'loop', before, test, after, body, bodyFirst: false };
  }

  private endsHere(): boolean {
    return (
      this.token.kind === 'newline' || this.token.kind === 'end' || this.is('operator', ';') || this.is('operator', '}')
    );
  }

  private simple(): Statement {
    for (const to of ['break', 'continue', 'next', 'nextfile'] as const)
      if (this.take('keyword', to)) return { kind: 'jump', to };
    for (const kind of ['exit', 'return'] as const)
      if (this.take('keyword', kind)) return { kind, value: this.endsHere() ? undefined : this.expression() };
    if (this.take('keyword', 'delete')) {
      const array = this.name();
      return { kind: 'delete', array, key: this.is('operator', '[') ? this.subscript() : undefined };
    }
    for (const kind of ['print', 'printf'] as const) if (this.take('keyword', kind)) return this.print(kind);
    return { kind: 'expression', value: this.expression() };
  }

  private print(kind: 'print' | 'printf'): Statement {
    let values: readonly Expression[] = [];
    const isOutput = (): boolean => this.is('operator', '>') || this.is('operator', '>>') || this.is('operator', '|');
    if (!this.endsHere() && !isOutput()) {
      this.noGreater = true;
      const first = this.expression();
      const list = [first];
      while (this.take('operator', ',')) {
        this.newlines();
        list.push(this.expression());
      }
      this.noGreater = false;
      // print (a, b) > "file": the list is what is in the parentheses.
      values = list.length === 1 && first.kind === 'group' ? first.items : list;
    }
    let to: Redirection | undefined;
    if (isOutput()) {
      const op = (this.advance() as { text: Redirection['op'] }).text;
      this.noGreater = true;
      to = { op, target: this.concatenation() };
      this.noGreater = false;
    }
    return { kind, values, to };
  }
}
