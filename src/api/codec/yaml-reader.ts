/** A place in the text; lines and columns count from 0. */
export interface Mark {
  readonly index: number;
  readonly line: number;
  readonly column: number;
}

/** What go-yaml stops at. The line that it prints depends on who found the problem; see goYamlSyntaxError. */
export class YamlSyntaxError extends Error {
  override readonly name = 'YamlSyntaxError';
  constructor(
    readonly by: 'scanner' | 'parser' | 'composer',
    problem: string,
    readonly mark: Mark,
    readonly context: Mark,
  ) {
    super(problem);
  }
}

const TAB = 0x09;
const SPACE = 0x20;
const CR = 0x0d;
/** Line feed, carriage return, and Unicode's. */
const isBreakCode = (code: number): boolean =>
  code === 0x0a || code === CR || code === 0x85 || code === 0x2028 || code === 0x2029;
const ALPHA = /^[0-9A-Za-z_-]$/;
const URI = /^[0-9A-Za-z_;/?:@&=+$,.!~*'()[\]%-]$/;
const AFTER_NAME = /^[?:,\]}%@`]$/;
const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
};
const ESCAPE_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const MAX_VERSION_DIGITS = 2;
const ENDS_PLAIN_IN_FLOW = /^[,?[\]{}]$/;

/** Walks over YAML text and over what has rules of its own: scalars, names, tags, directives. */
export class YamlReader {
  private index = 0;
  private line = 0;
  private column = 0;

  constructor(private readonly text: string) {}

  get mark(): Mark {
    return { index: this.index, line: this.line, column: this.column };
  }

  /** '' at the end. */
  char(offset = 0): string {
    return this.text.charAt(this.index + offset);
  }

  isBlank(offset = 0): boolean {
    const code = this.text.charCodeAt(this.index + offset);
    return code === SPACE || code === TAB;
  }

  isBreak(offset = 0): boolean {
    return isBreakCode(this.text.charCodeAt(this.index + offset));
  }

  isBreakOrEnd(offset = 0): boolean {
    const at = this.index + offset;
    return at >= this.text.length || isBreakCode(this.text.charCodeAt(at));
  }

  isBlankOrEnd(offset = 0): boolean {
    const code = this.text.charCodeAt(this.index + offset);
    return code === SPACE || code === TAB || isBreakCode(code) || this.index + offset >= this.text.length;
  }

  /** One character, or one line break. */
  skip(): void {
    const code = this.text.charCodeAt(this.index);
    if (!isBreakCode(code)) {
      this.index++;
      this.column++;
      return;
    }
    this.index += code === CR && this.text.charCodeAt(this.index + 1) === 0x0a ? 2 : 1;
    this.line++;
    this.column = 0;
  }

  /** Up to the end of the line. */
  skipLine(): void {
    while (!this.isBreakOrEnd()) this.skip();
  }

  forceNewLine(): void {
    if (this.column === 0) return;
    this.column = 0;
    this.line++;
  }

  documentIndicator(): 'document start' | 'document end' | undefined {
    if (this.column !== 0) return undefined;
    const code = this.text.charCodeAt(this.index);
    if ((code !== 0x2d && code !== 0x2e) || !this.isBlankOrEnd(3)) return undefined;
    if (this.text.startsWith('---', this.index)) return 'document start';
    return this.text.startsWith('...', this.index) ? 'document end' : undefined;
  }

  private error(problem: string, context: Mark): YamlSyntaxError {
    return new YamlSyntaxError('scanner', problem, this.mark, context);
  }

  private skipWhile(pattern: RegExp): string {
    const start = this.index;
    while (this.char() !== '' && pattern.test(this.char())) this.skip();
    return this.text.slice(start, this.index);
  }

  /** An anchor or alias. */
  name(): string {
    const start = this.mark;
    this.skip();
    const name = this.skipWhile(ALPHA);
    if (name === '' || !(this.isBlankOrEnd() || AFTER_NAME.test(this.char())))
      throw this.error('did not find expected alphabetic or numeric character', start);
    return name;
  }

  /** A part of a tag. */
  private uri(start: Mark): string {
    const uri = this.skipWhile(URI);
    if (/%(?![0-9a-fA-F]{2})/.test(uri)) throw this.error('did not find URI escaped octet', start);
    if (!uri.includes('%')) return uri;
    try {
      return decodeURIComponent(uri);
    } catch (error) {
      if (error instanceof URIError) throw this.error('found an incorrect leading UTF-8 octet', start);
      throw error;
    }
  }

  /** A tag: its handle is "!", "!!" or "!name!", or '' where it is verbatim. */
  tag(): { handle: string; suffix: string } {
    const start = this.mark;
    let handle = '';
    let suffix: string;
    if (this.char(1) === '<') {
      this.skip();
      this.skip();
      suffix = this.uri(start);
      if (suffix === '') throw this.error('did not find expected tag URI', start);
      if (this.char() !== '>') throw this.error("did not find the expected '>'", start);
      this.skip();
    } else {
      this.skip();
      handle = `!${this.skipWhile(ALPHA)}`;
      if (this.char() === '!') {
        this.skip();
        handle += '!';
        suffix = this.uri(start);
        if (suffix === '') throw this.error('did not find expected tag URI', start);
      } else {
        suffix = handle.slice(1) + this.uri(start);
        handle = '!';
      }
    }
    if (!this.isBlankOrEnd()) throw this.error('did not find expected whitespace or line break', start);
    return { handle, suffix };
  }

  /** "YAML", with the version it asks for, or "TAG", with the handle it declares and what that stands for. */
  directive(): readonly string[] {
    const start = this.mark;
    this.skip();
    const name = this.skipWhile(ALPHA);
    if (name === '') throw this.error('could not find expected directive name', start);
    if (!this.isBlankOrEnd()) throw this.error('found unexpected non-alphabetical character', start);
    const blanks = (): void => {
      while (this.isBlank()) this.skip();
    };
    blanks();
    const words = [name];
    if (name === 'YAML') words.push(this.version(start));
    else if (name === 'TAG') {
      words.push(this.skipWhile(/^[^\s]$/));
      blanks();
      words.push(this.uri(start));
    } else throw this.error('found unknown directive name', start);
    blanks();
    if (this.char() === '#') this.skipLine();
    if (!this.isBreakOrEnd()) throw this.error('did not find expected comment or line break', start);
    if (this.isBreak()) this.skip();
    return words;
  }

  private version(start: Mark): string {
    const number = (): string => {
      const digits = this.skipWhile(/^\d$/);
      if (digits === '') throw this.error('did not find expected version number', start);
      if (digits.length > MAX_VERSION_DIGITS) throw this.error('found extremely long version number', start);
      return String(Number(digits));
    };
    const major = number();
    if (this.char() !== '.') throw this.error("did not find expected digit or '.' character", start);
    this.skip();
    return `${major}.${number()}`;
  }

  /** A line break as it is kept: all but the Unicode ones are \n. */
  private lineBreak(): string {
    const char = this.char();
    this.skip();
    return char === '\u2028' || char === '\u2029' ? char : '\n';
  }

  /**
   * Blanks and line breaks between two parts of a scalar, folded: one break is a blank, more of them are one less.
   * `joined`: a break was escaped. `violates` says whether a tab at the beginning of a line is too far left.
   */
  private gap(joined: boolean, violates?: () => YamlSyntaxError | undefined): { text: string; newLine: boolean } {
    let blanks = '';
    let breaks: string[] | undefined = joined ? [''] : undefined;
    while (this.isBlank() || this.isBreak()) {
      if (this.isBreak()) {
        (breaks ??= []).push(this.lineBreak());
        continue;
      }
      const error = breaks !== undefined && this.char() === '\t' ? violates?.() : undefined;
      if (error !== undefined) throw error;
      if (breaks === undefined) blanks += this.char();
      this.skip();
    }
    if (breaks === undefined) return { text: blanks, newLine: false };
    const [first, ...rest] = breaks;
    const text = first === '\n' ? rest.join('') || ' ' : (first ?? '') + rest.join('');
    return { text, newLine: true };
  }

  quoted(quote: string): string {
    const start = this.mark;
    this.skip();
    let text = '';
    for (;;) {
      if (this.documentIndicator() !== undefined) throw this.error('found unexpected document indicator', start);
      if (this.char() === '') throw this.error('found unexpected end of stream', start);
      let joined = false;
      while (!joined && !this.isBlankOrEnd()) {
        const char = this.char();
        if (char === quote) {
          this.skip();
          if (quote === '"' || this.char() !== "'") return text;
          text += "'";
          this.skip();
        } else if (char === '\\' && quote === '"') {
          joined = this.isBreak(1);
          if (joined) {
            this.skip();
            this.skip();
          } else text += this.escape(start);
        } else {
          text += char;
          this.skip();
        }
      }
      text += this.gap(joined).text;
    }
  }

  private escape(start: Mark): string {
    const kind = this.char(1);
    const length = ESCAPE_LENGTHS[kind] ?? 0;
    const plain = ESCAPES[kind];
    if (length === 0 && plain === undefined) throw this.error('found unknown escape character', start);
    this.skip();
    this.skip();
    if (plain !== undefined) return plain;
    const digits = this.text.slice(this.index, this.index + length);
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length)
      throw this.error('did not find expected hexdecimal number', start);
    const code = parseInt(digits, 16);
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
      throw this.error('found invalid Unicode character escape code', start);
    for (let i = 0; i < length; i++) this.skip();
    return String.fromCodePoint(code);
  }

  /** `indent`: lines that go on are indented so far. `newLine`: the scanner stands at the beginning of a line. */
  plain(inFlow: boolean, indent: number): { text: string; newLine: boolean } {
    const start = this.mark;
    const violates = (): YamlSyntaxError | undefined =>
      this.column < indent ? this.error('found a tab character that violates indentation', start) : undefined;
    let text = '';
    let gap = { text: '', newLine: false };
    for (;;) {
      if (this.documentIndicator() !== undefined || this.char() === '#') break;
      while (!this.isBlankOrEnd()) {
        const char = this.char();
        if ((char === ':' && this.isBlankOrEnd(1)) || (inFlow && ENDS_PLAIN_IN_FLOW.test(char))) break;
        text += gap.text + char;
        gap = { text: '', newLine: false };
        this.skip();
      }
      if (!this.isBlank() && !this.isBreak()) break;
      gap = this.gap(false, violates);
      if (!inFlow && this.column < indent) break;
    }
    return { text, newLine: gap.newLine };
  }

  /** `outer` is the indentation around it. */
  blockScalar(outer: number): string {
    const start = this.mark;
    const literal = this.char() === '|';
    this.skip();
    let increment = 0;
    let chomping = '';
    for (let i = 0; i < 2; i++) {
      const char = this.char();
      if ((char === '+' || char === '-') && chomping === '') {
        chomping = char;
        this.skip();
      } else if (/^\d$/.test(char) && increment === 0) {
        increment = Number(char);
        if (increment === 0) throw this.error('found an indentation indicator equal to 0', start);
        this.skip();
      }
    }
    while (this.isBlank()) this.skip();
    if (this.char() === '#') this.skipLine();
    if (!this.isBreakOrEnd()) throw this.error('did not find expected comment or line break', start);
    if (this.isBreak()) this.skip();

    let text = '';
    let lineBreak = '';
    let wasBlank = false;
    let { indent, breaks } = this.blockBreaks(increment === 0 ? 0 : Math.max(outer, 0) + increment, outer, start);
    while (this.column === indent && this.char() !== '') {
      const isBlank = this.isBlank();
      const folds = !literal && !wasBlank && !isBlank && lineBreak === '\n';
      text += (folds ? (breaks === '' ? ' ' : '') : lineBreak) + breaks;
      wasBlank = isBlank;
      const from = this.index;
      this.skipLine();
      text += this.text.slice(from, this.index);
      lineBreak = this.isBreak() ? this.lineBreak() : '';
      ({ indent, breaks } = this.blockBreaks(indent, outer, start));
    }
    return text + (chomping === '-' ? '' : lineBreak) + (chomping === '+' ? breaks : '');
  }

  /** Indentation and empty lines; the first of them decide the indentation when it is 0. */
  private blockBreaks(given: number, outer: number, start: Mark): { indent: number; breaks: string } {
    let deepest = 0;
    let breaks = '';
    for (;;) {
      while ((given === 0 || this.column < given) && this.char() === ' ') this.skip();
      deepest = Math.max(deepest, this.column);
      if ((given === 0 || this.column < given) && this.char() === '\t')
        throw this.error('found a tab character where an indentation space is expected', start);
      if (!this.isBreak()) break;
      breaks += this.lineBreak();
    }
    return { indent: given === 0 ? Math.max(deepest, outer + 1, 1) : given, breaks };
  }
}
