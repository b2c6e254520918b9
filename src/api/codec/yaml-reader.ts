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

/** Walks over YAML text. Only what is here moves it. */
export class YamlReader {
  index = 0;
  private line = 0;
  column = 0;

  constructor(readonly text: string) {}

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

  /** Why it is no YAML, at this place. */
  error(problem: string, context: Mark): YamlSyntaxError {
    return new YamlSyntaxError('scanner', problem, this.mark, context);
  }

  /** The characters that match. */
  skipWhile(pattern: RegExp): string {
    const start = this.index;
    while (this.char() !== '' && pattern.test(this.char())) this.skip();
    return this.text.slice(start, this.index);
  }

  /** A line break as it is kept: all but the Unicode ones are \n. */
  lineBreak(): string {
    const char = this.char();
    this.skip();
    return char === '\u2028' || char === '\u2029' ? char : '\n';
  }
}
