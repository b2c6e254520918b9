import type { Problem, Token } from '../tokens.js';
import { OPERAND } from './expected-tokens.js';

/** Where reading ends: for a reason, unless that has been told. */
export class SyntaxProblem extends Error {
  constructor(readonly problem: Problem | undefined) {
    super(problem?.text);
  }
}

/** How many tokens are read at once. */
const TOKENS_BETWEEN_RESTS = 2000;

/** What may come behind a whole operand wherever it stands. */
const BEHIND_OPERANDS: ReadonlySet<string> = new Set('. [ ? || && < <= >= > == != + - * / %'.split(' '));

/** Whether an operand may begin with it. */
export function beginsOperand(token: Token): boolean {
  if (token.kind === 'op') return '[{(.-!'.includes(token.text);
  return token.kind !== 'end' && token.kind !== 'escaped' && token.text !== 'in';
}

/** Whether an operand may be over before a token. */
function mayEnd({ kind, text }: Token, around: readonly string[]): boolean {
  if (kind === 'end' || (kind === 'ident' && text === 'in')) return true;
  return kind === 'op' && (BEHIND_OPERANDS.has(text) || around.some(after => after.includes(text)));
}

/** The tokens from the first to the last, and what is said of those that do not fit: ANTLR's words and what it forgives. */
export class TokenStream {
  private next = 0;
  private rested = 0;
  /** Nothing has been read since the last problem: what is wrong now comes of it. */
  private isRecovering = false;
  /** What may come behind an expression in what is open, inner ones last. */
  private readonly around: string[] = [];

  constructor(
    private readonly tokens: readonly Token[],
    readonly problems: Problem[],
  ) {}

  peek(ahead = 0): Token {
    return (this.tokens[this.next + ahead] ?? this.tokens[this.tokens.length - 1]) as Token;
  }

  take(): Token {
    const token = this.peek();
    this.next++;
    this.isRecovering = false;
    return token;
  }

  /** So many have been taken since it was last said that it is time. */
  isTimeToRest(): boolean {
    if (this.next - this.rested < TOKENS_BETWEEN_RESTS) return false;
    this.rested = this.next;
    return true;
  }

  isOperator(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'op' && token.text === text;
  }

  skip(text: string): Token | undefined {
    return this.isOperator(text) ? this.take() : undefined;
  }

  /** Each of `after` may come behind an expression from here on. */
  enter(after: string): void {
    this.around.push(after);
  }

  /** What was entered is over with `end`, which is forgiven when it is missing. */
  close(end: string): void {
    this.expect(end);
    this.leave();
  }

  leave(): void {
    this.around.pop();
  }

  /** Says what is wrong and goes on: what stands there does not matter any more. */
  problem<T>(at: number, text: string, instead: T): T {
    this.problems.push({ at, text });
    return instead;
  }

  fail(at: number, text: string): never {
    throw new SyntaxProblem(this.isRecovering ? undefined : { at, text: `Syntax error: ${text}` });
  }

  /** Says what is wrong with the grammar and goes on. */
  report(at: number, text: string): void {
    if (!this.isRecovering) this.problems.push({ at, text: `Syntax error: ${text}` });
    this.isRecovering = true;
  }

  /** ANTLR's words: the token after a stray one tells whether it is stray or a mistake. */
  unexpected(token: Token, isStray: boolean, expected: string): never {
    return this.fail(token.at, `${isStray ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${expected}`);
  }

  /** The same of the next token, where another is the only one that may stand there. */
  require(text: string): Token {
    if (!this.isOperator(text)) this.unexpected(this.peek(), this.isOperator(text, 1), `'${text}'`);
    return this.take();
  }

  /** A token that is forgiven when it is missing or behind a stray one. */
  private expect(text: string): Token {
    if (this.isOperator(text)) return this.take();
    const token = this.peek();
    if (this.isRecovering) throw new SyntaxProblem(undefined);
    // Both are forgiven, as ANTLR does it: what comes behind may be wrong, too.
    if (this.isOperator(text, 1)) {
      this.report(token.at, `extraneous input '${token.text}' expecting '${text}'`);
      this.next++;
      return this.take();
    }
    if (!this.mayFollow(token)) this.unexpected(token, false, `'${text}'`);
    this.report(token.at, `missing '${text}' at '${token.text}'`);
    return token;
  }

  /** A token too many. */
  stray(expected: string): void {
    const token = this.peek();
    this.report(token.at, `extraneous input '${token.text}' expecting ${expected}`);
    this.next++;
  }

  /** ANTLR has looked ahead as far as `token`, and goes on from there where it could be an operand. */
  noViable(before: string, token: Token): never {
    const shown = token.kind === 'end' ? '' : token.text;
    this.problems.push({ at: token.at, text: `Syntax error: no viable alternative at input '${before}${shown}'` });
    if (beginsOperand(token)) throw new SyntaxProblem(undefined);
    return this.unexpected(token, false, OPERAND);
  }

  /** Where no operand is: goes on behind the one that there is not. */
  noOperand(): void {
    const token = this.peek();
    this.report(token.at, `mismatched input '${token.text}' expecting ${OPERAND}`);
    // Much may be open, but little of it differs.
    const around = [...new Set(this.around)];
    while (!mayEnd(this.peek(), around)) this.next++;
  }

  /** Whether a token may stand behind what is closed last: ANTLR says that the end is missing then. */
  private mayFollow({ kind, text }: Token): boolean {
    const around = this.around[this.around.length - 2];
    if (kind === 'end') return true;
    if (kind !== 'op') return text === 'in';
    if (BEHIND_OPERANDS.has(text)) return true;
    return around !== undefined && around.includes(text);
  }
}
