import { ipBytes } from '../machinery/ip.js';
import { type Answer, CLASS_IN, OPT, RCODE, type Rcode, RECORD_TYPES, type ResourceRecord } from './records.js';

/** What a query asks, with what its answer must repeat. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** As sent, case included; labels may hold any byte. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** The question section as sent, repeated byte for byte (names keep their case). */
  readonly question: Buffer;
  readonly edns: { readonly udpSize: number; readonly version: number; readonly dnssecOk: boolean } | undefined;
}

/** Not a query that can be answered; `query` is there when at least its header could be read. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  constructor(
    message: string,
    readonly rcode: Rcode,
    readonly id?: number,
  ) {
    super(message);
  }
}

const HEADER_LENGTH = 12;
/** RFC 1035: what every client can take in a datagram. */
export const MIN_UDP_SIZE = 512;

/** Throws MessageError; with `id` undefined there is nobody to answer. */
export function decodeQuery(message: Buffer): Query {
  if (message.length < HEADER_LENGTH) throw new MessageError('shorter than a header', RCODE.FORMERR);
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) throw new MessageError('a response, not a query', RCODE.FORMERR);
  const opcode = (flags >> 11) & 15;
  if (opcode !== 0) throw new MessageError(`opcode ${opcode}`, RCODE.NOTIMP, id);
  if (message.readUInt16BE(4) !== 1) throw new MessageError('not one question', RCODE.FORMERR, id);
  try {
    const name = readName(message, HEADER_LENGTH);
    const type = message.readUInt16BE(name.end);
    const recordClass = message.readUInt16BE(name.end + 2);
    return {
      id,
      opcode,
      recursionDesired: (flags & 0x0100) !== 0,
      checkingDisabled: (flags & 0x0010) !== 0,
      labels: name.labels,
      type,
      class: recordClass,
      question: Buffer.from(message.subarray(HEADER_LENGTH, name.end + 4)),
      edns: findOpt(message, name.end + 4),
    };
  } catch (error) {
    // Reading past the end is a RangeError of Buffer.
    if (error instanceof RangeError) throw new MessageError('ends too early', RCODE.FORMERR, id);
    if (error instanceof MessageError) throw new MessageError(error.message, error.rcode, id);
    throw error;
  }
}

/** The one name of a query is never compressed. */
function readName(message: Buffer, start: number): { labels: string[]; end: number } {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return { labels, end: at + 1 };
    if (length > 63 || at - start + length > 254) throw new MessageError('bad name', RCODE.FORMERR);
    if (at + 1 + length > message.length) throw new MessageError('ends too early', RCODE.FORMERR);
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
}

function findOpt(message: Buffer, start: number): Query['edns'] {
  let records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let at = start; records > 0; records--) {
    at = skipName(message, at);
    const type = message.readUInt16BE(at);
    if (type === OPT) {
      return {
        udpSize: message.readUInt16BE(at + 2),
        version: message.readUInt8(at + 5),
        dnssecOk: (message.readUInt8(at + 6) & 0x80) !== 0,
      };
    }
    at += 10 + message.readUInt16BE(at + 8);
  }
  return undefined;
}

function skipName(message: Buffer, start: number): number {
  for (let at = start; ;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}

/**
 * Writes the response, with compressed names. Records that do not fit into `limit` bytes are left out from the end, and
 * the truncation flag says so.
 */
export function encodeResponse(query: Query, answer: Answer, limit: number): Buffer {
  const writer = createWriter(query);
  const optLength = query.edns === undefined ? 0 : 11;
  const room = limit - optLength;
  const counts = [0, 0, 0];
  let truncated = false;
  [answer.answers, answer.authority, answer.additional].forEach((records, section) => {
    for (const record of records) {
      if (truncated) return;
      const before = writer.length();
      writer.record(record);
      if (writer.length() > room) {
        writer.cut(before);
        // Additional records are a service; without them the answer is still whole.
        if (section < 2) truncated = true;
        return;
      }
      counts[section] = (counts[section] ?? 0) + 1;
    }
  });
  if (query.edns !== undefined) {
    writer.opt(query.edns, answer.rcode >> 4);
    counts[2] = (counts[2] ?? 0) + 1;
  }
  const flags =
    0x8000 |
    (query.opcode << 11) |
    (answer.authoritative ? 0x0400 : 0) |
    (truncated ? 0x0200 : 0) |
    (query.recursionDesired ? 0x0100 : 0) |
    (answer.recursive === true ? 0x0080 : 0) |
    (query.checkingDisabled ? 0x0010 : 0) |
    (answer.rcode & 15);
  return writer.finish(flags, counts);
}

/** The answer to a message whose question could not be read: a header only. */
export function encodeHeaderOnly(id: number, rcode: Rcode): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8000 | rcode, 2);
  return header;
}

interface Writer {
  length(): number;
  cut(length: number): void;
  record(record: ResourceRecord): void;
  opt(edns: NonNullable<Query['edns']>, extendedRcode: number): void;
  finish(flags: number, counts: readonly number[]): Buffer;
}

/** Compression pointers reach this far. */
const MAX_POINTER = 0x3fff;

function createWriter(query: Query): Writer {
  let buffer = Buffer.alloc(1024);
  let at = HEADER_LENGTH;
  /** Where each name ending (in lower case) was first written. */
  const offsets = new Map<string, number>();

  function reserve(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.alloc(Math.max(buffer.length * 2, at + bytes));
    buffer.copy(larger);
    buffer = larger;
  }
  function u8(value: number): void {
    reserve(1);
    at = buffer.writeUInt8(value, at);
  }
  function u16(value: number): void {
    reserve(2);
    at = buffer.writeUInt16BE(value, at);
  }
  function u32(value: number): void {
    reserve(4);
    at = buffer.writeUInt32BE(value >>> 0, at);
  }
  function bytes(data: Uint8Array): void {
    reserve(data.length);
    buffer.set(data, at);
    at += data.length;
  }
  function name(text: string, compress = true): void {
    const labels = text === '' ? [] : text.split('.');
    for (let i = 0; i < labels.length; i++) {
      const ending = labels.slice(i).join('.').toLowerCase();
      const known = offsets.get(ending);
      if (compress && known !== undefined) return u16(0xc000 | known);
      if (at <= MAX_POINTER) offsets.set(ending, at);
      const label = Buffer.from(labels[i] ?? '', 'latin1').subarray(0, 63);
      u8(label.length);
      bytes(label);
    }
    u8(0);
  }

  function data(record: ResourceRecord): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        return bytes(ipBytes(record.address));
      case 'CNAME':
      case 'PTR':
      case 'NS':
        return name(record.target);
      case 'TXT': {
        const text = Buffer.from(record.text);
        u8(text.length);
        return bytes(text);
      }
      case 'SRV':
        u16(record.priority);
        u16(record.weight);
        u16(record.port);
        // RFC 2782: the target is not compressed.
        return name(record.target, false);
      case 'SOA':
        name(record.primary);
        name(record.mailbox);
        return [record.serial, record.refresh, record.retry, record.expire, record.minimum].forEach(u32);
      default:
        return record satisfies never;
    }
  }

  bytes(query.question);
  let offset = HEADER_LENGTH;
  query.labels.forEach((label, i) => {
    // A label with a dot inside must not be taken for two.
    const ending = query.labels.slice(i);
    if (!ending.some(part => part.includes('.'))) offsets.set(ending.join('.').toLowerCase(), offset);
    offset += 1 + label.length;
  });

  return {
    length: () => at,
    cut(length) {
      at = length;
      for (const [ending, position] of offsets) if (position >= length) offsets.delete(ending);
    },
    record(record) {
      name(record.name);
      u16(RECORD_TYPES[record.type]);
      u16(CLASS_IN);
      u32(record.ttl);
      const lengthAt = at;
      u16(0);
      data(record);
      buffer.writeUInt16BE(at - lengthAt - 2, lengthAt);
    },
    opt(edns, extendedRcode) {
      u8(0);
      u16(OPT);
      u16(edns.udpSize);
      u8(extendedRcode);
      u8(0);
      u16(edns.dnssecOk ? 0x8000 : 0);
      u16(0);
    },
    finish(flags, counts) {
      buffer.writeUInt16BE(query.id, 0);
      buffer.writeUInt16BE(flags, 2);
      buffer.writeUInt16BE(1, 4);
      counts.forEach((count, section) => buffer.writeUInt16BE(count, 6 + 2 * section));
      return buffer.subarray(0, at);
    },
  };
}
