import { Bytes, Uint, type Value } from '../values.js';

/** Literals as they are written. A string that is returned is what is wrong with it, in cel-go's words. */
export type Read = { readonly value: Value } | { readonly problem: string };

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const MAX_UINT64 = 2n ** 64n - 1n;
/** More digits than any number in range has, without zeros before them. */
const MAX_DIGITS = 40;

/** A bigint of many digits takes more than linear time to read. */
const isShort = (text: string): boolean => text.replace(/^(?:0x)?0*/, '').length <= MAX_DIGITS;

export function readInt(text: string, isNegative: boolean): Read {
  const value = isShort(text) ? BigInt(text) * (isNegative ? -1n : 1n) : INT64.max + 1n;
  return value < INT64.min || value > INT64.max ? { problem: 'invalid int literal' } : { value };
}

export function readUint(text: string): Read {
  const digits = text.slice(0, -1);
  const value = isShort(digits) ? BigInt(digits) : MAX_UINT64 + 1n;
  return value > MAX_UINT64 ? { problem: 'invalid uint literal' } : { value: new Uint(value) };
}

export function readDouble(text: string, isNegative: boolean): Read {
  const value = Number(text);
  return Number.isFinite(value) ? { value: isNegative ? -value : value } : { problem: 'invalid double literal' };
}

export function readString(text: string): Read {
  const parts = unquote(text, false);
  return typeof parts === 'string' ? { problem: parts } : { value: parts.join('') };
}

export function readBytes(text: string): Read {
  const parts = unquote(text.slice(1), true);
  if (typeof parts === 'string') return { problem: parts };
  const chunks = parts.map(part => (typeof part === 'number' ? Uint8Array.of(part) : new TextEncoder().encode(part)));
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { value: new Bytes(bytes) };
}

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['`', '`'],
  ['?', '?'],
]);
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['X', 2],
  ['u', 4],
  ['U', 8],
]);
const NO_STRING = 'unable to unescape string';

/** What is between the quotes: texts, and in bytes also single ones; or what is wrong. The lexer has seen to the form. */
function unquote(token: string, isBytes: boolean): (string | number)[] | string {
  let text = token.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const isRaw = text.startsWith('r') || text.startsWith('R');
  if (isRaw) text = text.slice(1);
  const isTriple = text.length >= 6 && (text.startsWith('"""') || text.startsWith("'''"));
  text = isTriple ? text.slice(3, -3) : text.slice(1, -1);
  if (isRaw || !text.includes('\\')) return [text];
  const parts: (string | number)[] = [];
  for (let at = 0; at < text.length;) {
    const backslash = text.indexOf('\\', at);
    if (backslash < 0) {
      parts.push(text.slice(at));
      break;
    }
    if (backslash > at) parts.push(text.slice(at, backslash));
    const kind = text.charAt(backslash + 1);
    const simple = SIMPLE.get(kind);
    if (simple !== undefined) {
      parts.push(simple);
      at = backslash + 2;
      continue;
    }
    const hex = HEX_DIGITS.get(kind);
    const start = backslash + (hex === undefined ? 1 : 2);
    const end = start + (hex ?? 3);
    const code = parseInt(text.slice(start, end), hex === undefined ? 8 : 16);
    if (Number.isNaN(code) || (isBytes && hex !== undefined && hex > 2)) return NO_STRING;
    if (isBytes) parts.push(code);
    else if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 'invalid unicode code point';
    else parts.push(String.fromCodePoint(code));
    at = end;
  }
  return parts;
}
