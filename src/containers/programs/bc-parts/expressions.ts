import type { Process } from '../../process.js';
import {
  add,
  compare,
  decimal,
  divide,
  formatDecimal,
  multiply,
  parseDecimal,
  power,
  remainder,
  squareRoot,
  ZERO,
  type Decimal,
} from '../decimal.js';
import { BcError } from './errors.js';

export const MAX_DEPTH = 200;

/** Expressions over the variables of a program, worked out as they are read; `run` says whether they have effects. */
export class Expressions {
  private readonly variables = new Map<string, Decimal>();
  protected tokens: string[] = [];
  protected at = 0;
  protected depth = 0;
  /** Of what has just been read: an assignment prints nothing. */
  protected assigned = false;

  constructor(
    protected readonly process: Process,
    scale: number,
  ) {
    this.variables.set('scale', decimal(scale));
    this.variables.set('ibase', decimal(10));
    this.variables.set('obase', decimal(10));
  }

  protected small(name: string): number {
    const { digits, scale } = this.variables.get(name) ?? ZERO;
    return Number(digits / 10n ** BigInt(scale));
  }

  protected take(...wanted: readonly string[]): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || !wanted.includes(token)) return false;
    this.at++;
    return true;
  }
  protected expect(token: string): void {
    if (!this.take(token)) throw new BcError('bad expression');
  }

  protected expression(run: boolean): Decimal {
    if (++this.depth > MAX_DEPTH) throw new BcError('nested too deeply');
    const value = this.logical(run);
    this.depth--;
    return value;
  }
  private logical(run: boolean): Decimal {
    let left = this.relation(run);
    for (;;) {
      const op = this.tokens[this.at];
      if (op !== '&&' && op !== '||') return left;
      this.at++;
      const right = this.relation(run);
      const [a, b] = [left.digits !== 0n, right.digits !== 0n];
      left = decimal((op === '&&' ? a && b : a || b) ? 1 : 0);
    }
  }
  private relation(run: boolean): Decimal {
    const left = this.sum(run);
    const op = this.tokens[this.at] ?? '';
    if (!['<', '>', '<=', '>=', '==', '!='].includes(op)) return left;
    this.at++;
    const order = compare(left, this.sum(run));
    const holds = {
      '<': order < 0,
      '>': order > 0,
      '<=': order <= 0,
      '>=': order >= 0,
      '==': order === 0,
      '!=': order !== 0,
    }[op];
    this.assigned = false;
    return decimal(holds === true ? 1 : 0);
  }
  private sum(run: boolean): Decimal {
    let left = this.product(run);
    for (;;) {
      if (this.take('+')) left = add(left, this.product(run));
      else if (this.take('-')) left = add(left, this.product(run), -1n);
      else return left;
    }
  }
  private product(run: boolean): Decimal {
    let left = this.raise(run);
    for (;;) {
      const scale = this.small('scale');
      if (this.take('*')) left = multiply(left, this.raise(run), scale);
      else if (this.take('/')) {
        const right = this.raise(run);
        left = run ? divide(left, right, scale) : left;
      } else if (this.take('%')) {
        const right = this.raise(run);
        left = run ? remainder(left, right, scale) : left;
      } else return left;
    }
  }
  private raise(run: boolean): Decimal {
    const base = this.unary(run);
    if (!this.take('^')) return base;
    const exponent = this.raise(run);
    return run ? power(base, exponent, this.small('scale')) : base;
  }
  private unary(run: boolean): Decimal {
    if (this.take('-')) {
      const value = this.unary(run);
      return { ...value, digits: -value.digits };
    }
    if (this.take('!')) return decimal(this.unary(run).digits === 0n ? 1 : 0);
    return this.primary(run);
  }
  private primary(run: boolean): Decimal {
    const token = this.tokens[this.at++] ?? '';
    if (token === '(') {
      const value = this.expression(run);
      this.expect(')');
      this.assigned = false;
      return value;
    }
    if (/^[0-9A-F.]/.test(token)) return parseDecimal(token, Math.min(16, Math.max(2, this.small('ibase'))));
    if (token === '++' || token === '--') {
      const name = this.tokens[this.at++] ?? '';
      return this.set(run, name, add(this.variables.get(name) ?? ZERO, decimal(1), token === '++' ? 1n : -1n));
    }
    if (!/^[a-z]/.test(token)) throw new BcError('bad expression');
    if (this.tokens[this.at] === '(') return this.call(run, token);
    const old = this.variables.get(token) ?? ZERO;
    if (this.take('++') || this.take('--')) {
      this.set(run, token, add(old, decimal(1), this.tokens[this.at - 1] === '++' ? 1n : -1n));
      this.assigned = false;
      return old;
    }
    const op = this.tokens[this.at] ?? '';
    if (!/^[-+*/%^]?=$/.test(op)) return old;
    this.at++;
    const value = this.expression(run);
    const scale = this.small('scale');
    const results: Readonly<Record<string, () => Decimal>> = {
      '=': () => value,
      '+=': () => add(old, value),
      '-=': () => add(old, value, -1n),
      '*=': () => multiply(old, value, scale),
      '/=': () => divide(old, value, scale),
      '%=': () => remainder(old, value, scale),
      '^=': () => power(old, value, scale),
    };
    return run ? this.set(run, token, results[op]?.() ?? value) : value;
  }
  private set(run: boolean, name: string, value: Decimal): Decimal {
    this.assigned = true;
    if (name === 'scale' && value.digits > 1000n) throw new BcError('scale too large');
    if (run) this.variables.set(name, value);
    return value;
  }
  private call(run: boolean, name: string): Decimal {
    this.expect('(');
    const value = this.expression(run);
    this.expect(')');
    this.assigned = false;
    if (!run) return value;
    const scale = this.small('scale');
    switch (name) {
      case 'sqrt':
        return squareRoot(value, scale);
      case 'length':
        return decimal((value.digits < 0n ? -value.digits : value.digits).toString().length);
      case 'scale':
        return decimal(value.scale);
      case 's':
      case 'c':
      case 'a':
      case 'l':
      case 'e': {
        const work = { s: Math.sin, c: Math.cos, a: Math.atan, l: Math.log, e: Math.exp }[name];
        // A double's precision is what the functions of -l have here.
        const result = work(Number(formatDecimal(value)));
        return parseDecimal(result.toFixed(Math.min(scale, 20)));
      }
      default:
        throw new BcError(`not simulated here: function ${name}`);
    }
  }
}
