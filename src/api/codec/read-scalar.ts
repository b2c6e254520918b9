import { canonicalTime, GoTimeError, type TimeLayout } from '../../machinery/go-time.js';
import { parseQuantity, QuantityError } from '../../machinery/quantity.js';
import { canonicalQuantity } from '../../machinery/quantity-format.js';
import { GoDecodeError, type JsonCursor } from './json-cursor.js';

/** strconv.ParseInt with bounds; undefined when the literal is not a whole number of so many bits. */
function parseInteger(literal: string, bits: 32 | 64): number | undefined {
  if (!/^-?[0-9]+$/.test(literal)) return undefined;
  const number = Number(literal);
  if (bits === 32) return number >= -0x80000000 && number <= 0x7fffffff ? number + 0 : undefined;
  if (Number.isSafeInteger(number)) return number + 0;
  return BigInt.asIntN(64, BigInt(literal)) === BigInt(literal) ? number : undefined;
}

/** Objects and arrays never reach here as numbers: what is not a number is noted or thrown by `wrong`. */
export function readInteger(cursor: JsonCursor, bits: 32 | 64, goType: string): number | undefined {
  const token = cursor.token();
  if (token !== 'number') return cursor.mismatch(token, goType);
  const literal = cursor.number();
  return parseInteger(literal, bits) ?? cursor.mismatch(token, goType, literal);
}

export function readNumber(cursor: JsonCursor, goType: string): number | undefined {
  const token = cursor.token();
  if (token !== 'number') return cursor.mismatch(token, goType);
  const literal = cursor.number();
  const number = Number(literal);
  return Number.isFinite(number) ? number : cursor.mismatch(token, goType, literal);
}

/** intstr.IntOrString.UnmarshalJSON. @throws GoDecodeError */
export function readIntOrString(cursor: JsonCursor): number | string {
  const token = cursor.token();
  if (token === '"') return cursor.string();
  if (token !== 'number') throw cursor.foreign(token, 'int32');
  const literal = cursor.number();
  const number = parseInteger(literal, 32);
  if (number === undefined) throw cursor.foreign(token, 'int32', literal);
  return number;
}

/** resource.Quantity.UnmarshalJSON: a string or whatever else stands there, as text. @throws GoDecodeError */
export function readQuantity(cursor: JsonCursor): string {
  const token = cursor.token();
  const start = cursor.at;
  let text: string;
  if (token === '"') text = cursor.string();
  else {
    cursor.any();
    text = cursor.text.slice(start, cursor.at);
  }
  const canonical = canonicalQuantity(text);
  if (canonical !== undefined) return canonical;
  try {
    parseQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new GoDecodeError(error.message, { cause: error });
    throw error;
  }
  throw new GoDecodeError(`cannot read the quantity ${text}`);
}

/** metav1.Time and metav1.MicroTime. @throws GoDecodeError */
export function readTime(cursor: JsonCursor, layout: TimeLayout): string {
  const token = cursor.token();
  if (token !== '"') throw cursor.foreign(token, 'string');
  try {
    return canonicalTime(cursor.string(), layout);
  } catch (error) {
    if (error instanceof GoTimeError) throw new GoDecodeError(error.message, { cause: error });
    throw error;
  }
}

/** Of groups of four: a group that repeats costs V8 a piece of its stack each time. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const isBase64 = (text: string): boolean => text.length % 4 === 0 && BASE64.test(text);
const UNREAD_BITS = /[AEIMQUYcgkosw048]=$|[AQgw]==$|[^=]$/;

/** base64.StdEncoding ignores line breaks. */
const withoutBreaks = (text: string): string =>
  text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text;

const illegalBase64 = (text: string): string => `illegal base64 data at input byte ${corruptAt(text)}`;

/** Why text is no base64, in Go's words; undefined: it is. */
export const base64Problem = (text: string): string | undefined =>
  isBase64(withoutBreaks(text)) ? undefined : illegalBase64(text);

/** []byte: base64 text, given back in its one canonical spelling. */
export function readBytes(cursor: JsonCursor, goType: string): string | undefined {
  const token = cursor.token();
  if (token === '[') return readByteArray(cursor);
  if (token !== '"') return cursor.mismatch(token, goType);
  const text = cursor.string();
  const clean = withoutBreaks(text);
  if (!isBase64(clean)) {
    cursor.typeError ??= illegalBase64(text);
    return undefined;
  }
  return clean === '' || UNREAD_BITS.test(clean) ? clean : Buffer.from(clean, 'base64').toString('base64');
}

/** Go also reads a []byte from an array of numbers. */
function readByteArray(cursor: JsonCursor): string {
  const bytes: number[] = [];
  cursor.enter();
  for (let more = cursor.first(0x5d); more; more = cursor.next(0x5d)) {
    const token = cursor.token();
    const literal = token === 'number' ? cursor.number() : undefined;
    const byte = literal === undefined ? undefined : parseInteger(literal, 32);
    if (byte !== undefined && byte >= 0 && byte <= 255) bytes.push(byte);
    else cursor.mismatch(token, 'uint8', literal);
  }
  return Buffer.from(bytes).toString('base64');
}

/** Where base64.StdEncoding.Decode says the input is corrupt: encoding/base64 decodeQuantum. */
function corruptAt(text: string): number {
  let quantum = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\n' || char === '\r') continue;
    if (/[A-Za-z0-9+/]/.test(char)) {
      quantum = (quantum + 1) % 4;
      continue;
    }
    if (char !== '=' || quantum < 2) return Buffer.byteLength(text.slice(0, i));
    return paddingError(text, i, quantum);
  }
  return Buffer.byteLength(text) - quantum;
}

function paddingError(text: string, at: number, quantum: number): number {
  let i = at + 1;
  const skipBreaks = (): void => {
    while (text[i] === '\n' || text[i] === '\r') i++;
  };
  skipBreaks();
  if (quantum === 2) {
    if (i >= text.length) return text.length;
    if (text[i] !== '=') return i - 1;
    i++;
    skipBreaks();
  }
  return i < text.length ? i : text.length;
}
