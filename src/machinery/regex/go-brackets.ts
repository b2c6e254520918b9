import { negate, union, type CodeRanges } from './code-ranges.js';
import { POSIX } from './go-classes.js';
import { classEscape, escapedCode } from './go-escapes.js';
import { fail, type PatternReader } from './go-pattern.js';

type Cased = (set: CodeRanges) => CodeRanges;

/** From "[" to "]"; `cased` adds the other cases of letters where they do not matter. */
export function readBracket(reader: PatternReader, cased: Cased): CodeRanges {
  const start = reader.at;
  reader.at++;
  const inverse = reader.looking('^');
  if (inverse) reader.at++;
  const sets: CodeRanges[] = [];
  for (let first = true; first || !reader.looking(']'); first = false) {
    if (reader.at >= reader.pattern.length) throw fail('missing closing ]', reader.pattern.slice(start));
    const known = posixClass(reader) ?? (reader.looking('\\') ? classEscape(reader) : undefined);
    if (known !== undefined) {
      sets.push(cased(known));
      continue;
    }
    sets.push(bracketRange(reader, start, cased));
  }
  reader.at++;
  const set = union(...sets);
  return inverse ? negate(set) : set;
}

function bracketRange(reader: PatternReader, open: number, cased: Cased): CodeRanges {
  const start = reader.at;
  const from = bracketCode(reader, open);
  if (!reader.looking('-') || reader.pattern.startsWith('-]', reader.at)) return cased([[from, from]]);
  reader.at++;
  const to = bracketCode(reader, open);
  if (to < from) throw fail('invalid character class range', reader.pattern.slice(start, reader.at));
  return cased([[from, to]]);
}

function bracketCode(reader: PatternReader, open: number): number {
  if (reader.at >= reader.pattern.length) throw fail('missing closing ]', reader.pattern.slice(open));
  return reader.looking('\\') ? escapedCode(reader) : reader.codePoint();
}

function posixClass(reader: PatternReader): CodeRanges | undefined {
  if (!reader.looking('[:')) return undefined;
  const end = reader.pattern.indexOf(':]', reader.at + 2);
  if (end < 0) return undefined;
  const text = reader.pattern.slice(reader.at, end + 2);
  const inverse = text[2] === '^';
  const set = POSIX[text.slice(inverse ? 3 : 2, -2)];
  if (set === undefined) throw fail('invalid character class range', text);
  reader.at = end + 2;
  return inverse ? negate(set) : set;
}
