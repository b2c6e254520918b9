import { MAX_JSON_DEPTH } from './json-depth.js';

/**
 * What Go's encoding/json says about text that is not JSON. Run only on text that already failed to parse: it is exact,
 * not fast. Source: encoding/json/scanner.go.
 */
type State = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'objectNext' | 'arrayNext' | 'end';

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };
const END = 'unexpected end of JSON input';

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
const isHex = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);

function quoteByte(byte: number): string {
  const char = String.fromCharCode(byte);
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  if (char === '\\') return `'\\\\'`;
  const escapes: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\b': '\\b', '\f': '\\f' };
  if (escapes[char] !== undefined) return `'${escapes[char]}'`;
  if (byte === 0x0b) return `'\\v'`;
  if (byte === 0x07) return `'\\a'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`;
  if (byte >= 0x80 && byte < 0xa1) return `'\\u${byte.toString(16).padStart(4, '0')}'`;
  return byte === 0xad ? `'\\u00ad'` : `'${char}'`;
}

/** The error of json.Unmarshal for syntax, or undefined when the text is one valid JSON value. */
export function goJsonSyntaxError(bytes: Uint8Array): string | undefined {
  const stack: ('{' | '[')[] = [];
  let state = 'value' as State;
  let at = 0;
  // Inside a literal, a number or an escape, Go's scanner meets the end of the input as a blank.
  const bad = (context: string): string => `invalid character ${quoteByte(bytes[at] ?? 0x20)} ${context}`;
  const endValue = (): void => {
    const top = stack.at(-1);
    state = top === undefined ? 'end' : top === '{' ? 'objectNext' : 'arrayNext';
  };
  const string = (): string | undefined => {
    for (at++; ; at++) {
      const byte = bytes[at];
      if (byte === undefined) return END;
      if (byte === 0x22) break;
      if (byte < 0x20) return bad('in string literal');
      if (byte !== 0x5c) continue;
      const escape = bytes[++at] ?? 0x20;
      if (escape === 0x75) {
        for (let digit = 0; digit < 4; digit++) {
          const hex = bytes[++at];
          if (hex === undefined || !isHex(hex)) return bad('in \\u hexadecimal character escape');
        }
      } else if (!'bfnrt\\/"'.includes(String.fromCharCode(escape))) return bad('in string escape code');
    }
    at++;
    return undefined;
  };
  const digits = (context: string): string | undefined => {
    if (!isDigit(bytes[at])) return bad(context);
    while (isDigit(bytes[at])) at++;
    return undefined;
  };
  const number = (): string | undefined => {
    if (bytes[at] === 0x2d) at++;
    if (bytes[at] === 0x30) at++;
    else {
      const error = digits('in numeric literal');
      if (error !== undefined) return error;
    }
    if (bytes[at] === 0x2e) {
      at++;
      const error = digits('after decimal point in numeric literal');
      if (error !== undefined) return error;
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
      return digits('in exponent of numeric literal');
    }
    return undefined;
  };
  const literal = (word: string): string | undefined => {
    for (let i = 1; i < word.length; i++) {
      at++;
      if (bytes[at] !== word.charCodeAt(i)) return bad(`in literal ${word} (expecting '${word[i] ?? ''}')`);
    }
    at++;
    return undefined;
  };
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) return state === 'end' ? undefined : END;
    if (isSpace(byte)) {
      at++;
      continue;
    }
    const char = String.fromCharCode(byte);
    if (state === 'end') return bad('after top-level value');
    if (state === 'key' || state === 'keyOrEnd') {
      if (char === '}' && state === 'keyOrEnd') {
        at++;
        stack.pop();
        endValue();
        continue;
      }
      if (char !== '"') return bad('looking for beginning of object key string');
      const error = string();
      if (error !== undefined) return error;
      state = 'colon';
    } else if (state === 'colon') {
      if (char !== ':') return bad('after object key');
      at++;
      state = 'value';
    } else if (state === 'objectNext' || state === 'arrayNext') {
      const close = state === 'objectNext' ? '}' : ']';
      if (char === ',') state = state === 'objectNext' ? 'key' : 'value';
      else if (char === close) {
        stack.pop();
        endValue();
      } else return bad(state === 'objectNext' ? 'after object key:value pair' : 'after array element');
      at++;
    } else {
      let error: string | undefined;
      if (char === ']' && state === 'valueOrEnd') {
        at++;
        stack.pop();
      } else if (char === '{' || char === '[') {
        at++;
        stack.push(char);
        if (stack.length > MAX_JSON_DEPTH) return 'exceeded max depth';
        state = char === '{' ? 'keyOrEnd' : 'valueOrEnd';
        continue;
      } else if (char === '"') error = string();
      else if (char === '-' || isDigit(byte)) error = number();
      else if (LITERALS[char] !== undefined) error = literal(LITERALS[char]);
      else return bad('looking for beginning of value');
      if (error !== undefined) return error;
      endValue();
    }
  }
}

/** The JSON type of a value as encoding/json names it in errors. */
export const jsonTypeName = (value: unknown): string =>
  Array.isArray(value)
    ? 'array'
    : typeof value === 'object'
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
