import { NetfilterError } from '../../../kernel/errors.js';
import { checkLength, type TextLimits } from '../../lines.js';

/** A rule of ours nests eleven. */
const MAX_DEPTH = 32;
const BLANKS = ' \t\r\n';

const faulty = (at: number, why: string): never => {
  throw new NetfilterError(`/dev/stdin:1:${at + 1}-${at + 1}: Error: ${why}`);
};

/** The end of the value that begins at `start`, which need be no JSON: a parser looks at what is in it. */
function endOfValue(text: string, start: number, { lines: most }: TextLimits): number {
  let depth = 0;
  let values = 0;
  let at = start;
  for (; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"':
        at = endOfString(text, at);
        break;
      case '{':
      case '[':
        if (++depth > MAX_DEPTH) faulty(at, `it is nested deeper than ${MAX_DEPTH}`);
        if (++values > most) faulty(at, `it has more than ${most} values`);
        break;
      case '}':
      case ']':
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
        break;
      case ',':
        if (depth === 0) return at;
        if (++values > most) faulty(at, `it has more than ${most} values`);
    }
  }
  return faulty(at, 'premature end of input');
}

/** Where the quote stands that closes it. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return at;
    if (character === '\\') at++;
  }
  return faulty(start, 'the quote is not closed');
}

function parse(text: string, start: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // What V8 says shows the text, at any length.
    return faulty(start, 'syntax error in the value that begins here');
  }
}

/**
 * The values in `{"nftables": [...]}`, each by itself: no more than one of them is in memory as an object. `limits.lines`:
 * how many there may be, and how many values in one.
 * @throws NetfilterError
 */
export function* readItems(text: string, limits: TextLimits): Generator<unknown> {
  checkLength(text, limits);
  let at = 0;
  const skip = (): void => {
    while (at < text.length && BLANKS.includes(text.charAt(at))) at++;
  };
  const take = (wanted: string): boolean => {
    skip();
    const isThere = text.startsWith(wanted, at);
    if (isThere) at += wanted.length;
    return isThere;
  };
  const expect = (wanted: string): void => {
    if (!take(wanted)) faulty(at, `syntax error, expected ${wanted}`);
  };
  expect('{');
  expect('"nftables"');
  expect(':');
  expect('[');
  if (!take(']')) {
    let count = 0;
    do {
      skip();
      if (++count > limits.lines) faulty(at, `there are more than ${limits.lines} objects`);
      const end = endOfValue(text, at, limits);
      yield parse(text.slice(at, end), at);
      at = end;
    } while (take(','));
    expect(']');
  }
  expect('}');
  skip();
  if (at < text.length) faulty(at, 'syntax error, end of file expected');
}
