import { quoteBytes } from './go-bytes.js';

/** Percent-encoding of the parts of a URL, as Go's net/url does it. Texts are of bytes, see go-bytes.ts. */
export type EscapeMode = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment';

/** What stands for itself, as the inside of a character class. */
const PLAIN: Readonly<Record<EscapeMode, string>> = {
  path: `A-Za-z0-9\\-_.~$&+,/:;=@`,
  host: `A-Za-z0-9\\-_.~!$&'()*+,;=:[\\]<>"`,
  zone: `A-Za-z0-9\\-_.~!$&'()*+,;=:[\\]<>"`,
  user: `A-Za-z0-9\\-_.~$&+,;=`,
  query: `A-Za-z0-9\\-_.~`,
  fragment: `A-Za-z0-9\\-_.~$&+,/:;=?@!()*`,
};

const perMode = <T>(make: (plain: string) => T): Readonly<Record<EscapeMode, T>> => ({
  path: make(PLAIN.path),
  host: make(PLAIN.host),
  zone: make(PLAIN.zone),
  user: make(PLAIN.user),
  query: make(PLAIN.query),
  fragment: make(PLAIN.fragment),
});

const STRANGE = perMode(plain => new RegExp(`[^${plain}]`, 'g'));
const ONE_STRANGE = perMode(plain => new RegExp(`[^${plain}]`));
/** In what is escaped already, these stand as they are beside what is plain. */
const NOT_ESCAPED = perMode(plain => new RegExp(`[^${plain}!$&'()*+,;=:@[\\]%]`));

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(2, '0');

export const escapeBytes = (bytes: string, mode: EscapeMode): string =>
  bytes.replace(STRANGE[mode], char => (char === ' ' && mode === 'query' ? '+' : `%${hex(char.charCodeAt(0))}`));

/** Whether nothing in it needs to be escaped. */
export const isEscaped = (bytes: string, mode: EscapeMode): boolean => !NOT_ESCAPED[mode].test(bytes);

const ESCAPE = /^%[0-9A-Fa-f]{2}$/;

/** Why this escape may not stand there. */
function isRefused(escape: string, mode: EscapeMode): boolean {
  if (escape === '%25' || (mode !== 'host' && mode !== 'zone')) return false;
  const code = parseInt(escape.slice(1), 16);
  // RFC 3986: in a host, only what is not ASCII may be escaped.
  if (mode === 'host') return code < 0x80;
  return code !== 0x20 && ONE_STRANGE.host.test(String.fromCharCode(code));
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
    } else if (isHost && char < '\x80' && ONE_STRANGE[mode].test(char)) {
      return { value: '', error: `invalid character ${quoteBytes(char)} in host name` };
    }
  }
  const spaced = mode === 'query' ? bytes.replaceAll('+', ' ') : bytes;
  if (!spaced.includes('%')) return { value: spaced };
  return { value: spaced.replace(/%../gs, escape => String.fromCharCode(parseInt(escape.slice(1), 16))) };
}
