import type { Process, Program } from '../process.js';
import {
  add,
  compare,
  decimal,
  DecimalError,
  divide,
  formatDecimal,
  multiply,
  parseDecimal,
  power,
  remainder,
  squareRoot,
  ZERO,
  type Decimal,
} from './decimal.js';
import { openInput } from './each-input.js';
import { asText, fromBytes, holdAll } from './lines.js';
import { parseOptions } from './options.js';

class BcError extends Error {
  override readonly name = 'BcError';
}
class Quit extends Error {}
class Break extends Error {}

const MAX_DEPTH = 200;
const TOKEN =
  /\s*(?:([0-9A-F]*\.?[0-9A-F]+|[0-9A-F]+\.)|([a-z][a-z0-9_]*)|("[^"]*")|(\+\+|--|[-+*/%^]=|<=|>=|==|!=|&&|\|\||[-+*/%^=<>!(){};,\n]))/y;

/** bc [-lq] [FILE...]: expressions and statements without user functions. */
export const bc: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'lqsiw', long: { mathlib: 'l', quiet: 'q' } });
  const calculator = new Calculator(process, has('l') ? 20 : 0);
  let status = 0;
  try {
    for (const name of operands)
      await calculator.run(fromBytes(await holdAll(process, await openInput(process, name))));
    await calculator.run(fromBytes(await holdAll(process, process.stdin)));
  } catch (error) {
    if (error instanceof Quit) return 0;
    if (!(error instanceof BcError || error instanceof DecimalError)) throw error;
    await process.stderr.write(`bc: ${error.message}\n`);
    status = 1;
  }
  return status;
};

class Calculator {
  private readonly variables = new Map<string, Decimal>();
  private tokens: string[] = [];
  private at = 0;
  private depth = 0;
  /** Of what has just been read: an assignment prints nothing. */
  private assigned = false;

  constructor(
    private readonly process: Process,
    scale: number,
  ) {
    this.variables.set('scale', decimal(scale));
    this.variables.set('ibase', decimal(10));
    this.variables.set('obase', decimal(10));
  }

  private small(name: string): number {
    const { digits, scale } = this.variables.get(name) ?? ZERO;
    return Number(digits / 10n ** BigInt(scale));
  }

  async run(given: string): Promise<void> {
    const source = asText(given)
      .replace(/\/\*[^]*?\*\//g, ' ')
      .replace(/#[^\n]*/g, '')
      .replace(/\\\n/g, '');
    this.tokens = [];
    this.at = 0;
    TOKEN.lastIndex = 0;
    for (let place = 0; place < source.length; place = TOKEN.lastIndex) {
      if (source.slice(place).trim() === '' && !source.slice(place).includes('\n')) break;
      if (/^[ \t\r]*\n/.test(source.slice(place, place + 200))) {
        this.tokens.push('\n');
        TOKEN.lastIndex = source.indexOf('\n', place) + 1;
        continue;
      }
      TOKEN.lastIndex = place;
      const found = TOKEN.exec(source);
      if (found === null) throw new BcError(`bad character '${source.slice(place).trim().slice(0, 1)}'`);
      this.tokens.push(found[1] ?? found[2] ?? found[3] ?? found[4] ?? '');
      if (this.tokens.length % 1024 === 0) await this.process.turn();
    }
    while (this.at < this.tokens.length) {
      if (this.take('\n', ';')) continue;
      await this.statement(true);
      if (this.at < this.tokens.length && !this.take('\n', ';')) throw new BcError(`bad expression`);
    }
  }

  private take(...wanted: readonly string[]): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || !wanted.includes(token)) return false;
    this.at++;
    return true;
  }
  private expect(token: string): void {
    if (!this.take(token)) throw new BcError('bad expression');
  }

  /** Runs a statement, or steps over it. */
  private async statement(run: boolean): Promise<void> {
    if (++this.depth > MAX_DEPTH) throw new BcError('nested too deeply');
    await this.statementHere(run);
    this.depth--;
  }
  private async statementHere(run: boolean): Promise<void> {
    await this.process.turn();
    const token = this.tokens[this.at] ?? '';
    if (token.startsWith('"')) {
      this.at++;
      if (run) await this.process.stdout.write(token.slice(1, -1));
      return;
    }
    if (this.take('{')) {
      for (;;) {
        while (this.take('\n', ';'));
        if (this.take('}')) return;
        if (this.at >= this.tokens.length) throw new BcError('bad expression');
        await this.statement(run);
      }
    }
    if (this.take('quit', 'halt')) {
      if (run || token === 'quit') throw new Quit();
      return;
    }
    if (this.take('break')) {
      if (run) throw new Break();
      return;
    }
    if (this.take('print')) {
      do {
        const text = this.tokens[this.at] ?? '';
        if (text.startsWith('"')) {
          this.at++;
          if (run) await this.process.stdout.write(text.slice(1, -1).replaceAll('\\n', '\n').replaceAll('\\t', '\t'));
        } else {
          const value = this.expression(run);
          if (run) await this.process.stdout.write(this.show(value));
        }
      } while (this.take(','));
      return;
    }
    if (this.take('if')) {
      this.expect('(');
      const test = this.expression(run).digits !== 0n;
      this.expect(')');
      while (this.take('\n'));
      await this.statement(run && test);
      const here = this.at;
      while (this.take('\n', ';'));
      if (this.take('else')) {
        while (this.take('\n'));
        await this.statement(run && !test);
      } else this.at = here;
      return;
    }
    if (this.take('while')) return this.loop(run, undefined);
    if (this.take('for')) {
      this.expect('(');
      if (this.tokens[this.at] !== ';') this.expression(run);
      this.expect(';');
      return this.loop(run, 'for');
    }
    if (this.take('define', 'auto', 'return')) throw new BcError('not simulated here: functions');
    this.assigned = false;
    const start = this.at;
    const value = this.expression(run);
    const plain = this.assigned && this.tokens[start] !== '(';
    if (run && !plain) await this.process.stdout.write(`${this.show(value)}\n`);
  }

  private async loop(run: boolean, kind: 'for' | undefined): Promise<void> {
    if (kind === undefined) this.expect('(');
    const test = this.at;
    const always = kind === 'for' && this.tokens[test] === ';';
    let step = test;
    let body = test;
    let end: number;
    let going = run;
    for (;;) {
      this.at = test;
      const holds = always ? true : this.expression(going).digits !== 0n;
      if (kind === 'for') {
        this.expect(';');
        step = this.at;
        if (this.tokens[step] !== ')') this.expression(false);
      }
      this.expect(')');
      while (this.take('\n'));
      body = this.at;
      going = going && holds;
      try {
        await this.statement(going);
      } catch (error) {
        if (!(error instanceof Break)) throw error;
        going = false;
        this.at = body;
        await this.statement(false);
      }
      end = this.at;
      if (!going) break;
      if (kind === 'for' && this.tokens[step] !== ')') {
        this.at = step;
        this.expression(true);
      }
      await this.process.turn();
    }
    this.at = end;
  }

  private show(value: Decimal): string {
    const text = formatDecimal(value, Math.min(36, Math.max(2, this.small('obase'))));
    const lines: string[] = [];
    for (let at = 0; at < text.length; at += 69) lines.push(text.slice(at, at + 69));
    return text.length <= 70 ? text : lines.join('\\\n');
  }

  private expression(run: boolean): Decimal {
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
