import { quote } from './go-text.js';

/**
 * Go strings where their bytes matter: one character for each byte, so that indexes and slices are Go's. What is all ASCII
 * is the same text in both forms.
 */
const NOT_ASCII = /[^\0-\x7f]/;

export const toBytes = (text: string): string =>
  NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;

/** As ranging over the string does: each byte that is not part of a character becomes U+FFFD. */
export function fromBytes(bytes: string): string {
  if (!NOT_ASCII.test(bytes)) return bytes;
  return split(bytes)
    .map(({ text, isBroken }) => (isBroken ? '\ufffd' : text))
    .join('');
}

/** strconv.Quote: bytes that are not part of a character are shown as \xff. */
export function quoteBytes(bytes: string): string {
  if (!NOT_ASCII.test(bytes)) return quote(bytes);
  const inner = split(bytes).map(({ text, isBroken }) =>
    isBroken ? `\\x${text.charCodeAt(0).toString(16).padStart(2, '0')}` : quote(text).slice(1, -1),
  );
  return `"${inner.join('')}"`;
}

interface Run {
  readonly text: string;
  /** One byte that belongs to no character. */
  readonly isBroken: boolean;
}

/** Well-formed characters of two to four bytes (RFC 3629), or ASCII. */
const CHARACTERS =
  /(?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+|[\s\S]/g;

const isCharacters = (run: string): boolean => run.length > 1 || run <= '\x7f';

function split(bytes: string): Run[] {
  return Array.from(bytes.matchAll(CHARACTERS), ([run]) =>
    isCharacters(run)
      ? { text: Buffer.from(run, 'latin1').toString('utf8'), isBroken: false }
      : { text: run, isBroken: true },
  );
}
