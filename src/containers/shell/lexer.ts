import type { Script, Word, WordPart } from './ast.js';
import { WordReader } from './word-reader.js';

const OPERATORS = [
  '&>',
  '&&',
  '||',
  ';;',
  '<<-',
  '<<',
  '>>',
  '>&',
  '<&',
  '>|',
  '&',
  '|',
  ';',
  '(',
  ')',
  '<',
  '>',
  '\n',
];
const WORD_END = new Set(' \t\n;&|()<>');

export type Token =
  | { readonly kind: 'word'; readonly word: Word; /** The word as written, for reserved words. */ readonly raw: string }
  | { readonly kind: 'operator'; readonly op: string }
  /** "2" in "2>". */
  | { readonly kind: 'fd'; readonly fd: number }
  | { readonly kind: 'end' };

export interface HereDocument {
  readonly delimiter: string;
  readonly quoted: boolean;
  readonly stripTabs: boolean;
  /** Called with the body once the line that holds the redirection has ended. */
  readonly fill: (body: Word) => void;
}

/** Cuts a script into tokens. The parser it serves is passed in, because `$(...)` holds a whole script. */
export class Lexer extends WordReader {
  private readonly end: number;
  private waiting: HereDocument[] = [];

  constructor(
    source: string,
    private readonly parseScript: (lexer: Lexer, end: ')') => Script,
    depth = 0,
  ) {
    super(source, depth);
    this.end = source.trimEnd().length;
  }

  /** Whether only blanks are left. */
  get atEnd(): boolean {
    return this.at >= this.end;
  }

  expectHereDocument(document: HereDocument): void {
    this.waiting.push(document);
  }

  next(): Token {
    this.skipBlanks();
    if (this.at >= this.source.length) {
      this.readHereDocuments();
      return { kind: 'end' };
    }
    const op = OPERATORS.find(candidate => this.source.startsWith(candidate, this.at));
    if (op !== undefined) {
      this.at += op.length;
      if (op === '\n') this.readHereDocuments();
      return { kind: 'operator', op };
    }
    const fd = /^\d+(?=[<>])/.exec(this.source.slice(this.at, this.at + 4));
    if (fd !== null) {
      this.at += fd[0].length;
      return { kind: 'fd', fd: Number(fd[0]) };
    }
    const start = this.at;
    const word = this.readWord(c => WORD_END.has(c));
    return { kind: 'word', word, raw: this.source.slice(start, this.at) };
  }

  protected override readScript(): Script {
    return this.parseScript(this, ')');
  }

  protected override readerOf(source: string): Lexer {
    return new Lexer(source, this.parseScript, this.depth);
  }

  private skipBlanks(): void {
    for (;;) {
      const c = this.peek();
      if (c === ' ' || c === '\t' || c === '\r') this.at++;
      else if (c === '\\' && this.peek(1) === '\n') this.at += 2;
      else if (c === '#') while (this.at < this.source.length && this.peek() !== '\n') this.at++;
      else return;
    }
  }

  private readHereDocuments(): void {
    const documents = this.waiting;
    this.waiting = [];
    for (const { delimiter, quoted, stripTabs, fill } of documents) {
      const lines: string[] = [];
      while (this.at < this.source.length) {
        const newline = this.source.indexOf('\n', this.at);
        const end = newline < 0 ? this.source.length : newline;
        const line = this.source.slice(this.at, end).replace(stripTabs ? /^\t+/ : /^(?!)/, '');
        this.at = Math.min(this.source.length, end + 1);
        if (line === delimiter) break;
        lines.push(`${line}\n`);
      }
      const text = lines.join('');
      if (quoted) fill([{ kind: 'text', text, quoted: true }]);
      else {
        const parts: WordPart[] = [];
        this.readerOf(text).readQuoted(parts, '');
        fill(parts);
      }
    }
  }
}
