import type { Expression, LValue } from './syntax.js';
import { TokenCursor } from './token-cursor.js';

const COMPARISONS = ['<', '<=', '==', '!=', '>', '>='];
const ASSIGNMENTS = ['=', '+=', '-=', '*=', '/=', '%=', '^='];

/** Expressions, from what binds least to what binds most: a method for each rank. */
export class ExpressionParser extends TokenCursor {
  protected subscript(): Expression[] {
    this.expect('[');
    const key = this.free(() => {
      const list = [this.expression()];
      while (this.take('operator', ',')) list.push(this.expression());
      return list;
    });
    this.expect(']');
    return key;
  }

  protected expression(): Expression {
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

  protected concatenation(): Expression {
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
