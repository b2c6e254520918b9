import { compileRegex, RegexError, type Regex, type Turn } from '../../../machinery/regex/regex.js';

export class SedError extends Error {
  override readonly name = 'SedError';
}

export type Address =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'plus'; readonly count: number }
  /** Undefined regex: the last one used. */
  | { readonly kind: 'regex'; readonly regex: Regex | undefined };

export type ReplacementPart = { readonly text: string } | { readonly group: number } | { readonly fold: string };

export interface Command {
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  readonly negated: boolean;
  readonly name: string;
  /** Of a, i, c: what is put in; of b, t, T and ":": a label; of r, w: a file. */
  readonly text: string;
  readonly substitution?: {
    readonly regex: Regex | undefined;
    readonly replacement: readonly ReplacementPart[];
    readonly nth: number;
    readonly global: boolean;
    readonly print: boolean;
    readonly file: string | undefined;
  };
  /** Of y: characters to what becomes of them. */
  readonly map?: ReadonlyMap<string, string>;
  /** Of "{": where the "}" is. */
  end: number;
  /** Whether a range is under way, and where it ends. */
  active: number | undefined;
}

const MAX_COMMANDS = 10_000;

/** @throws SedError */
export function parseSed(source: string, extended: boolean, turn: Turn): Command[] {
  const commands: Command[] = [];
  const blocks: Command[] = [];
  let at = 0;
  const fail = (text: string): never => {
    throw new SedError(text);
  };
  const regexOf = (pattern: string, ignoreCase: boolean): Regex | undefined => {
    if (pattern === '') return undefined;
    try {
      return compileRegex(pattern, { extended, ignoreCase }, turn);
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      throw new SedError(`bad regex '${pattern}': ${error.message}`);
    }
  };
  const blanks = (also = ''): void => {
    while (at < source.length && (source[at] === ' ' || source[at] === '\t' || also.includes(source[at] ?? '\0'))) at++;
  };
  /** Up to an unquoted delimiter, which may be quoted with a backslash. */
  const delimited = (delimiter: string, isRegex: boolean): string => {
    let text = '';
    let inBracket = false;
    for (; at < source.length; at++) {
      const c = source[at] ?? '';
      if (c === '\\' && at + 1 < source.length && !inBracket) {
        const next = source[++at] ?? '';
        if (next === delimiter) text += isRegex && /[.*[\]^$+?(){}|]/.test(delimiter) ? `\\${next}` : next;
        else if (next === '\n') text += isRegex ? '\n' : '\\\n';
        else text += `\\${next}`;
        continue;
      }
      if (isRegex && inBracket && c === ']') inBracket = false;
      else if (isRegex && !inBracket && c === '[') {
        inBracket = true;
        const rest = /^\[\^?\]?/.exec(source.slice(at, at + 3))?.[0] ?? '[';
        text += rest;
        at += rest.length - 1;
        continue;
      }
      if (c === delimiter && !inBracket) {
        at++;
        return text;
      }
      text += c;
    }
    return fail("unmatched '" + delimiter + "'");
  };
  const number = (): number => {
    const digits = /^\d{1,15}/.exec(source.slice(at, at + 16))?.[0] ?? '';
    at += digits.length;
    return Number(digits);
  };
  const address = (second: boolean): Address | undefined => {
    const c = source[at];
    if (c !== undefined && /\d/.test(c)) {
      const line = number();
      if (source[at] !== '~') return { kind: 'line', line };
      at++;
      return { kind: 'step', first: line, step: number() };
    }
    if (c === '$') {
      at++;
      return { kind: 'last' };
    }
    if (second && c === '+') {
      at++;
      return { kind: 'plus', count: number() };
    }
    if (c === '/' || c === '\\') {
      const delimiter = c === '/' ? c : (source[++at] ?? '');
      at++;
      const pattern = delimited(delimiter, true);
      const ignoreCase = source[at] === 'I';
      if (ignoreCase) at++;
      return { kind: 'regex', regex: regexOf(pattern, ignoreCase) };
    }
    return undefined;
  };
  const restOfLine = (): string => {
    const newline = source.indexOf('\n', at);
    const end = newline < 0 ? source.length : newline;
    const text = source.slice(at, end);
    at = end;
    return text;
  };
  /** The text of a, i and c: to the end of the line, further where that ends in a backslash. */
  const insertion = (): string => {
    blanks();
    if (source[at] === '\\') {
      at++;
      blanks();
      if (source[at] === '\n') at++;
    }
    let text = '';
    for (; at < source.length && source[at] !== '\n'; at++) {
      if (source[at] === '\\' && at + 1 < source.length) at++;
      text += source[at] ?? '';
    }
    return `${text}\n`;
  };
  const substitution = (): NonNullable<Command['substitution']> => {
    const delimiter = source[at++] ?? '';
    if (delimiter === '' || delimiter === '\n' || delimiter === '\\') fail('bad delimiter in s');
    const pattern = delimited(delimiter, true);
    const replacement = parseReplacement(delimited(delimiter, false));
    let [global, print, ignoreCase, nth] = [false, false, false, 0];
    let file: string | undefined;
    for (; at < source.length;) {
      const c = source[at] ?? '';
      if (c === 'g') global = true;
      else if (c === 'p') print = true;
      else if (c === 'i' || c === 'I') ignoreCase = true;
      else if (/\d/.test(c)) {
        nth = number();
        continue;
      } else if (c === 'w') {
        at++;
        blanks();
        file = restOfLine();
        break;
      } else break;
      at++;
    }
    return { regex: regexOf(pattern, ignoreCase), replacement, nth: Math.max(1, nth), global, print, file };
  };
  const transliteration = (): Map<string, string> => {
    const delimiter = source[at++] ?? '';
    const plain = (text: string): string[] => [...text.replace(/\\(n|\\)/g, (_, c) => (c === 'n' ? '\n' : '\\'))];
    const [from, to] = [plain(delimited(delimiter, false)), plain(delimited(delimiter, false))];
    if (from.length !== to.length) fail('y command strings have different lengths');
    return new Map(from.map((c, i) => [c, to[i] ?? c]));
  };

  if (source.startsWith('#n\n')) at = 0;
  for (;;) {
    blanks('\n;');
    if (at >= source.length) break;
    if (source[at] === '#') {
      restOfLine();
      continue;
    }
    if (commands.length >= MAX_COMMANDS) fail('script too long');
    const from = address(false);
    let to: Address | undefined;
    blanks();
    if (from !== undefined && source[at] === ',') {
      at++;
      blanks();
      to = address(true) ?? fail('no address after comma');
    }
    blanks();
    let negated = false;
    while (source[at] === '!') {
      negated = true;
      at++;
      blanks();
    }
    const name = source[at++] ?? '';
    const common = { from, to, negated, name, text: '', end: 0, active: undefined };
    let command: Command;
    switch (name) {
      case '{':
        command = { ...common };
        blocks.push(command);
        commands.push(command);
        continue;
      case '}': {
        const open = blocks.pop() ?? fail('unexpected }');
        open.end = commands.length;
        continue;
      }
      case 's':
        command = { ...common, substitution: substitution() };
        break;
      case 'y':
        command = { ...common, map: transliteration() };
        break;
      case 'a':
      case 'i':
      case 'c':
        command = { ...common, text: insertion() };
        commands.push(command);
        continue;
      case ':':
      case 'b':
      case 't':
      case 'T':
        blanks();
        {
          const label = /^[^\s;}]{0,200}/.exec(source.slice(at, at + 200))?.[0] ?? '';
          at += label.length;
          command = { ...common, text: label };
        }
        break;
      case 'r':
      case 'w':
      case 'R':
      case 'W':
        blanks();
        command = { ...common, text: restOfLine() };
        break;
      case 'q':
      case 'Q':
      case 'l':
        blanks();
        command = { ...common, text: /\d/.test(source[at] ?? '') ? String(number()) : '' };
        break;
      default:
        if (!'dDgGhHnNpPx='.includes(name) || name === '')
          fail(name === '' ? 'missing command' : `unsupported command ${name}`);
        command = { ...common };
    }
    commands.push(command);
    blanks();
    if (source[at] === '}') continue;
    if (at < source.length && source[at] !== ';' && source[at] !== '\n' && source[at] !== '#')
      fail(`extra characters after command`);
  }
  if (blocks.length > 0) fail('unterminated {');
  return commands;
}

function parseReplacement(text: string): ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') parts.push({ text: plain });
    plain = '';
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === '&') {
      flush();
      parts.push({ group: 0 });
    } else if (c !== '\\' || i + 1 >= text.length) plain += c;
    else {
      const next = text[++i] ?? '';
      if (/\d/.test(next)) {
        flush();
        parts.push({ group: Number(next) });
      } else if ('ULEul'.includes(next)) {
        flush();
        parts.push({ fold: next });
      } else plain += { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' }[next] ?? next;
    }
  }
  flush();
  return parts;
}
