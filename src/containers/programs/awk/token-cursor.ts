import type { AwkLexer, Token } from './lexer.js';
import { AwkError } from './syntax.js';

const MAX_DEPTH = 200;

/** The token at hand, what is known of where it stands, and the steps that every rule of the grammar is made of. */
export class TokenCursor {
  protected token: Token;
  /** Behind the token at hand, where it had to be looked at. */
  protected ahead: Token | undefined;
  private depth = 0;
  /** In a print's list ">" is where the output goes. */
  protected noGreater = false;
  /** In the head of a for, "in" is the for's. */
  protected noIn = false;

  constructor(protected readonly lexer: AwkLexer) {
    this.token = lexer.next();
  }

  protected advance(): Token {
    const current = this.token;
    this.token = this.ahead ?? this.lexer.next();
    this.ahead = undefined;
    return current;
  }
  protected is(kind: Token['kind'], text?: string): boolean {
    const { token } = this;
    return token.kind === kind && (text === undefined || ('text' in token && token.text === text));
  }
  protected take(kind: Token['kind'], text?: string): boolean {
    if (!this.is(kind, text)) return false;
    this.advance();
    return true;
  }
  protected operator(among: readonly string[]): string | undefined {
    const { token } = this;
    if (token.kind !== 'operator' || !among.includes(token.text)) return undefined;
    this.advance();
    return token.text;
  }
  protected expect(text: string): void {
    if (!this.take('operator', text)) throw this.unexpected();
  }
  protected unexpected(): AwkError {
    const { token } = this;
    return new AwkError(`syntax error: unexpected ${'text' in token ? `'${token.text}'` : token.kind}`);
  }
  protected newlines(): void {
    while (this.token.kind === 'newline') this.advance();
  }
  protected skip(): void {
    while (this.token.kind === 'newline' || this.is('operator', ';')) this.advance();
  }
  protected name(): string {
    const { token } = this;
    if (token.kind !== 'name' && token.kind !== 'function-name') throw this.unexpected();
    this.advance();
    return token.text;
  }
  protected nested<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw new AwkError('program nested too deeply');
    const result = read();
    this.depth--;
    return result;
  }
  /** Inside parentheses ">" and "in" are themselves again. */
  protected free<T>(read: () => T): T {
    const { noGreater, noIn } = this;
    this.noGreater = this.noIn = false;
    const result = read();
    this.noGreater = noGreater;
    this.noIn = noIn;
    return result;
  }
}
