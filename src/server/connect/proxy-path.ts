import { posix } from 'node:path';
import { compareText } from '../../machinery/compare-text.js';
import { splitPath } from '../pipeline/request-info.js';

/** What Go's URL.EscapedPath writes as it is, besides letters and digits. */
const PLAIN = new Set([...'-_.~$&+,/:;=@'].map(c => c.charCodeAt(0)));
const isAlphanumeric = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122);

/** The bytes that a path with escapes stands for, a character each: what is no UTF-8 survives. */
const unescaped = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

function escaped(bytes: string): string {
  let out = '';
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes.charCodeAt(i);
    out += isAlphanumeric(c) || PLAIN.has(c) ? bytes[i] : `%${(c & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The path of a request target, without scheme, host and query. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  const target = query < 0 ? url : url.slice(0, query);
  if (target.startsWith('/')) return target;
  const host = target.indexOf('://');
  const path = host < 0 ? -1 : target.indexOf('/', host + 3);
  return path < 0 ? '/' : target.slice(path);
}

/** The query of a request target as it was sent, with its question mark. */
export const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?')) : '');

/**
 * The last `segments` of a path, and its trailing slash, as they are sent on: read and escaped again, runs of slashes
 * made one. So far as upstream's proxies do it; but dot segments are neither resolved nor dropped, since only whoever
 * serves the path knows what they mean to it.
 */
export function pathBelow(url: string, segments: number): string {
  const bytes = unescaped(pathOf(url));
  const below = segments <= 0 ? [] : splitPath(bytes).slice(-segments);
  const slash = bytes.endsWith('/') ? '/' : '';
  const text = below.length === 0 ? slash : `/${below.join('/')}${slash}`;
  return escaped(text.replace(/\/{2,}/g, '/'));
}

/** Dot segments resolved, without leaving the root (Go's path.Clean); a trailing slash stays. */
export function cleaned(path: string): string {
  const clean = posix.normalize(`/${path}`);
  return path.endsWith('/') || !clean.endsWith('/') || clean === '/' ? clean : clean.slice(0, -1);
}

/** A whole path as it is sent on: read and escaped again, and not changed otherwise. */
export const wholePath = (url: string): string => escaped(unescaped(pathOf(url)));

/** What Go's url.QueryEscape writes as it is, besides letters and digits. */
const PLAIN_IN_QUERY = new Set([...'-_.~'].map(c => c.charCodeAt(0)));

function escapedForQuery(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    if (isAlphanumeric(byte) || PLAIN_IN_QUERY.has(byte)) out += String.fromCharCode(byte);
    else out += byte === 0x20 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** A query written anew, with its question mark: sorted by key, as Go's url.Values.Encode does it. */
export function encodedQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([key, value]) => [escapedForQuery(key), escapedForQuery(value), key] as const);
  const sorted = pairs.sort(([, , a], [, , b]) => compareText(a, b));
  return sorted.length === 0 ? '' : `?${sorted.map(([key, value]) => `${key}=${value}`).join('&')}`;
}
