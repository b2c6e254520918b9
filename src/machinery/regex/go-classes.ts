import { union, type CodeRanges } from './code-ranges.js';

/** Classes of characters that have names in Go's syntax, but for Unicode's. Source: regexp/syntax/perl_groups.go. */

const range = (text: string): CodeRanges =>
  union(
    Array.from({ length: text.length / 2 }, (_, i) => [text.charCodeAt(2 * i), text.charCodeAt(2 * i + 1)] as const),
  );
const DIGIT = range('09');
const SPACE = range('\t\n\f\r  ');
const WORD = range('09AZ__az');
/** Of [:name:]. */
export const POSIX: Readonly<Record<string, CodeRanges>> = {
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
/** Of \d, \s and \w. */
export const PERL: Readonly<Record<string, CodeRanges>> = { d: DIGIT, s: SPACE, w: WORD };
