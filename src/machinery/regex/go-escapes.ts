import { negate, type CodeRanges } from './code-ranges.js';
import { PERL } from './go-classes.js';
import { fail, type PatternReader } from './go-pattern.js';
import type { RegexError } from './syntax.js';
import { unicodeClass } from './unicode-classes.js';

/** What stands behind a backslash, in brackets and outside of them. */

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** \d, \pL and their like; undefined: something else is here. */
export function classEscape(reader: PatternReader): CodeRanges | undefined {
  const next = reader.pattern[reader.at + 1] ?? '';
  const perl = PERL[next.toLowerCase()];
  if (perl !== undefined) {
    reader.at += 2;
    return next === next.toLowerCase() ? perl : negate(perl);
  }
  if (next !== 'p' && next !== 'P') return undefined;
  const start = reader.at;
  reader.at += 2;
  let name = String.fromCodePoint(reader.codePoint());
  if (name === '{') {
    const end = reader.pattern.indexOf('}', reader.at);
    if (end < 0) throw fail('invalid character class range', reader.pattern.slice(start));
    name = reader.pattern.slice(reader.at, end);
    reader.at = end + 1;
  }
  const inverse = name.startsWith('^');
  const found = unicodeClass(inverse ? name.slice(1) : name);
  if (found === undefined) throw fail('invalid character class range', reader.pattern.slice(start, reader.at));
  return inverse !== (next === 'P') ? negate(found) : found;
}

/** The one character that an escape stands for. */
export function escapedCode(reader: PatternReader): number {
  const start = reader.at;
  reader.at++;
  if (reader.at >= reader.pattern.length) throw fail('trailing backslash at end of expression', '');
  const code = reader.codePoint();
  const char = String.fromCodePoint(code);
  const bad = (): RegexError => fail('invalid escape sequence', reader.pattern.slice(start, reader.at));
  if (char >= '1' && char <= '7' && !/^[0-7]/.test(reader.pattern.slice(reader.at, reader.at + 1))) throw bad();
  if (char >= '0' && char <= '7') {
    const more = /^[0-7]{0,2}/.exec(reader.pattern.slice(reader.at, reader.at + 2))?.[0] ?? '';
    reader.at += more.length;
    return parseInt(char + more, 8);
  }
  if (char === 'x') return hexCode(reader, bad);
  const control = CONTROLS[char];
  if (control !== undefined) return control;
  if (code < 0x80 && !/[0-9A-Za-z]/.test(char)) return code;
  throw bad();
}

function hexCode(reader: PatternReader, bad: () => RegexError): number {
  const found = /\{([0-9A-Fa-f]{1,8})\}|[0-9A-Fa-f]{2}/y;
  found.lastIndex = reader.at;
  const [whole, braced] = found.exec(reader.pattern) ?? [];
  if (whole === undefined) {
    // Go shows what it has read: of two digits both.
    const shown = /\{[0-9A-Fa-f]*.?|..?/suy;
    shown.lastIndex = reader.at;
    reader.at += shown.exec(reader.pattern)?.[0].length ?? 0;
    throw bad();
  }
  reader.at += whole.length;
  const code = parseInt(braced ?? whole, 16);
  if (code > 0x10ffff) throw bad();
  return code;
}
