import type { Mark, YamlReader, YamlSyntaxError } from './yaml-reader.js';

/** Scalars as libyaml reads them: plain, in quotes, and in blocks. */

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
const ENDS_PLAIN_IN_FLOW = /^[,?[\]{}]$/;

export function quotedScalar(reader: YamlReader, quote: string): string {
  const start = reader.mark;
  reader.skip();
  let text = '';
  for (;;) {
    if (reader.documentIndicator() !== undefined) throw reader.error('found unexpected document indicator', start);
    if (reader.char() === '') throw reader.error('found unexpected end of stream', start);
    let joined = false;
    while (!joined && !reader.isBlankOrEnd()) {
      const char = reader.char();
      if (char === quote) {
        reader.skip();
        if (quote === '"' || reader.char() !== "'") return text;
        text += "'";
        reader.skip();
      } else if (char === '\\' && quote === '"') {
        joined = reader.isBreak(1);
        if (joined) {
          reader.skip();
          reader.skip();
        } else text += escape(reader, start);
      } else {
        text += char;
        reader.skip();
      }
    }
    text += foldedGap(reader, joined).text;
  }
}

function escape(reader: YamlReader, start: Mark): string {
  const kind = reader.char(1);
  const length = ESCAPE_LENGTHS[kind] ?? 0;
  const plain = ESCAPES[kind];
  if (length === 0 && plain === undefined) throw reader.error('found unknown escape character', start);
  reader.skip();
  reader.skip();
  if (plain !== undefined) return plain;
  const digits = reader.text.slice(reader.index, reader.index + length);
  if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length)
    throw reader.error('did not find expected hexdecimal number', start);
  const code = parseInt(digits, 16);
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
    throw reader.error('found invalid Unicode character escape code', start);
  for (let i = 0; i < length; i++) reader.skip();
  return String.fromCodePoint(code);
}

/** `indent`: lines that go on are indented so far. `newLine`: the scanner stands at the beginning of a line. */
export function plainScalar(reader: YamlReader, inFlow: boolean, indent: number): { text: string; newLine: boolean } {
  const start = reader.mark;
  const violates = (): YamlSyntaxError | undefined =>
    reader.column < indent ? reader.error('found a tab character that violates indentation', start) : undefined;
  let text = '';
  let gap = { text: '', newLine: false };
  for (;;) {
    if (reader.documentIndicator() !== undefined || reader.char() === '#') break;
    while (!reader.isBlankOrEnd()) {
      const char = reader.char();
      if ((char === ':' && reader.isBlankOrEnd(1)) || (inFlow && ENDS_PLAIN_IN_FLOW.test(char))) break;
      text += gap.text + char;
      gap = { text: '', newLine: false };
      reader.skip();
    }
    if (!reader.isBlank() && !reader.isBreak()) break;
    gap = foldedGap(reader, false, violates);
    if (!inFlow && reader.column < indent) break;
  }
  return { text, newLine: gap.newLine };
}

/** `outer` is the indentation around it. */
export function blockScalar(reader: YamlReader, outer: number): string {
  const start = reader.mark;
  const literal = reader.char() === '|';
  reader.skip();
  let increment = 0;
  let chomping = '';
  for (let i = 0; i < 2; i++) {
    const char = reader.char();
    if ((char === '+' || char === '-') && chomping === '') {
      chomping = char;
      reader.skip();
    } else if (/^\d$/.test(char) && increment === 0) {
      increment = Number(char);
      if (increment === 0) throw reader.error('found an indentation indicator equal to 0', start);
      reader.skip();
    }
  }
  while (reader.isBlank()) reader.skip();
  if (reader.char() === '#') reader.skipLine();
  if (!reader.isBreakOrEnd()) throw reader.error('did not find expected comment or line break', start);
  if (reader.isBreak()) reader.skip();

  let text = '';
  let lineBreak = '';
  let wasBlank = false;
  let { indent, breaks } = blockBreaks(reader, increment === 0 ? 0 : Math.max(outer, 0) + increment, outer, start);
  while (reader.column === indent && reader.char() !== '') {
    const isBlank = reader.isBlank();
    const folds = !literal && !wasBlank && !isBlank && lineBreak === '\n';
    text += (folds ? (breaks === '' ? ' ' : '') : lineBreak) + breaks;
    wasBlank = isBlank;
    const from = reader.index;
    reader.skipLine();
    text += reader.text.slice(from, reader.index);
    lineBreak = reader.isBreak() ? reader.lineBreak() : '';
    ({ indent, breaks } = blockBreaks(reader, indent, outer, start));
  }
  return text + (chomping === '-' ? '' : lineBreak) + (chomping === '+' ? breaks : '');
}

/** Indentation and empty lines; the first of them decide the indentation when it is 0. */
function blockBreaks(
  reader: YamlReader,
  given: number,
  outer: number,
  start: Mark,
): { indent: number; breaks: string } {
  let deepest = 0;
  let breaks = '';
  for (;;) {
    while ((given === 0 || reader.column < given) && reader.char() === ' ') reader.skip();
    deepest = Math.max(deepest, reader.column);
    if ((given === 0 || reader.column < given) && reader.char() === '\t')
      throw reader.error('found a tab character where an indentation space is expected', start);
    if (!reader.isBreak()) break;
    breaks += reader.lineBreak();
  }
  return { indent: given === 0 ? Math.max(deepest, outer + 1, 1) : given, breaks };
}

/**
 * Blanks and line breaks between two parts of a scalar, folded: one break is a blank, more of them are one less.
 * `joined`: a break was escaped. `violates` says whether a tab at the beginning of a line is too far left.
 */
function foldedGap(
  reader: YamlReader,
  joined: boolean,
  violates?: () => YamlSyntaxError | undefined,
): { text: string; newLine: boolean } {
  let blanks = '';
  let breaks: string[] | undefined = joined ? [''] : undefined;
  while (reader.isBlank() || reader.isBreak()) {
    if (reader.isBreak()) {
      (breaks ??= []).push(reader.lineBreak());
      continue;
    }
    const error = breaks !== undefined && reader.char() === '\t' ? violates?.() : undefined;
    if (error !== undefined) throw error;
    if (breaks === undefined) blanks += reader.char();
    reader.skip();
  }
  if (breaks === undefined) return { text: blanks, newLine: false };
  const [first, ...rest] = breaks;
  const text = first === '\n' ? rest.join('') || ' ' : (first ?? '') + rest.join('');
  return { text, newLine: true };
}
