import { quoteBytes } from './go-bytes.js';

/** Percent-encoding of the parts of a URL, as Go's net/url does it. Texts are of bytes, see go-bytes.ts. */
export type EscapeMode = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment';

/** What does not stand for itself. */
const STRANGE: Readonly<Record<EscapeMode, RegExp>> = {
  path: /[^A-Za-z0-9\-_.~$&+,/:;=@]/g,
  host: /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/g,
  zone: /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/g,
  user: /[^A-Za-z0-9\-_.~$&+,;=]/g,
  query: /[^A-Za-z0-9\-_.~]/g,
  fragment: /[^A-Za-z0-9\-_.~$&+,/:;=?@!()*]/g,
};
const NOT_OF_HOST = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;
/** In what is escaped already, some more stand for themselves. */
const NOT_OF_ESCAPED = {
  path: /[^A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]/,
  fragment: /[^A-Za-z0-9\-_.~$&+,/:;=?@!()*'[\]%]/,
};

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(2, '0');

export const escapeBytes = (bytes: string, mode: EscapeMode): string =>
  bytes.replace(STRANGE[mode], char => (char === ' ' && mode === 'query' ? '+' : `%${hex(char.charCodeAt(0))}`));

/** Whether nothing in it needs to be escaped. */
export const isEscaped = (bytes: string, mode: keyof typeof NOT_OF_ESCAPED): boolean =>
  !NOT_OF_ESCAPED[mode].test(bytes);

const ESCAPE = /^%[0-9A-Fa-f]{2}$/;

/** Why this escape may not stand there. */
function isRefused(escape: string, mode: EscapeMode): boolean {
  if (escape === '%25' || (mode !== 'host' && mode !== 'zone')) return false;
  const code = parseInt(escape.slice(1), 16);
  // RFC 3986: in a host, only what is not ASCII may be escaped.
  if (mode === 'host') return code < 0x80;
  return code !== 0x20 && NOT_OF_HOST.test(String.fromCharCode(code));
}

interface Unescaped {
  readonly value: string;
  readonly error?: string;
}

const problem = (escape: string): Unescaped => ({ value: '', error: `invalid URL escape ${quoteBytes(escape)}` });

export function unescapeBytes(bytes: string, mode: EscapeMode): Unescaped {
  const isHost = mode === 'host' || mode === 'zone';
  for (let i = 0; i < bytes.length; i++) {
    const char = bytes.charAt(i);
    if (char === '%') {
      const escape = bytes.slice(i, i + 3);
      if (!ESCAPE.test(escape) || isRefused(escape, mode)) return problem(escape);
      i += 2;
    } else if (isHost && char < '\x80' && NOT_OF_HOST.test(char)) {
      return { value: '', error: `invalid character ${quoteBytes(char)} in host name` };
    }
  }
  const spaced = mode === 'query' ? bytes.replaceAll('+', ' ') : bytes;
  if (!spaced.includes('%')) return { value: spaced };
  return { value: spaced.replace(/%../gs, escape => String.fromCharCode(parseInt(escape.slice(1), 16))) };
}
