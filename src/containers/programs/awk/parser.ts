import { AwkLexer, type Token } from './lexer.js';
import {
  AwkError,
  type AwkFunction,
  type AwkProgram,
  type Expression,
  type LValue,
  type Redirection,
  type Rule,
  type Statement,
} from './syntax.js';

const MAX_DEPTH = 200;
const COMPARISONS = ['<', '<=', '==', '!=', '>', '>='];
const ASSIGNMENTS = ['=', '+=', '-=', '*=', '/=', '%=', '^='];

/** @throws AwkError */
export function parseAwk(source: string): AwkProgram {
  return new Parser(new AwkLexer(source)).program();
}

class Parser {
  private token: Token;
  /** Behind the token at hand, where it had to be looked at. */
  private ahead: Token | undefined;
  private depth = 0;
  /** In a print's list ">" is where the output goes. */
  private noGreater = false;
  /** In the head of a for, "in" is the for's. */
  private noIn = false;

  constructor(private readonly lexer: AwkLexer) {
    this.token = lexer.next();
  }

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

  private advance(): Token {
    const current = this.token;
    this.token = this.ahead ?? this.lexer.next();
    this.ahead = undefined;
    return current;
  }
  private is(kind: Token['kind'], text?: string): boolean {
    const { token } = this;
    return token.kind === kind && (text === undefined || ('text' in token && token.text === text));
  }
  private take(kind: Token['kind'], text?: string): boolean {
    if (!this.is(kind, text)) return false;
    this.advance();
    return true;
  }
  private operator(among: readonly string[]): string | undefined {
    const { token } = this;
    if (token.kind !== 'operator' || !among.includes(token.text)) return undefined;
    this.advance();
    return token.text;
  }
  private expect(text: string): void {
    if (!this.take('operator', text)) throw this.unexpected();
  }
  private unexpected(): AwkError {
    const { token } = this;
    return new AwkError(`syntax error: unexpected ${'text' in token ? `'${token.text}'` : token.kind}`);
  }
  private newlines(): void {
    while (this.token.kind === 'newline') this.advance();
  }
  private skip(): void {
    while (this.token.kind === 'newline' || this.is('operator', ';')) this.advance();
  }
  private name(): string {
    const { token } = this;
    if (token.kind !== 'name' && token.kind !== 'function-name') throw this.unexpected();
    this.advance();
    return token.text;
  }
  private nested<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw new AwkError('program nested too deeply');
    const result = read();
    this.depth--;
    return result;
  }
  /** Inside parentheses ">" and "in" are themselves again. */
  private free<T>(read: () => T): T {
    const { noGreater, noIn } = this;
    this.noGreater = this.noIn = false;
    const result = read();
    this.noGreater = noGreater;
    this.noIn = noIn;
    return result;
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

  private subscript(): Expression[] {
    this.expect('[');
    const key = this.free(() => {
      const list = [this.expression()];
      while (this.take('operator', ',')) list.push(this.expression());
      return list;
    });
    this.expect(']');
    return key;
  }

  private expression(): Expression {
    return this.nested(() => this.conditional());
  }

  private conditional(): Expression {
    const test = this.or();
    if (this.take('operator', '?')) {
      this.newlines();
      const yes = this.expression();
      this.newlines();
      this.expect(':');
      this.newlines();
      return { kind: 'conditional', test, yes, no: this.expression() };
    }
    if (isLValue(test)) {
      const op = this.operator(ASSIGNMENTS);
      if (op !== undefined) {
        this.newlines();
        return { kind: 'assign', op, target: test, value: this.expression() };
      }
    }
    return test;
  }

  private or(): Expression {
    let left = this.and();
    while (this.take('operator', '||')) {
      this.newlines();
      left = { kind: 'or', left, right: this.and() };
    }
    return left;
  }
  private and(): Expression {
    let left = this.membership();
    while (this.take('operator', '&&')) {
      this.newlines();
      left = { kind: 'and', left, right: this.membership() };
    }
    return left;
  }
  private membership(): Expression {
    let left = this.matching();
    while (!this.noIn && this.take('keyword', 'in'))
      left = { kind: 'in', key: left.kind === 'group' ? left.items : [left], array: this.name() };
    return left;
  }
  private matching(): Expression {
    let left = this.comparison();
    for (let op = this.operator(['~', '!~']); op !== undefined; op = this.operator(['~', '!~']))
      left = { kind: 'match', negated: op === '!~', text: left, pattern: this.comparison() };
    return left;
  }
  private comparison(): Expression {
    const left = this.concatenation();
    if (this.noGreater && this.is('operator', '>')) return left;
    const op = this.operator(COMPARISONS);
    return op === undefined ? left : { kind: 'binary', op, left, right: this.concatenation() };
  }

  private concatenation(): Expression {
    let left = this.additive();
    for (;;) {
      if (this.is('operator', '|')) {
        // Only before getline is it an operator.
        const piped = this.pipedGetline(left);
        if (piped === undefined) return left;
        left = piped;
        continue;
      }
      if (!this.beginsOperand()) return left;
      left = { kind: 'binary', op: ' ', left, right: this.additive() };
    }
  }

  private pipedGetline(source: Expression): Expression | undefined {
    const next = (this.ahead ??= this.lexer.next());
    if (next.kind !== 'keyword' || next.text !== 'getline') return undefined;
    this.advance();
    this.advance();
    return { kind: 'getline', target: this.optionalTarget(), from: 'command', source };
  }

  private beginsOperand(): boolean {
    const { token } = this;
    switch (token.kind) {
      case 'number':
      case 'string':
      case 'name':
      case 'function-name':
      case 'builtin':
        return true;
      case 'operator':
        return ['$', '(', '!', '-', '+', '++', '--'].includes(token.text) && token.text !== '-' && token.text !== '+';
      default:
        return false;
    }
  }

  private additive(): Expression {
    let left = this.multiplicative();
    for (let op = this.operator(['+', '-']); op !== undefined; op = this.operator(['+', '-']))
      left = { kind: 'binary', op, left, right: this.multiplicative() };
    return left;
  }
  private multiplicative(): Expression {
    let left = this.unary();
    for (let op = this.operator(['*', '/', '%']); op !== undefined; op = this.operator(['*', '/', '%']))
      left = { kind: 'binary', op, left, right: this.unary() };
    return left;
  }
  private unary(): Expression {
    const op = this.operator(['!', '-', '+']);
    if (op !== undefined) return { kind: 'unary', op, value: this.nested(() => this.unary()) };
    return this.power();
  }
  private power(): Expression {
    const base = this.postfix();
    if (!this.take('operator', '^')) return base;
    // Binds to the right, and its right side may have a sign.
    const sign = this.operator(['-', '+', '!']);
    const exponent = this.nested(() => this.power());
    return {
      kind: 'binary',
      op: '^',
      left: base,
      right: sign === undefined ? exponent : { kind: 'unary', op: sign, value: exponent },
    };
  }
  private postfix(): Expression {
    const value = this.primary();
    if (!isLValue(value)) return value;
    if (this.take('operator', '++')) return { kind: 'step', target: value, by: 1, before: false };
    if (this.take('operator', '--')) return { kind: 'step', target: value, by: -1, before: false };
    return value;
  }

  private optionalTarget(): LValue | undefined {
    if (this.is('operator', '$') || this.token.kind === 'name') {
      const target = this.primary();
      if (isLValue(target)) return target;
    }
    return undefined;
  }

  private primary(): Expression {
    const token = this.token;
    switch (token.kind) {
      case 'number':
        this.advance();
        return { kind: 'number', value: token.value };
      case 'string':
        this.advance();
        return { kind: 'string', value: token.text };
      case 'name':
        this.advance();
        if (this.is('operator', '[')) return { kind: 'element', array: token.text, key: this.subscript() };
        return { kind: 'variable', name: token.text };
      case 'function-name':
        this.advance();
        return { kind: 'call', name: token.text, args: this.args(), own: true };
      case 'builtin':
        this.advance();
        return {
          kind: 'call',
          name: token.text,
          args: this.is('operator', '(') ? this.args() : [],
          own: false,
        };
      case 'keyword':
        if (token.text === 'getline') {
          this.advance();
          const target = this.optionalTarget();
          if (!this.take('operator', '<')) return { kind: 'getline', target, from: 'input', source: undefined };
          return { kind: 'getline', target, from: 'file', source: this.postfix() };
        }
        break;
      case 'operator':
        switch (token.text) {
          case '$':
            this.advance();
            if (this.is('operator', '++') || this.is('operator', '--'))
              return { kind: 'field', index: this.nested(() => this.primary()) };
            if (this.take('operator', '-'))
              return { kind: 'field', index: { kind: 'unary', op: '-', value: this.nested(() => this.primary()) } };
            return { kind: 'field', index: this.nested(() => this.primary()) };
          case '++':
          case '--': {
            this.advance();
            const target = this.nested(() => this.primary());
            if (!isLValue(target)) throw this.unexpected();
            return { kind: 'step', target, by: token.text === '++' ? 1 : -1, before: true };
          }
          case '(': {
            this.advance();
            const items = this.free(() => {
              const list = [this.expression()];
              while (this.take('operator', ',')) {
                this.newlines();
                list.push(this.expression());
              }
              return list;
            });
            this.expect(')');
            return { kind: 'group', items };
          }
          case '/':
          case '/=': {
            const source = this.lexer.regex(token.text === '/=' ? '=' : '');
            this.token = this.lexer.next();
            return { kind: 'regex', source };
          }
          case '-':
          case '+':
          case '!':
            return this.unary();
          default:
        }
        break;
      default:
    }
    throw this.unexpected();
  }

  private args(): Expression[] {
    this.expect('(');
    return this.free(() => {
      const list: Expression[] = [];
      this.newlines();
      while (!this.take('operator', ')')) {
        list.push(this.expression());
        this.newlines();
        if (!this.take('operator', ',') && !this.is('operator', ')')) throw this.unexpected();
        this.newlines();
      }
      return list;
    });
  }
}

const isLValue = (value: Expression): value is LValue =>
  value.kind === 'variable' || value.kind === 'element' || value.kind === 'field';
