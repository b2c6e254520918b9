import { ANY_CODE, fold, negate, oneOf, type CodeRanges } from './code-ranges.js';
import { readBracket } from './go-brackets.js';
import { classEscape, escapedCode } from './go-escapes.js';
import { fail, PatternReader } from './go-pattern.js';
import { interval, MAX_REPEAT, repeats, repetition } from './go-repetitions.js';
import { RegexError, type Node } from './syntax.js';

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  /** `x*` is what `x*?` is otherwise, and the other way round. */
  readonly swapped: boolean;
}

const MAX_DEPTH = 250;
/** More could not be run, and take long to read. */
const MAX_ATOMS = 20_000;
const NEWLINE: CodeRanges = [[10, 10]];

/**
 * Regular expressions as Go's regexp package reads them (RE2's syntax), whose groups
 * capture nothing. Source: regexp/syntax/parse.go, with its errors.
 * @throws RegexError in Go's words
 */
export function parseGoRegex(pattern: string): Node {
  const parser = new Parser(new PatternReader(pattern));
  return parser.parse();
}

class Parser {
  private depth = 0;
  private atoms = 0;
  private flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, swapped: false };
  /** Letters in both cases where those do not matter. */
  private readonly cased = (set: CodeRanges): CodeRanges => (this.flags.ignoreCase ? fold(set) : set);

  constructor(private readonly reader: PatternReader) {}

  parse(): Node {
    const node = this.alternatives();
    if (this.reader.at < this.reader.pattern.length) throw fail('unexpected )', this.reader.pattern);
    return node;
  }

  private alternatives(): Node {
    if (++this.depth > MAX_DEPTH) throw fail('expression nests too deeply', this.reader.pattern);
    const before = this.flags;
    const parts = [this.sequence()];
    while (this.reader.looking('|')) {
      this.reader.at++;
      parts.push(this.sequence());
    }
    this.flags = before;
    this.depth--;
    return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'alternatives', parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.reader.at < this.reader.pattern.length && !this.reader.looking('|') && !this.reader.looking(')')) {
      // Behind flags, a repetition is one of what is in front of them.
      if (++this.atoms > MAX_ATOMS) throw new RegexError('Regular expression too big');
      const atom = this.atom() ?? parts.pop();
      if (atom !== undefined) parts.push(this.repeated(atom));
    }
    return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'sequence', parts };
  }

  private repeated(atom: Node): Node {
    const start = this.reader.at;
    const { swapped } = this.flags;
    const first = repetition(this.reader);
    if (first === undefined) return atom;
    const second = this.reader.at;
    if (repetition(this.reader) !== undefined)
      throw fail('invalid nested repetition operator', this.reader.pattern.slice(start, this.reader.at));
    this.reader.at = second;
    if (first.max !== Infinity && repeats(atom) * Math.max(first.min, first.max) > MAX_REPEAT)
      throw fail('invalid repeat count', this.reader.pattern.slice(start, second));
    const prefers = first.lazy === swapped ? 'more' : 'fewer';
    return { kind: 'repeat', body: atom, min: first.min, max: first.max, prefers };
  }

  /** undefined: flags, which match nothing themselves. */
  private atom(): Node | undefined {
    const { flags } = this;
    const char = this.reader.pattern[this.reader.at] ?? '';
    switch (char) {
      case '(':
        return this.group();
      case '[':
        return oneOf(readBracket(this.reader, this.cased));
      case '.':
        this.reader.at++;
        return oneOf(flags.dotAll ? ANY_CODE : negate(NEWLINE));
      case '^':
        this.reader.at++;
        return { kind: 'assert', what: flags.multiLine ? 'line-start' : 'start' };
      case '$':
        this.reader.at++;
        return { kind: 'assert', what: flags.multiLine ? 'line-end' : 'end' };
      case '\\':
        return this.escaped();
      case '*':
      case '+':
      case '?':
        throw fail('missing argument to repetition operator', char);
      default: {
        const start = this.reader.at;
        if (interval(this.reader) !== undefined)
          throw fail('missing argument to repetition operator', this.reader.pattern.slice(start, this.reader.at));
        return this.literal(this.reader.codePoint());
      }
    }
  }

  private literal(code: number): Node {
    const set: CodeRanges = [[code, code]];
    return oneOf(this.cased(set));
  }

  private group(): Node | undefined {
    const start = this.reader.at;
    const before = this.flags;
    this.reader.at++;
    if (this.reader.looking('?')) {
      if (!this.groupName(start)) {
        this.groupFlags(start);
        if (this.reader.looking(')')) {
          // The flags hold to the end of the group that this is in.
          this.reader.at++;
          return undefined;
        }
        this.reader.at++;
      }
    }
    const node = this.alternatives();
    if (!this.reader.looking(')')) throw fail('missing closing )', this.reader.pattern);
    this.reader.at++;
    this.flags = before;
    return node;
  }

  private groupName(start: number): boolean {
    const open = this.reader.looking('?P<') ? 3 : this.reader.looking('?<') ? 2 : 0;
    if (open === 0) return false;
    const end = this.reader.pattern.indexOf('>', this.reader.at);
    if (end < 0) throw fail('invalid named capture', this.reader.pattern.slice(start));
    if (!/^\w+$/.test(this.reader.pattern.slice(this.reader.at + open, end)))
      throw fail('invalid named capture', this.reader.pattern.slice(start, end + 1));
    this.reader.at = end + 1;
    return true;
  }

  /** Reads up to the ':' or ')' behind them. */
  private groupFlags(start: number): void {
    const flags = { ...this.flags };
    let on = true;
    let any = false;
    for (this.reader.at++; ; this.reader.at++) {
      const char = this.reader.pattern[this.reader.at];
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
    return fail('invalid or unsupported Perl syntax', this.reader.pattern.slice(start, this.reader.at + 1));
  }

  private escaped(): Node | undefined {
    const next = this.reader.pattern[this.reader.at + 1];
    if (next === 'A' || next === 'z' || next === 'b' || next === 'B') {
      this.reader.at += 2;
      return { kind: 'assert', what: ({ A: 'start', z: 'end', b: 'boundary', B: 'no-boundary' } as const)[next] };
    }
    if (next === 'Q') {
      const end = this.reader.pattern.indexOf('\\E', this.reader.at);
      const text = this.reader.pattern.slice(this.reader.at + 2, end < 0 ? undefined : end);
      this.reader.at = end < 0 ? this.reader.pattern.length : end + 2;
      if (text === '') return undefined;
      return { kind: 'sequence', parts: Array.from(text, char => this.literal(char.codePointAt(0) ?? 0)) };
    }
    const known = classEscape(this.reader);
    if (known !== undefined) return oneOf(this.cased(known));
    return this.literal(escapedCode(this.reader));
  }
}
