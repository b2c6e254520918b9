import { anchorName, readDirective, readTag } from './yaml-properties.js';
import { YamlReader, YamlSyntaxError, type Mark } from './yaml-reader.js';
import { blockScalar, plainScalar, quotedScalar } from './yaml-scalar-text.js';
import { SimpleKeys } from './yaml-simple-keys.js';
import { MAX_JSON_DEPTH } from '../../machinery/json-depth.js';

export type TokenType =
  | 'stream end'
  | 'directive'
  | 'document start'
  | 'document end'
  | 'block sequence'
  | 'block mapping'
  | 'block end'
  | '['
  | ']'
  | '{'
  | '}'
  | ','
  | '-'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar';

export interface Token {
  readonly type: TokenType;
  readonly mark: Mark;
  /** The name of an alias or anchor, the handle and suffix of a tag, the words of a directive, the text of a scalar. */
  readonly words: readonly string[];
  /** A scalar without quotes, which may be something else than text. */
  readonly plain?: boolean;
}

/** Of collections in one another, as go-yaml says it; what is walked here ends where JSON does. */
export const MAX_DEPTH = 10_000;
const FLOW: Readonly<Record<string, TokenType>> = { '[': '[', '{': '{', ']': ']', '}': '}', ',': ',' };
const NOT_PLAIN = /[-?:,[\]{}#&*!|>'"%@`]/;

/**
 * The tokens of YAML as libyaml's scanner finds them, one after the other as the parser asks, so that the first error
 * is the one that go-yaml reports.
 */
export class YamlTokens {
  private readonly queue: Token[] = [];
  private taken = 0;
  /** A key may begin at the next token. */
  private keyAllowed = true;
  private indent = -1;
  private readonly indents: number[] = [];
  private readonly keys: SimpleKeys;
  private readonly reader: YamlReader;

  constructor(text: string) {
    this.reader = new YamlReader(text);
    this.keys = new SimpleKeys(this.reader);
  }

  /** The next token, which stays. A "key" token may still have to go before the head of the queue. @throws YamlSyntaxError */
  peek(): Token {
    while (this.queue.length === 0 || this.keys.mayBe(this.taken)) this.fetch();
    return this.queue[0] as Token;
  }

  take(): Token {
    const token = this.peek();
    if (token.type === 'stream end') return token;
    this.queue.shift();
    this.keys.forget(this.taken);
    this.taken++;
    return token;
  }

  private get flow(): number {
    return this.keys.flow;
  }

  private saveKey(): void {
    if (!this.keyAllowed) return;
    const required = this.flow === 0 && this.indent === this.reader.column;
    this.keys.save(this.taken + this.queue.length, required);
  }

  private push(type: TokenType, mark: Mark = this.reader.mark, words: readonly string[] = [], plain = false): void {
    this.queue.push({ type, mark, words, plain });
  }

  private openBlock(type: TokenType, mark: Mark, token?: number): void {
    if (this.flow > 0 || this.indent >= mark.column) return;
    this.indents.push(this.indent);
    this.indent = mark.column;
    if (this.indents.length > MAX_JSON_DEPTH) throw this.error(`exceeded max depth of ${MAX_DEPTH}`);
    this.queue.splice(token === undefined ? this.queue.length : token - this.taken, 0, { type, mark, words: [] });
  }

  private closeBlocks(column: number): void {
    while (this.flow === 0 && this.indent > column) {
      this.push('block end');
      this.indent = this.indents.pop() ?? -1;
    }
  }

  private error(problem: string, context: Mark = this.reader.mark): YamlSyntaxError {
    return new YamlSyntaxError('scanner', problem, this.reader.mark, context);
  }

  private fetch(): void {
    const { reader } = this;
    this.skipToToken();
    this.closeBlocks(reader.mark.column);
    const char = reader.char();
    if (char === '') return this.end();
    if (reader.mark.column === 0) {
      if (char === '%') return this.directive();
      const document = reader.documentIndicator();
      if (document !== undefined) return this.document(document);
    }
    const type = FLOW[char];
    if (type !== undefined) return this.flowIndicator(type);
    const blankNext = reader.isBlankOrEnd(1);
    if (char === '-' && blankNext) return this.blockEntry();
    if (char === '?' && (this.flow > 0 || blankNext)) return this.key();
    if (char === ':' && (this.flow > 0 || blankNext)) return this.value();
    if (char === '*' || char === '&') return this.named(char === '*' ? 'alias' : 'anchor');
    if (char === '!') return this.tag();
    if ((char === '|' || char === '>') && this.flow === 0) return this.blockScalar();
    if (char === "'" || char === '"') return this.quoted(char);
    const plain =
      !(reader.isBlankOrEnd() || NOT_PLAIN.test(char)) ||
      (char === '-' && !reader.isBlank(1)) ||
      (this.flow === 0 && (char === '?' || char === ':'));
    if (!plain) throw this.error('found character that cannot start any token');
    this.plain();
  }

  /** Blanks, comments and line breaks. A tab is no blank where a key may begin in block context. */
  private skipToToken(): void {
    const { reader } = this;
    for (;;) {
      if (reader.mark.index === 0 && reader.char() === '\ufeff') reader.skip();
      while (reader.char() === ' ' || (reader.char() === '\t' && (this.flow > 0 || !this.keyAllowed))) reader.skip();
      if (reader.char() === '#') reader.skipLine();
      if (!reader.isBreak()) return;
      reader.skip();
      if (this.flow === 0) this.keyAllowed = true;
    }
  }

  private end(): void {
    this.reader.forceNewLine();
    this.closeBlocks(-1);
    this.keys.drop();
    this.keyAllowed = false;
    this.push('stream end');
  }

  private directive(): void {
    this.closeBlocks(-1);
    this.keys.drop();
    this.keyAllowed = false;
    const { mark } = this.reader;
    this.push('directive', mark, readDirective(this.reader));
  }

  private document(type: 'document start' | 'document end'): void {
    this.closeBlocks(-1);
    this.keys.drop();
    this.keyAllowed = false;
    this.push(type);
    for (let i = 0; i < 3; i++) this.reader.skip();
  }

  private flowIndicator(type: TokenType): void {
    const opens = type === '[' || type === '{';
    if (opens) {
      this.saveKey();
      this.keys.openFlow();
      if (this.flow > MAX_JSON_DEPTH) throw this.error(`exceeded max depth of ${MAX_DEPTH}`);
    } else {
      this.keys.drop();
      if (type !== ',') this.keys.closeFlow();
    }
    this.keyAllowed = opens || type === ',';
    this.push(type);
    this.reader.skip();
  }

  private blockEntry(): void {
    if (this.flow === 0) {
      if (!this.keyAllowed) throw this.error('block sequence entries are not allowed in this context');
      this.openBlock('block sequence', this.reader.mark);
    }
    this.keys.drop();
    this.keyAllowed = true;
    this.push('-');
    this.reader.skip();
  }

  private key(): void {
    if (this.flow === 0) {
      if (!this.keyAllowed) throw this.error('mapping keys are not allowed in this context');
      this.openBlock('block mapping', this.reader.mark);
    }
    this.keys.drop();
    this.keyAllowed = this.flow === 0;
    this.push('key');
    this.reader.skip();
  }

  private value(): void {
    const key = this.keys.take();
    if (key !== undefined) {
      this.queue.splice(key.token - this.taken, 0, { type: 'key', mark: key.mark, words: [] });
      this.openBlock('block mapping', key.mark, key.token);
      this.keyAllowed = false;
    } else {
      if (this.flow === 0) {
        if (!this.keyAllowed) throw this.error('mapping values are not allowed in this context');
        this.openBlock('block mapping', this.reader.mark);
      }
      this.keyAllowed = this.flow === 0;
    }
    this.push('value');
    this.reader.skip();
  }

  private named(type: 'alias' | 'anchor'): void {
    this.saveKey();
    this.keyAllowed = false;
    const { mark } = this.reader;
    this.push(type, mark, [anchorName(this.reader)]);
  }

  private tag(): void {
    this.saveKey();
    this.keyAllowed = false;
    const { mark } = this.reader;
    const { handle, suffix } = readTag(this.reader);
    this.push('tag', mark, [handle, suffix]);
  }

  private blockScalar(): void {
    this.keys.drop();
    this.keyAllowed = true;
    const { mark } = this.reader;
    this.push('scalar', mark, [blockScalar(this.reader, this.indent)]);
  }

  private quoted(quote: string): void {
    this.saveKey();
    this.keyAllowed = false;
    const { mark } = this.reader;
    this.push('scalar', mark, [quotedScalar(this.reader, quote)]);
  }

  private plain(): void {
    this.saveKey();
    this.keyAllowed = false;
    const { mark } = this.reader;
    const { text, newLine } = plainScalar(this.reader, this.flow > 0, this.indent + 1);
    if (newLine) this.keyAllowed = true;
    this.push('scalar', mark, [text], true);
  }
}
