import { MessageError } from './message-error.js';

/** RFC 1035: a name has at most 255 bytes, its root label included. */
const MAX_NAME = 255;
/** More pointers than a name of 255 bytes can have labels: a circle. */
const MAX_POINTERS = 126;
const BACKSLASH = 92;
const DOT = 46;

export interface WireName {
  /** In presentation form: what is no plain letter is escaped, so that a dot only separates. */
  readonly labels: readonly string[];
  /** Where the message goes on. */
  readonly end: number;
  readonly compressed: boolean;
}

/** @throws MessageError */
export function readName(message: Buffer, start: number): WireName {
  const labels: string[] = [];
  let at = start;
  let end = -1;
  let budget = MAX_NAME;
  for (let pointers = 0; ;) {
    const length = message[at++];
    if (length === undefined) throw new MessageError('ends too early');
    if (length === 0) break;
    if (length < 64) {
      budget -= length + 1;
      if (budget <= 0) throw new MessageError('a name of more than 255 bytes');
      if (at + length > message.length) throw new MessageError('ends too early');
      labels.push(labelText(message, at, length));
      at += length;
    } else if (length >= 0xc0) {
      const low = message[at++];
      if (low === undefined) throw new MessageError('ends too early');
      if (end < 0) end = at;
      if (++pointers > MAX_POINTERS) throw new MessageError('too many compression pointers');
      at = ((length & 0x3f) << 8) | low;
    } else throw new MessageError('a label of an unknown kind');
  }
  return { labels, end: end < 0 ? at : end, compressed: end >= 0 };
}

/** What a presentation form escapes with a backslash. */
const SPECIAL: ReadonlySet<number> = new Set(Buffer.from('.(); @"\\'));
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte > 32 && byte < 127 && !SPECIAL.has(byte) ? 1 : 0));

function labelText(message: Buffer, start: number, length: number): string {
  for (let i = start; i < start + length; i++)
    if (PLAIN[message[i] ?? 0] === 0) return escaped(message.subarray(start, start + length));
  return message.toString('latin1', start, start + length);
}

function escaped(label: Buffer): string {
  let text = '';
  for (const byte of label) {
    if (byte < 32 || byte > 126) text += `\\${String(byte).padStart(3, '0')}`;
    else text += `${SPECIAL.has(byte) ? '\\' : ''}${String.fromCharCode(byte)}`;
  }
  return text;
}

/** Where the label that starts at `start` ends. */
export function labelEnd(name: string, start: number): number {
  for (let i = start; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c === DOT) return i;
    if (c === BACKSLASH) i++;
  }
  return name.length;
}

/** The bytes of a label in presentation form. */
export function labelBytes(label: string): Buffer {
  if (!label.includes('\\')) return Buffer.from(label, 'latin1');
  const bytes: number[] = [];
  for (let i = 0; i < label.length; i++) {
    if (label.charCodeAt(i) !== BACKSLASH) bytes.push(label.charCodeAt(i));
    else if (isDigit(label.charCodeAt(i + 1))) {
      bytes.push(Number(label.slice(i + 1, i + 4)));
      i += 3;
    } else bytes.push(label.charCodeAt(++i));
  }
  return Buffer.from(bytes);
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
