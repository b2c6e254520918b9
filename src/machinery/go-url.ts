import { fromBytes, quoteBytes, toBytes } from './go-bytes.js';
import { parseAddr } from './netip.js';
import { escapeBytes, isEscaped, unescapeBytes, type EscapeMode } from './url-escape.js';

/**
 * URLs as Go's net/url reads and prints them. Source: net/url of Go 1.25 (later versions refuse more hosts with colons;
 * Kubernetes 1.35 is built without that). Texts within are of bytes, see go-bytes.ts.
 */
export interface GoUrl {
  readonly scheme: string;
  readonly opaque: string;
  readonly user?: { readonly name: string; readonly password?: string };
  readonly host: string;
  readonly path: string;
  /** The path as it was written, where that is not how it would be escaped. */
  readonly rawPath: string;
  readonly query: string;
  readonly hasQuery: boolean;
  readonly fragment: string;
  readonly rawFragment: string;
  readonly isHostOmitted: boolean;
}

class UrlError extends Error {
  override readonly name = 'UrlError';
}

const PROBLEMS = {
  control: 'net/url: invalid control character in URL',
  empty: 'empty url',
  scheme: 'missing protocol scheme',
  relative: 'invalid URI for request',
  colon: 'first path segment in URL cannot contain colon',
  literal: 'invalid IP-literal',
  bracket: "missing ']' in host",
  user: 'net/url: invalid userinfo',
} as const;

const fail = (message: string): never => {
  throw new UrlError(message);
};

function unescape(text: string, mode: EscapeMode): string {
  const { value, error } = unescapeBytes(text, mode);
  return error === undefined ? value : fail(error);
}

const cut = (text: string, separator: string): [before: string, after: string] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

/** The URL, or the error's text with what Go puts around it. */
function attempt<T>(given: string, read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof UrlError) return `parse ${quoteBytes(given)}: ${error.message}`;
    throw error;
  }
}

/** url.Parse. @returns the error's text when it is none */
export function parseUrl(text: string): GoUrl | string {
  const bytes = toBytes(text);
  const [before, fragment] = cut(bytes, '#');
  const url = attempt(before, () => parse(before, false));
  if (typeof url === 'string' || fragment === '') return url;
  return attempt(bytes, () => {
    const plain = unescape(fragment, 'fragment');
    return { ...url, fragment: plain, rawFragment: rawOf(fragment, plain, 'fragment') };
  });
}

/** url.ParseRequestURI: absolute URLs and absolute paths only; "#" is nothing special. @returns the error's text when it is none */
export function parseRequestUri(text: string): GoUrl | string {
  const bytes = toBytes(text);
  return attempt(bytes, () => parse(bytes, true));
}

const rawOf = (given: string, plain: string, mode: EscapeMode): string =>
  escapeBytes(plain, mode) === given ? '' : given;

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const CONTROL = /[\0-\x1f\x7f]/;

const EMPTY: GoUrl = {
  scheme: '',
  opaque: '',
  host: '',
  path: '',
  rawPath: '',
  query: '',
  hasQuery: false,
  fragment: '',
  rawFragment: '',
  isHostOmitted: false,
};

function parse(given: string, isRequest: boolean): GoUrl {
  if (CONTROL.test(given)) fail(PROBLEMS.control);
  if (given === '' && isRequest) fail(PROBLEMS.empty);
  if (given === '*') return { ...EMPTY, path: '*' };
  if (given.startsWith(':')) fail(PROBLEMS.scheme);
  const prefix = SCHEME.exec(given)?.[1] ?? '';
  const scheme = prefix.toLowerCase();
  const [rest, query] = cut(prefix === '' ? given : given.slice(prefix.length + 1), '?');
  const url = { ...EMPTY, scheme, query, hasQuery: given.includes('?') && query === '' };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: rest };
    if (isRequest) fail(PROBLEMS.relative);
    if (cut(rest, '/')[0].includes(':')) fail(PROBLEMS.colon);
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || (!isRequest && !rest.startsWith('///')));
  if (!hasAuthority) return { ...url, ...pathOf(rest), isHostOmitted: scheme !== '' && rest.startsWith('/') };
  const slash = rest.indexOf('/', 2);
  const authority = parseAuthority(rest.slice(2, slash < 0 ? undefined : slash));
  return { ...url, ...authority, ...pathOf(slash < 0 ? '' : rest.slice(slash)) };
}

function pathOf(given: string): { path: string; rawPath: string } {
  const path = unescape(given, 'path');
  return { path, rawPath: rawOf(given, path, 'path') };
}

const USER = /^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/;

function parseAuthority(authority: string): Pick<GoUrl, 'host' | 'user'> {
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1));
  if (at < 0) return { host };
  const user = authority.slice(0, at);
  if (!USER.test(user)) fail(PROBLEMS.user);
  const colon = user.indexOf(':');
  if (colon < 0) return { host, user: { name: unescape(user, 'user') } };
  const name = unescape(user.slice(0, colon), 'user');
  return { host, user: { name, password: unescape(user.slice(colon + 1), 'user') } };
}

function checkPort(port: string): void {
  if (port !== '' && !/^:[0-9]*$/.test(port)) fail(`invalid port ${quoteBytes(port)} after host`);
}

function parseHost(host: string): string {
  const open = host.lastIndexOf('[');
  if (open > 0) fail(PROBLEMS.literal);
  if (open < 0) {
    const colon = host.lastIndexOf(':');
    if (colon >= 0) checkPort(host.slice(colon));
    return unescape(host, 'host');
  }
  const close = host.lastIndexOf(']');
  if (close < 0) fail(PROBLEMS.bracket);
  const port = host.slice(close + 1);
  checkPort(port);
  const name = host.slice(1, close);
  // RFC 6874: "%25" begins the zone of an address, in which more may be escaped than in a host.
  const zone = name.indexOf('%25');
  const address =
    zone < 0 ? unescape(name, 'host') : unescape(name.slice(0, zone), 'host') + unescape(name.slice(zone), 'zone');
  const parsed = parseAddr(fromBytes(address));
  if (typeof parsed === 'string') fail(`invalid host: ${parsed}`);
  else if (parsed.family === 'IPv4') fail(PROBLEMS.literal);
  return `[${address}]${port}`;
}

/** URL.EscapedPath */
export function escapedPath({ path, rawPath }: GoUrl): string {
  if (rawPath !== '' && isEscaped(rawPath, 'path')) return fromBytes(rawPath);
  return path === '*' ? '*' : escapeBytes(path, 'path');
}

const escapedFragment = ({ fragment, rawFragment }: GoUrl): string =>
  rawFragment !== '' && isEscaped(rawFragment, 'fragment') ? rawFragment : escapeBytes(fragment, 'fragment');

/** URL.Host: with the port, and with brackets around an IPv6 address. */
export const hostOf = ({ host }: GoUrl): string => fromBytes(host);

/** Where the host's port begins with its colon; -1: there is none. A host that has no valid one is all name. */
function portAt(host: string): number {
  const colon = host.lastIndexOf(':');
  return colon >= 0 && /^:[0-9]*$/.test(host.slice(colon)) ? colon : -1;
}

/** URL.Hostname: without port and brackets. */
export function hostnameOf({ host }: GoUrl): string {
  const at = portAt(host);
  const name = at < 0 ? host : host.slice(0, at);
  return fromBytes(name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name);
}

/** URL.Port: the digits. */
export function portOf({ host }: GoUrl): string {
  const at = portAt(host);
  return at < 0 ? '' : host.slice(at + 1);
}

/** Go refuses all parameters of a query that has more. */
const MAX_PARAMETERS = 10_000;

/** URL.Query: what cannot be read is left out. */
export function queryOf({ query }: GoUrl): Map<string, string[]> {
  const values = new Map<string, string[]>();
  const parts = query === '' ? [] : query.split('&', MAX_PARAMETERS + 1);
  if (parts.length > MAX_PARAMETERS) return values;
  for (const part of parts) {
    if (part === '' || part.includes(';')) continue;
    const [key, value] = cut(part, '=').map(text => unescapeBytes(text, 'query'));
    if (key === undefined || value === undefined || (key.error ?? value.error) !== undefined) continue;
    const name = fromBytes(key.value);
    const found = values.get(name);
    if (found === undefined) values.set(name, [fromBytes(value.value)]);
    else found.push(fromBytes(value.value));
  }
  return values;
}

function authorityOf({ user, host }: GoUrl): string {
  const password = user?.password === undefined ? '' : `:${escapeBytes(user.password, 'user')}`;
  const userInfo = user === undefined ? '' : `${escapeBytes(user.name, 'user')}${password}@`;
  return userInfo + escapeBytes(host, 'host');
}

/** URL.String */
export function formatUrl(url: GoUrl): string {
  const { scheme, opaque, user, host, isHostOmitted, path, query, hasQuery, fragment } = url;
  let text = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') text += fromBytes(opaque);
  else {
    const hasAuthority = scheme !== '' || host !== '' || user !== undefined;
    const isLeftOut = isHostOmitted && host === '' && user === undefined;
    if (hasAuthority && !isLeftOut) {
      if (host !== '' || path !== '' || user !== undefined) text += '//';
      text += authorityOf(url);
    }
    const escaped = escapedPath(url);
    if (escaped !== '' && !escaped.startsWith('/') && host !== '') text += '/';
    if (text === '' && cut(escaped, '/')[0].includes(':')) text += './';
    text += escaped;
  }
  if (hasQuery || query !== '') text += `?${fromBytes(query)}`;
  return fragment === '' ? text : `${text}#${fromBytes(escapedFragment(url))}`;
}
