import { ANY_CODE, fold, negate, oneOf, union, type CodeRanges } from './code-ranges.js';
import { RegexError, type Node } from './syntax.js';
import { unicodeClass } from './unicode-classes.js';

/**
 * Regular expressions as Go's regexp package reads them (RE2's syntax), whose groups
 * capture nothing. Source: regexp/syntax/parse.go, with its errors.
 */
interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  /** `x*` is what `x*?` is otherwise, and the other way round. */
  readonly swapped: boolean;
}

const MAX_DEPTH = 250;
const MAX_REPEAT = 1000;
/** More could not be run, and take long to read. */
const MAX_ATOMS = 20_000;

const range = (text: string): CodeRanges =>
  union(
    Array.from({ length: text.length / 2 }, (_, i) => [text.charCodeAt(2 * i), text.charCodeAt(2 * i + 1)] as const),
  );
const DIGIT = range('09');
const SPACE = range('\t\n\f\r  ');
const WORD = range('09AZ__az');
const POSIX: Readonly<Record<string, CodeRanges>> = {
  alnum: range('09AZaz'),
  alpha: range('AZaz'),
  ascii: [[0, 0x7f]],
  blank: range('\t\t  '),
  cntrl: range('\0\x1f\x7f\x7f'),
  digit: DIGIT,
  graph: range('!~'),
  lower: range('az'),
  print: range(' ~'),
  punct: range('!/:@[`{~'),
  space: range('\t\r  '),
  upper: range('AZ'),
  word: WORD,
  xdigit: range('09AFaf'),
};
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const PERL: Readonly<Record<string, CodeRanges>> = { d: DIGIT, s: SPACE, w: WORD };
const NEWLINE: CodeRanges = [[10, 10]];

const fail = (what: string, text: string): RegexError => new RegexError(`error parsing regexp: ${what}: \`${text}\``);

/** @throws RegexError in Go's words */
export function parseGoRegex(pattern: string): Node {
  const parser = new Parser(pattern);
  return parser.parse();
}

class Parser {
  private at = 0;
  private depth = 0;
  private atoms = 0;
  private flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, swapped: false };

  constructor(private readonly pattern: string) {}

  parse(): Node {
    const node = this.alternatives();
    if (this.at < this.pattern.length) throw fail('unexpected )', this.pattern);
    return node;
  }

  private looking(text: string): boolean {
    return this.pattern.startsWith(text, this.at);
  }

  private alternatives(): Node {
    if (++this.depth > MAX_DEPTH) throw fail('expression nests too deeply', this.pattern);
    const before = this.flags;
    const parts = [this.sequence()];
    while (this.looking('|')) {
      this.at++;
      parts.push(this.sequence());
    }
    this.flags = before;
    this.depth--;
    return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'alternatives', parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.at < this.pattern.length && !this.looking('|') && !this.looking(')')) {
      // Behind flags, a repetition is one of what is in front of them.
      if (++this.atoms > MAX_ATOMS) throw new RegexError('Regular expression too big');
      const atom = this.atom() ?? parts.pop();
      if (atom !== undefined) parts.push(this.repeated(atom));
    }
    return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'sequence', parts };
  }

  private repeated(atom: Node): Node {
    const start = this.at;
    const { swapped } = this.flags;
    const first = this.repetition();
    if (first === undefined) return atom;
    const second = this.at;
    if (this.repetition() !== undefined)
      throw fail('invalid nested repetition operator', this.pattern.slice(start, this.at));
    this.at = second;
    if (first.max !== Infinity && repeats(atom) * Math.max(first.min, first.max) > MAX_REPEAT)
      throw fail('invalid repeat count', this.pattern.slice(start, second));
    const prefers = first.lazy === swapped ? 'more' : 'fewer';
    return { kind: 'repeat', body: atom, min: first.min, max: first.max, prefers };
  }

  private repetition(): { min: number; max: number; lazy: boolean } | undefined {
    const start = this.at;
    let bounds: { min: number; max: number } | undefined;
    if (this.looking('*')) bounds = { min: 0, max: Infinity };
    else if (this.looking('+')) bounds = { min: 1, max: Infinity };
    else if (this.looking('?')) bounds = { min: 0, max: 1 };
    if (bounds !== undefined) this.at++;
    else bounds = this.interval();
    if (bounds === undefined) return undefined;
    const lazy = this.looking('?');
    if (lazy) this.at++;
    const { min, max } = bounds;
    if (min > MAX_REPEAT || (max !== Infinity && (max > MAX_REPEAT || max < min)))
      throw fail('invalid repeat count', this.pattern.slice(start, this.at));
    return { ...bounds, lazy };
  }

  /** Braces that are no interval are characters. */
  private interval(): { min: number; max: number } | undefined {
    const found = /\{(0|[1-9]\d{0,7})(,?)(0|[1-9]\d{0,7})?\}/y;
    found.lastIndex = this.at;
    const [whole, from, comma, to] = found.exec(this.pattern) ?? [];
    if (whole === undefined || (comma === '' && to !== undefined)) return undefined;
    this.at += whole.length;
    const min = Number(from);
    return { min, max: comma === '' ? min : to === undefined ? Infinity : Number(to) };
  }

  /** undefined: flags, which match nothing themselves. */
  private atom(): Node | undefined {
    const { flags } = this;
    const char = this.pattern[this.at] ?? '';
    switch (char) {
      case '(':
        return this.group();
      case '[':
        return oneOf(this.bracket());
      case '.':
        this.at++;
        return oneOf(flags.dotAll ? ANY_CODE : negate(NEWLINE));
      case '^':
        this.at++;
        return { kind: 'assert', what: flags.multiLine ? 'line-start' : 'start' };
      case '$':
        this.at++;
        return { kind: 'assert', what: flags.multiLine ? 'line-end' : 'end' };
      case '\\':
        return this.escaped();
      case '*':
      case '+':
      case '?':
        throw fail('missing argument to repetition operator', char);
      default: {
        const start = this.at;
        if (this.interval() !== undefined)
          throw fail('missing argument to repetition operator', this.pattern.slice(start, this.at));
        return this.literal(this.codePoint());
      }
    }
  }

  private literal(code: number): Node {
    const set: CodeRanges = [[code, code]];
    return oneOf(this.flags.ignoreCase ? fold(set) : set);
  }

  private codePoint(): number {
    const code = this.pattern.codePointAt(this.at) ?? 0;
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }

  private group(): Node | undefined {
    const start = this.at;
    const before = this.flags;
    this.at++;
    if (this.looking('?')) {
      if (!this.groupName(start)) {
        this.groupFlags(start);
        if (this.looking(')')) {
          // The flags hold to the end of the group that this is in.
          this.at++;
          return undefined;
        }
        this.at++;
      }
    }
    const node = this.alternatives();
    if (!this.looking(')')) throw fail('missing closing )', this.pattern);
    this.at++;
    this.flags = before;
    return node;
  }

  private groupName(start: number): boolean {
    const open = this.looking('?P<') ? 3 : this.looking('?<') ? 2 : 0;
    if (open === 0) return false;
    const end = this.pattern.indexOf('>', this.at);
    if (end < 0) throw fail('invalid named capture', this.pattern.slice(start));
    if (!/^\w+$/.test(this.pattern.slice(this.at + open, end)))
      throw fail('invalid named capture', this.pattern.slice(start, end + 1));
    this.at = end + 1;
    return true;
  }

  /** Reads up to the ':' or ')' behind them. */
  private groupFlags(start: number): void {
    const flags = { ...this.flags };
    let on = true;
    let any = false;
    for (this.at++; ; this.at++) {
      const char = this.pattern[this.at];
      if (char === 'i') flags.ignoreCase = on;
      else if (char === 'm') flags.multiLine = on;
      else if (char === 's') flags.dotAll = on;
      else if (char === 'U') flags.swapped = on;
      else if (char === '-' && on) {
        on = false;
        any = false;
        continue;
      } else if ((char === ':' || char === ')') && (on || any)) break;
      else throw this.badGroup(start);
      any = true;
    }
    this.flags = flags;
  }

  private badGroup(start: number): RegexError {
    return fail('invalid or unsupported Perl syntax', this.pattern.slice(start, this.at + 1));
  }

  private escaped(): Node | undefined {
    const next = this.pattern[this.at + 1];
    if (next === 'A' || next === 'z' || next === 'b' || next === 'B') {
      this.at += 2;
      return { kind: 'assert', what: ({ A: 'start', z: 'end', b: 'boundary', B: 'no-boundary' } as const)[next] };
    }
    if (next === 'Q') {
      const end = this.pattern.indexOf('\\E', this.at);
      const text = this.pattern.slice(this.at + 2, end < 0 ? undefined : end);
      this.at = end < 0 ? this.pattern.length : end + 2;
      if (text === '') return undefined;
      return { kind: 'sequence', parts: Array.from(text, char => this.literal(char.codePointAt(0) ?? 0)) };
    }
    const known = this.classEscape();
    if (known !== undefined) return oneOf(this.flags.ignoreCase ? fold(known) : known);
    return this.literal(this.escapedCode());
  }

  /** \d, \pL and their like; undefined: something else is here. */
  private classEscape(): CodeRanges | undefined {
    const next = this.pattern[this.at + 1] ?? '';
    const perl = PERL[next.toLowerCase()];
    if (perl !== undefined) {
      this.at += 2;
      return next === next.toLowerCase() ? perl : negate(perl);
    }
    if (next !== 'p' && next !== 'P') return undefined;
    const start = this.at;
    this.at += 2;
    let name = String.fromCodePoint(this.codePoint());
    if (name === '{') {
      const end = this.pattern.indexOf('}', this.at);
      if (end < 0) throw fail('invalid character class range', this.pattern.slice(start));
      name = this.pattern.slice(this.at, end);
      this.at = end + 1;
    }
    const inverse = name.startsWith('^');
    const found = unicodeClass(inverse ? name.slice(1) : name);
    if (found === undefined) throw fail('invalid character class range', this.pattern.slice(start, this.at));
    return inverse !== (next === 'P') ? negate(found) : found;
  }

  /** The one character that an escape stands for. */
  private escapedCode(): number {
    const start = this.at;
    this.at++;
    if (this.at >= this.pattern.length) throw fail('trailing backslash at end of expression', '');
    const code = this.codePoint();
    const char = String.fromCodePoint(code);
    const bad = (): RegexError => fail('invalid escape sequence', this.pattern.slice(start, this.at));
    if (char >= '1' && char <= '7' && !/^[0-7]/.test(this.pattern.slice(this.at, this.at + 1))) throw bad();
    if (char >= '0' && char <= '7') {
      const more = /^[0-7]{0,2}/.exec(this.pattern.slice(this.at, this.at + 2))?.[0] ?? '';
      this.at += more.length;
      return parseInt(char + more, 8);
    }
    if (char === 'x') return this.hexCode(bad);
    const control = CONTROLS[char];
    if (control !== undefined) return control;
    if (code < 0x80 && !/[0-9A-Za-z]/.test(char)) return code;
    throw bad();
  }

  private hexCode(bad: () => RegexError): number {
    const found = /\{([0-9A-Fa-f]{1,8})\}|[0-9A-Fa-f]{2}/y;
    found.lastIndex = this.at;
    const [whole, braced] = found.exec(this.pattern) ?? [];
    if (whole === undefined) {
      // Go shows what it has read: of two digits both.
      const shown = /\{[0-9A-Fa-f]*.?|..?/suy;
      shown.lastIndex = this.at;
      this.at += shown.exec(this.pattern)?.[0].length ?? 0;
      throw bad();
    }
    this.at += whole.length;
    const code = parseInt(braced ?? whole, 16);
    if (code > 0x10ffff) throw bad();
    return code;
  }

  private bracket(): CodeRanges {
    const start = this.at;
    this.at++;
    const inverse = this.looking('^');
    if (inverse) this.at++;
    const sets: CodeRanges[] = [];
    for (let first = true; first || !this.looking(']'); first = false) {
      if (this.at >= this.pattern.length) throw fail('missing closing ]', this.pattern.slice(start));
      const known = this.posixClass() ?? (this.looking('\\') ? this.classEscape() : undefined);
      if (known !== undefined) {
        sets.push(this.flags.ignoreCase ? fold(known) : known);
        continue;
      }
      sets.push(this.bracketRange(start));
    }
    this.at++;
    const set = union(...sets);
    return inverse ? negate(set) : set;
  }

  private bracketRange(open: number): CodeRanges {
    const start = this.at;
    const from = this.bracketCode(open);
    if (!this.looking('-') || this.pattern.startsWith('-]', this.at)) return this.cased([[from, from]]);
    this.at++;
    const to = this.bracketCode(open);
    if (to < from) throw fail('invalid character class range', this.pattern.slice(start, this.at));
    return this.cased([[from, to]]);
  }

  private cased(set: CodeRanges): CodeRanges {
    return this.flags.ignoreCase ? fold(set) : set;
  }

  private bracketCode(open: number): number {
    if (this.at >= this.pattern.length) throw fail('missing closing ]', this.pattern.slice(open));
    return this.looking('\\') ? this.escapedCode() : this.codePoint();
  }

  private posixClass(): CodeRanges | undefined {
    if (!this.looking('[:')) return undefined;
    const end = this.pattern.indexOf(':]', this.at + 2);
    if (end < 0) return undefined;
    const text = this.pattern.slice(this.at, end + 2);
    const inverse = text[2] === '^';
    const set = POSIX[text.slice(inverse ? 3 : 2, -2)];
    if (set === undefined) throw fail('invalid character class range', text);
    this.at = end + 2;
    return inverse ? negate(set) : set;
  }
}

/** How often something in a node is repeated at most: what is repeated within repetitions multiplies. */
function repeats(node: Node): number {
  switch (node.kind) {
    case 'repeat':
      return Math.max(1, node.max === Infinity ? node.min : node.max) * repeats(node.body);
    case 'group':
      return repeats(node.body);
    case 'sequence':
    case 'alternatives':
      return node.parts.reduce((most, part) => Math.max(most, repeats(part)), 1);
    default:
      return 1;
  }
}
