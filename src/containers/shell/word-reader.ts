import { unescapeText } from '../programs/escapes.js';
import type { Script, Word, WordPart } from './ast.js';
import { ShellSyntaxError } from './syntax-error.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const MAX_NESTING = 200;

/** Reads words: quotes, and what is expanded in them. A word may hold a whole script, for which it needs a Lexer's tokens. */
export abstract class WordReader {
  protected at = 0;

  constructor(
    protected readonly source: string,
    protected depth: number,
  ) {}

  /** A script that ends at the next ")". */
  protected abstract readScript(): Script;
  /** Of text inside this one. */
  protected abstract readerOf(source: string): WordReader;

  enter(): void {
    if (++this.depth > MAX_NESTING) throw new ShellSyntaxError('syntax error: nested too deeply');
  }
  leave(): void {
    this.depth--;
  }

  protected peek(offset = 0): string {
    return this.source[this.at + offset] ?? '';
  }

  protected readWord(isEnd: (c: string) => boolean): Word {
    const parts: WordPart[] = [];
    let text = '';
    const ansi = (): boolean => this.peek() === '$' && this.peek(1) === "'";
    const flush = (): void => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: false });
      text = '';
    };
    while (this.at < this.source.length && !isEnd(this.peek())) {
      const c = this.peek();
      if (c === '\\') {
        if (this.peek(1) !== '\n') {
          flush();
          parts.push({ kind: 'text', text: this.peek(1), quoted: true });
        }
        this.at += 2;
      } else if (ansi()) {
        flush();
        parts.push({ kind: 'text', text: this.readAnsi(), quoted: true });
      } else if (c === "'") {
        const end = this.source.indexOf("'", this.at + 1);
        if (end < 0) throw new ShellSyntaxError('syntax error: unterminated quoted string');
        flush();
        parts.push({ kind: 'text', text: this.source.slice(this.at + 1, end), quoted: true });
        this.at = end + 1;
      } else if (c === '"') {
        flush();
        this.at++;
        this.readQuoted(parts, '"');
      } else if (c === '$' || c === '`') {
        const part = this.readExpansion(false);
        if (part === undefined) {
          text += c;
          this.at++;
        } else {
          flush();
          parts.push(part);
        }
      } else {
        text += c;
        this.at++;
      }
    }
    flush();
    return parts;
  }

  /** $'...' with C's escapes. */
  private readAnsi(): string {
    let end = this.at + 2;
    while (end < this.source.length && this.source[end] !== "'") end += this.source[end] === '\\' ? 2 : 1;
    if (end >= this.source.length) throw new ShellSyntaxError('syntax error: unterminated quoted string');
    const inner = this.source.slice(this.at + 2, end);
    this.at = end + 1;
    return unescapeText(inner);
  }

  /** The inside of double quotes (end '"') or of a here-document (end ''). Always leaves at least one part. */
  protected readQuoted(parts: WordPart[], end: '"' | ''): void {
    let text = '';
    const before = parts.length;
    const flush = (): void => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: true });
      text = '';
    };
    for (;;) {
      if (this.at >= this.source.length) {
        if (end === '"') throw new ShellSyntaxError('syntax error: unterminated quoted string');
        break;
      }
      const c = this.peek();
      if (end === '"' && c === '"') {
        this.at++;
        break;
      }
      if (c === '\\' && '$`"\\\n'.includes(this.peek(1)) && !(end === '' && this.peek(1) === '"')) {
        if (this.peek(1) !== '\n') text += this.peek(1);
        this.at += 2;
        continue;
      }
      const part = c === '$' || c === '`' ? this.readExpansion(true) : undefined;
      if (part === undefined) {
        text += c;
        this.at++;
      } else {
        flush();
        parts.push(part);
      }
    }
    flush();
    if (parts.length === before) parts.push({ kind: 'text', text: '', quoted: true });
  }

  /** At "$" or "`"; undefined when it is just a dollar sign. */
  private readExpansion(quoted: boolean): WordPart | undefined {
    if (this.peek() === '`') return this.readBackquotes(quoted);
    const rest = this.source.slice(this.at + 1, this.at + 3);
    if (rest === '((') {
      const arithmetic = this.readArithmetic(quoted);
      if (arithmetic !== undefined) return arithmetic;
    }
    if (rest.startsWith('(')) {
      this.at += 2;
      return { kind: 'command', script: this.nested(() => this.readScript()), quoted };
    }
    if (rest.startsWith('{')) return this.readBraced(quoted);
    const special = /^[@*#?$!0-9-]/.exec(rest)?.[0];
    const name = special ?? NAME.exec(this.source.slice(this.at + 1, this.at + 256))?.[0];
    if (name === undefined) return undefined;
    this.at += 1 + name.length;
    return { kind: 'parameter', name, quoted };
  }

  private readBackquotes(quoted: boolean): WordPart {
    let inner = '';
    let i = this.at + 1;
    for (; this.source[i] !== '`'; i++) {
      if (i >= this.source.length) throw new ShellSyntaxError('syntax error: EOF in backquote substitution');
      if (this.source[i] === '\\' && '$`\\'.includes(this.source[i + 1] ?? ' ')) i++;
      inner += this.source[i] ?? '';
    }
    this.at = i + 1;
    const reader = this.readerOf(`${inner})`);
    return { kind: 'command', script: this.nested(() => reader.readScript()), quoted };
  }

  private readArithmetic(quoted: boolean): WordPart | undefined {
    let depth = 0;
    for (let i = this.at + 3; i < this.source.length; i++) {
      if (this.source[i] === '(') depth++;
      else if (this.source[i] === ')' && depth > 0) depth--;
      else if (this.source[i] === ')') {
        // "$( (a); b )": a command substitution that starts with a subshell.
        if (this.source[i + 1] !== ')') return undefined;
        const inner = this.readerOf(this.source.slice(this.at + 3, i));
        const expression: WordPart[] = [];
        this.nested(() => {
          inner.enter();
          inner.readQuoted(expression, '');
        });
        this.at = i + 2;
        return { kind: 'arithmetic', expression, quoted };
      }
    }
    throw new ShellSyntaxError('syntax error: missing "))"');
  }

  private readBraced(quoted: boolean): WordPart {
    this.at += 2;
    const isLength = this.peek() === '#' && this.peek(1) !== '}';
    if (isLength) this.at++;
    const name = /^(?:[@*#?$!-]|\d+|[A-Za-z_][A-Za-z0-9_]*)/.exec(this.source.slice(this.at, this.at + 256))?.[0];
    if (name === undefined) throw new ShellSyntaxError('syntax error: bad substitution');
    this.at += name.length;
    if (this.peek() === '}') {
      this.at++;
      return { kind: 'parameter', name, quoted, ...(isLength ? { op: 'length' } : {}) };
    }
    const written = /^(?::?[-=?+]|##?|%%?|\/\/?|:)/.exec(this.source.slice(this.at, this.at + 2))?.[0];
    if (written === ':') {
      this.at++;
      return this.finishBraced({ kind: 'parameter', name, quoted, op: 'substring' });
    }
    const op = written;
    if (op === undefined || isLength) throw new ShellSyntaxError('syntax error: bad substitution');
    this.at += op.length;
    return this.finishBraced({ kind: 'parameter', name, quoted, op });
  }

  private finishBraced(part: Extract<WordPart, { kind: 'parameter' }>): WordPart {
    const argument = this.nested(() => this.readWord(c => c === '}'));
    if (this.peek() !== '}') throw new ShellSyntaxError('syntax error: missing "}"');
    this.at++;
    return { ...part, argument };
  }

  /** Reads something inside something; too deep is no script that anybody wrote. */
  private nested<T>(read: () => T): T {
    this.enter();
    try {
      return read();
    } finally {
      this.leave();
    }
  }
}
