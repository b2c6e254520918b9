/** A regular expression that is none, or one that is too large to be run. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'group'; readonly index: number; readonly body: Node }
  | { readonly kind: 'sequence' | 'alternatives'; readonly parts: readonly Node[] }
  /** `prefers`: whether more or fewer are tried first, where that makes a difference (Perl's rule); absent: it makes none. */
  | {
      readonly kind: 'repeat';
      readonly body: Node;
      readonly min: number;
      readonly max: number;
      readonly prefers?: 'more' | 'fewer';
    }
  | { readonly kind: 'back'; readonly index: number };

export type Assertion =
  | 'start'
  | 'end'
  | 'line-start'
  | 'line-end'
  | 'word-start'
  | 'word-end'
  | 'boundary'
  | 'no-boundary';

/** Characters by code: a table for the first 256, ranges beyond. */
export class CharacterSet {
  readonly table = new Uint8Array(256);
  private readonly ranges: (readonly [number, number])[] = [];
  negated = false;

  add(from: number, to = from): this {
    for (let code = from; code <= Math.min(to, 255); code++) this.table[code] = 1;
    if (to > 255) this.ranges.push([Math.max(from, 256), to]);
    return this;
  }
  addSet(other: CharacterSet): this {
    for (let code = 0; code < 256; code++) if (other.has(code)) this.table[code] = 1;
    if (other.negated) this.ranges.push([256, 0xffff]);
    return this;
  }
  /** Both cases of every letter. */
  fold(): this {
    for (let upper = 65; upper <= 90; upper++)
      if (this.table[upper] === 1 || this.table[upper + 32] === 1) this.table[upper] = this.table[upper + 32] = 1;
    return this;
  }
  has(code: number): boolean {
    const inside = code < 256 ? this.table[code] === 1 : this.ranges.some(([from, to]) => code >= from && code <= to);
    return inside !== this.negated;
  }
}

const range = (...pairs: readonly (readonly [string, string])[]): CharacterSet => {
  const set = new CharacterSet();
  for (const [from, to] of pairs) set.add(from.charCodeAt(0), to.charCodeAt(0));
  return set;
};
const CLASSES: Readonly<Record<string, () => CharacterSet>> = {
  alpha: () => range(['A', 'Z'], ['a', 'z']),
  digit: () => range(['0', '9']),
  alnum: () => range(['A', 'Z'], ['a', 'z'], ['0', '9']),
  upper: () => range(['A', 'Z']),
  lower: () => range(['a', 'z']),
  space: () => range(['\t', '\r'], [' ', ' ']),
  blank: () => range(['\t', '\t'], [' ', ' ']),
  punct: () => range(['!', '/'], [':', '@'], ['[', '`'], ['{', '~']),
  print: () => range([' ', '~']),
  graph: () => range(['!', '~']),
  cntrl: () => range(['\0', '\x1f'], ['\x7f', '\x7f']),
  xdigit: () => range(['0', '9'], ['A', 'F'], ['a', 'f']),
};
export const WORD = range(['A', 'Z'], ['a', 'z'], ['0', '9'], ['_', '_']);

export interface SyntaxOptions {
  readonly extended: boolean;
  readonly ignoreCase?: boolean;
  /** Backslashes in brackets quote, as awk's do; else they stand for themselves, but for \n and \t. */
  readonly bracketEscapes?: boolean;
  /** No metacharacters at all. */
  readonly literal?: boolean;
}

const MAX_DEPTH = 250;
const MAX_REPEAT = 1000;
const MAX_PATTERN = 64 * 1024;
const CONTROL: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' };

/** Parses a POSIX basic or extended regular expression with GNU's additions. @throws RegexError */
export function parseRegex(pattern: string, options: SyntaxOptions): { node: Node; groups: number; back: boolean } {
  const { extended, ignoreCase = false, bracketEscapes = false, literal = false } = options;
  if (pattern.length > MAX_PATTERN) throw new RegexError('Regular expression too big');
  let at = 0;
  let groups = 0;
  let back = false;
  let depth = 0;
  const one = (text: string): Node => ({ kind: 'set', set: finish(new CharacterSet().add(text.charCodeAt(0))) });
  const finish = (set: CharacterSet): CharacterSet => (ignoreCase ? set.fold() : set);
  if (literal) return { node: { kind: 'sequence', parts: [...pattern].map(one) }, groups, back };

  const looking = (text: string): boolean => pattern.startsWith(text, at);
  const open = extended ? '(' : '\\(';
  const close = extended ? ')' : '\\)';
  const bar = extended ? '|' : '\\|';

  const alternatives = (): Node => {
    if (++depth > MAX_DEPTH) throw new RegexError('Regular expression too big');
    const parts = [sequence()];
    while (looking(bar)) {
      at += bar.length;
      parts.push(sequence());
    }
    depth--;
    return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'alternatives', parts };
  };
  const sequence = (): Node => {
    const parts: Node[] = [];
    const begin = at;
    while (at < pattern.length && !looking(bar)) {
      if (looking(close) && (depth > 1 || !extended)) {
        if (depth > 1) break;
        throw new RegexError('Unmatched ) or \\)');
      }
      const atom = primary(at === begin || (parts.length === 1 && parts[0]?.kind === 'assert' && !extended));
      parts.push(quantified(atom));
    }
    return parts.length === 1 ? (parts[0] ?? { kind: 'empty' }) : { kind: 'sequence', parts };
  };
  const quantified = (given: Node): Node => {
    let node = given;
    for (;;) {
      let bounds: readonly [number, number] | undefined;
      if (looking('*')) {
        bounds = [0, Infinity];
        at++;
      } else if (extended ? looking('+') : looking('\\+')) {
        bounds = [1, Infinity];
        at += extended ? 1 : 2;
      } else if (extended ? looking('?') : looking('\\?')) {
        bounds = [0, 1];
        at += extended ? 1 : 2;
      } else if (extended ? looking('{') : looking('\\{')) bounds = interval();
      if (bounds === undefined) return node;
      if (node.kind === 'assert' && !extended) return node;
      node = { kind: 'repeat', body: node, min: bounds[0], max: bounds[1] };
    }
  };
  const interval = (): readonly [number, number] | undefined => {
    const found = extended ? /\{(\d{0,5})(,?)(\d{0,5})\}/y : /\\\{(\d{0,5})(,?)(\d{0,5})\\\}/y;
    found.lastIndex = at;
    const [whole, from = '', comma, to = ''] = found.exec(pattern) ?? [];
    if (whole === undefined || (from === '' && comma === '')) {
      if (extended) return undefined;
      throw new RegexError('Invalid content of \\{\\}');
    }
    const min = Number(from);
    const max = comma === '' ? min : to === '' ? Infinity : Number(to);
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) throw new RegexError('Regular expression too big');
    if (max < min) throw new RegexError('Invalid content of \\{\\}');
    at += whole.length;
    return [min, max];
  };
  const primary = (first: boolean): Node => {
    if (looking(open)) {
      at += open.length;
      const index = ++groups;
      const body = alternatives();
      if (!looking(close)) throw new RegexError('Unmatched ( or \\(');
      at += close.length;
      return { kind: 'group', index, body };
    }
    const c = pattern[at] ?? '';
    switch (c) {
      case '.':
        at++;
        return { kind: 'set', set: anything() };
      case '[':
        return { kind: 'set', set: finish(bracket()) };
      case '^':
        if (!extended && !first) break;
        at++;
        return { kind: 'assert', what: 'start' };
      case '$':
        if (
          !extended &&
          at + 1 < pattern.length &&
          !pattern.startsWith(close, at + 1) &&
          !pattern.startsWith(bar, at + 1)
        )
          break;
        at++;
        return { kind: 'assert', what: 'end' };
      case '\\':
        return escape();
      case '*':
        if (!first && !extended) break;
        break;
      case '{':
        break;
      default:
    }
    at++;
    return one(c);
  };
  const anything = (): CharacterSet => {
    const set = new CharacterSet();
    set.negated = true;
    return set;
  };
  const escape = (): Node => {
    const c = pattern[at + 1];
    if (c === undefined) throw new RegexError('Trailing backslash');
    at += 2;
    const asserted = (
      { '<': 'word-start', '>': 'word-end', b: 'boundary', B: 'no-boundary', '`': 'start', "'": 'end' } as const
    )[c];
    if (asserted !== undefined) return { kind: 'assert', what: asserted };
    if (/[1-9]/.test(c)) {
      if (Number(c) > groups) throw new RegexError('Invalid back reference');
      back = true;
      return { kind: 'back', index: Number(c) };
    }
    if (c === 'w' || c === 'W' || c === 's' || c === 'S') {
      const set = new CharacterSet().addSet(c === 'w' || c === 'W' ? WORD : (CLASSES['space']?.() ?? WORD));
      set.negated = c === 'W' || c === 'S';
      return { kind: 'set', set };
    }
    return one(CONTROL[c] ?? c);
  };
  const bracket = (): CharacterSet => {
    const set = new CharacterSet();
    let i = at + 1;
    if (pattern[i] === '^') {
      set.negated = true;
      i++;
    }
    for (let first = true; ; first = false) {
      let c = pattern[i];
      if (c === undefined) throw new RegexError('Unmatched [, [^, [:, [., or [=');
      if (c === ']' && !first) break;
      if (c === '[' && (pattern[i + 1] === ':' || pattern[i + 1] === '=' || pattern[i + 1] === '.')) {
        const kind = pattern[i + 1] ?? '';
        const end = pattern.indexOf(`${kind}]`, i + 2);
        if (end < 0) throw new RegexError('Unmatched [, [^, [:, [., or [=');
        const name = pattern.slice(i + 2, end);
        i = end + 2;
        if (kind !== ':') set.add(name.charCodeAt(0));
        else {
          const made = CLASSES[name];
          if (made === undefined) throw new RegexError('Invalid character class name');
          set.addSet(made());
        }
        continue;
      }
      if (c === '\\' && i + 1 < pattern.length) {
        const next = pattern[i + 1] ?? '';
        if (bracketEscapes) {
          c = CONTROL[next] ?? next;
          i++;
        } else if (next === 'n' || next === 't') {
          c = CONTROL[next] ?? c;
          i++;
        }
      }
      const to =
        pattern[i + 1] === '-' && pattern[i + 2] !== undefined && pattern[i + 2] !== ']' ? pattern[i + 2] : undefined;
      if (to === undefined) {
        set.add(c.charCodeAt(0));
        i++;
        continue;
      }
      let last = to;
      i += 3;
      if (bracketEscapes && to === '\\') last = pattern[i++] ?? to;
      if (last < c) throw new RegexError('Invalid range end');
      set.add(c.charCodeAt(0), last.charCodeAt(0));
    }
    at = i + 1;
    return set;
  };

  const node = alternatives();
  if (at < pattern.length) throw new RegexError('Unmatched ) or \\)');
  return { node, groups, back };
}
