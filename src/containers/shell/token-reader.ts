import type { Word } from './ast.js';
import type { Lexer, Token } from './lexer.js';
import { ShellSyntaxError } from './syntax-error.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The tokens of a script as its grammar asks for them. */
export class TokenReader {
  private token: Token;
  /** Set while the token after the current one has not been read: `$(...)` must not read past its ")". */
  private stale = false;
  /** The operator that was taken last; '' when it was something else. */
  lastTaken = '';

  constructor(private readonly lexer: Lexer) {
    this.token = lexer.next();
  }

  peek(): Token {
    if (this.stale) {
      this.token = this.lexer.next();
      this.stale = false;
    }
    return this.token;
  }

  take(): Token {
    const current = this.peek();
    this.lastTaken = current.kind === 'operator' ? current.op : '';
    this.stale = true;
    return current;
  }

  isOperator(...ops: string[]): boolean {
    const current = this.peek();
    return current.kind === 'operator' && ops.includes(current.op);
  }

  reserved(...words: string[]): boolean {
    const current = this.peek();
    return current.kind === 'word' && words.includes(current.raw);
  }

  unexpected(): ShellSyntaxError {
    const current = this.peek();
    const text = current.kind === 'word' ? `"${current.raw}"` : current.kind === 'operator' ? describe(current.op) : '';
    return new ShellSyntaxError(
      current.kind === 'end' ? 'syntax error: unexpected end of file' : `syntax error: unexpected ${text}`,
    );
  }

  expectOperator(op: string): void {
    if (!this.isOperator(op)) throw this.unexpected();
    this.stale = true;
  }

  expectReserved(word: string): void {
    if (!this.reserved(word)) throw this.unexpected();
    this.stale = true;
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.unexpected();
  }

  skipNewlines(): void {
    while (this.isOperator('\n')) this.take();
  }

  word(): Word {
    const current = this.take();
    if (current.kind !== 'word') {
      this.token = current;
      this.stale = false;
      throw this.unexpected();
    }
    return current.word;
  }

  plainName(): string {
    const current = this.peek();
    if (current.kind !== 'word' || !NAME.test(current.raw)) throw this.unexpected();
    this.take();
    return current.raw;
  }
}

const describe = (op: string): string => (op === '\n' ? 'newline' : `"${op}"`);
