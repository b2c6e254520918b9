import { isIPv4 } from 'node:net';

/** Just enough DER (ITU-T X.690) to write certificates: each function gives one encoded value. */
const tlv = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.of(tag), length(content.length), content]);

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: Buffer[]): Buffer => sequenceOf(items);
/** As sequence, of however many. */
export const sequenceOf = (items: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(items));
export const set = (...items: Buffer[]): Buffer => tlv(0x31, Buffer.concat(items));
export const bool = (value: boolean): Buffer => tlv(0x01, Buffer.of(value ? 0xff : 0));
export const utf8String = (text: string): Buffer => tlv(0x0c, Buffer.from(text));
export const octetString = (content: Buffer): Buffer => tlv(0x04, content);
/** `unused`: bits of the last byte that do not count. */
export const bitString = (content: Buffer, unused = 0): Buffer =>
  tlv(0x03, Buffer.concat([Buffer.of(unused), content]));
/** A positive integer, most significant byte first. */
export function integer(magnitude: Buffer): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  return tlv(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}
/** Context-specific: [n] around encoded values, or around plain content. */
export const explicit = (n: number, ...items: Buffer[]): Buffer => tlv(0xa0 | n, Buffer.concat(items));
export const implicit = (n: number, content: Buffer): Buffer => tlv(0x80 | n, content);

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let more = arc >>> 7; more > 0; more >>>= 7) groups.unshift(0x80 | (more & 0x7f));
    for (const group of groups) bytes.push(group);
  }
  return tlv(0x06, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after that (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(text.slice(0, 4)) < 2050 ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text));
}

/** The 4 or 16 bytes of an IP address. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === ''
      ? []
      : text.split(':').flatMap(word => {
          if (!word.includes('.')) return [Number.parseInt(word, 16)];
          const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
          return [a * 256 + b, c * 256 + d];
        });
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const bytes = Buffer.alloc(16);
  [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right].forEach((word, i) =>
    bytes.writeUInt16BE(word, i * 2),
  );
  return bytes;
}
