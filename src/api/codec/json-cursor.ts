import { MAX_JSON_DEPTH } from '../../machinery/json-depth.js';

/** Something the fast reader will not go on with; the text is looked at again, slowly, to say what (see decode.ts). */
export class NotJson extends Error {
  override readonly name = 'NotJson';
}

/** A Go decoder's error that ends decoding at once, e.g. of a custom UnmarshalJSON. */
export class GoDecodeError extends Error {
  override readonly name = 'GoDecodeError';
}

/** sigs.k8s.io/json stops collecting strict errors there. */
const MAX_STRICT_PROBLEMS = 100;
/** V8 keeps the whole parent text alive for a slice of this length or more. */
const SLICE_PINS = 13;
/** Characters that are read in a millisecond or two. */
const STEP = 16_384;
const NOTHING_BIG: ReadonlySet<number> = new Set();

export type Token = '{' | '[' | '"' | 'number' | 'true' | 'false' | 'null';

const TOKEN_NAMES: Readonly<Record<Token, string>> = {
  '{': 'object',
  '[': 'array',
  '"': 'string',
  number: 'number',
  true: 'bool',
  false: 'bool',
  null: 'null',
};

/**
 * A position in JSON text, and what Go's decoder keeps beside it: where it is, the first type error, strict problems.
 * Mutable and short-lived: one per body.
 */
export class JsonCursor {
  at = 0;
  depth = 0;
  /** Go struct whose field is being read, e.g. "PodSpec"; '' outside any. */
  struct = '';
  /** Names of the struct fields on the way here. */
  readonly fields: string[] = [];
  /** The way here, which strict problems print: names of fields, keys of maps, numbers of items. */
  readonly path: (string | number)[] = [];
  readonly strictProblems: string[] = [];
  /** Go goes on after a type error and reports the first one. */
  typeError: string | undefined;
  private readonly ascii: boolean;
  private rested = 0;

  /** `big`: where the values begin that are to be read in steps. */
  constructor(
    readonly text: string,
    private readonly bytes: Buffer,
    private readonly big: ReadonlySet<number> = NOTHING_BIG,
  ) {
    this.ascii = text.length === bytes.length;
  }

  /** The value that begins here is to be read in steps. */
  isBig(): boolean {
    this.skipSpace();
    return this.big.has(this.at);
  }

  /** So much was read since the last step that this one may end. */
  isTired(): boolean {
    if (this.at - this.rested < STEP) return false;
    this.rested = this.at;
    return true;
  }

  /** Behind an object: there was nothing in it. What is in one does not end with its own opening bracket. */
  wasEmpty(): boolean {
    let at = this.at - 2;
    while (this.text.charCodeAt(at) <= 0x20) at--;
    return this.text.charCodeAt(at) === 0x7b;
  }

  /** The kind of the value that begins here. @throws NotJson */
  token(): Token {
    switch (this.skipSpace()) {
      case 0x7b:
        return '{';
      case 0x5b:
        return '[';
      case 0x22:
        return '"';
      case 0x74:
        return this.literal('true');
      case 0x66:
        return this.literal('false');
      case 0x6e:
        return this.literal('null');
      default:
        return 'number';
    }
  }

  private literal<T extends 'true' | 'false' | 'null'>(word: T): T {
    if (!this.text.startsWith(word, this.at)) throw new NotJson();
    return word;
  }

  skipSpace(): number {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code > 0x20) return code;
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) throw new NotJson();
      this.at++;
    }
  }

  expect(code: number): void {
    if (this.skipSpace() !== code) throw new NotJson();
    this.at++;
  }

  enter(): void {
    this.at++;
    if (++this.depth > MAX_JSON_DEPTH) throw new NotJson('exceeded max depth');
  }

  /** After an opening bracket: whether there is a first member. */
  first(close: number): boolean {
    if (this.skipSpace() !== close) return true;
    this.at++;
    this.depth--;
    return false;
  }

  /** After a member: whether there is another. @throws NotJson */
  next(close: number): boolean {
    const code = this.skipSpace();
    this.at++;
    if (code === 0x2c) return true;
    if (code !== close) throw new NotJson();
    this.depth--;
    return false;
  }

  key(): string {
    if (this.skipSpace() !== 0x22) throw new NotJson();
    const key = this.string();
    this.expect(0x3a);
    return key;
  }

  string(): string {
    const start = ++this.at;
    const text = this.text;
    let at = start;
    let plain = true;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        plain = false;
        at++;
      } else if (!(code >= 0x20)) throw new NotJson();
      at++;
    }
    this.at = at + 1;
    if (!plain) return this.parse<string>(start - 1, at + 1).toWellFormed();
    if (at - start < SLICE_PINS) return text.slice(start, at);
    return this.ascii ? this.bytes.toString('latin1', start, at) : this.parse<string>(start - 1, at + 1);
  }

  /** The literal text of a number. @throws NotJson */
  number(): string {
    const start = this.at;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      // 0-9 . + - e E
      const inside =
        (code >= 0x30 && code <= 0x39) ||
        code === 0x2e ||
        code === 0x2d ||
        code === 0x2b ||
        code === 0x65 ||
        code === 0x45;
      if (!inside) break;
      this.at++;
    }
    const literal = this.text.slice(start, this.at);
    if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(literal)) throw new NotJson();
    return literal;
  }

  /** Skips one value; its text is between the old and the new position. Brackets are matched, the rest is not checked. */
  skip(): void {
    let depth = 0;
    do {
      const code = this.skipSpace();
      if (code === 0x22) this.skipString();
      else if (code === 0x7b || code === 0x5b) {
        if (++depth + this.depth > MAX_JSON_DEPTH) throw new NotJson('exceeded max depth');
        this.at++;
      } else if (code === 0x7d || code === 0x5d) {
        depth--;
        this.at++;
      } else if (code === 0x2c || code === 0x3a) {
        if (depth === 0) throw new NotJson();
        this.at++;
      } else this.skipScalar();
    } while (depth > 0);
    if (depth < 0) throw new NotJson();
  }

  private skipString(): void {
    for (this.at++; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x5c) this.at++;
      else if (code === 0x22) break;
      else if (!(code >= 0x20)) throw new NotJson();
    }
    this.at++;
  }

  private skipScalar(): void {
    const start = this.at;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (!(code > 0x20) || code === 0x2c || code === 0x7d || code === 0x5d || code === 0x3a) break;
      this.at++;
    }
    if (this.at === start) throw new NotJson();
  }

  /** The value that begins here, as JSON.parse has it. */
  any(): unknown {
    this.skipSpace();
    const start = this.at;
    this.skip();
    return this.parse(start, this.at);
  }

  private parse<T>(start: number, end: number): T {
    try {
      return JSON.parse(this.text.slice(start, end)) as T;
    } catch (error) {
      throw new NotJson('', { cause: error });
    }
  }

  /** The rest of the text must be blank. @throws NotJson */
  end(): void {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) throw new NotJson();
    }
  }

  /** Notes that the value here cannot go into a Go type, and skips it. */
  mismatch(token: Token, goType: string, literal?: string): undefined {
    this.noteTypeError(literal === undefined ? TOKEN_NAMES[token] : `number ${literal}`, goType);
    if (literal === undefined) this.skip();
    return undefined;
  }

  noteTypeError(value: string, goType: string): void {
    this.typeError ??= this.unmarshalTypeError(value, goType);
  }

  private unmarshalTypeError(value: string, goType: string): string {
    const where = this.fields.length === 0 ? 'value' : `struct field ${this.struct}.${this.fields.join('.')}`;
    return `json: cannot unmarshal ${value} into Go ${where} of type ${goType}`;
  }

  /** A problem of strict decoding with the key of the struct or map being read. */
  noteStrict(what: 'unknown' | 'duplicate', key: string): void {
    if (this.strictProblems.length >= MAX_STRICT_PROBLEMS) return;
    const path = [...this.path, key].map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    const problem = `${what} field ${JSON.stringify(path.replace(/^\./, ''))}`;
    if (!this.strictProblems.includes(problem)) this.strictProblems.push(problem);
  }

  /** What a nested json.Unmarshal of a custom decoder says: it ends decoding, which adds the field it is at. */
  foreign(token: Token, goType: string, literal?: string): GoDecodeError {
    const value = literal === undefined ? TOKEN_NAMES[token] : `number ${literal}`;
    return new GoDecodeError(this.unmarshalTypeError(value, goType));
  }
}
