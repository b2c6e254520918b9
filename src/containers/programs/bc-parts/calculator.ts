import { formatDecimal, type Decimal } from '../decimal.js';
import { BcError, Break, Quit } from './errors.js';
import { Expressions, MAX_DEPTH } from './expressions.js';
import { bcTokens } from './tokens.js';

/** Statements, run as they are read. */
export class Calculator extends Expressions {
  async run(given: string): Promise<void> {
    this.tokens = await bcTokens(given, this.process);
    this.at = 0;
    while (this.at < this.tokens.length) {
      if (this.take('\n', ';')) continue;
      await this.statement(true);
      if (this.at < this.tokens.length && !this.take('\n', ';')) throw new BcError(`bad expression`);
    }
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
}
