import { ipBytes, parseIPv4 } from '../machinery/ip.js';
import type { Edns } from './edns.js';
import { FLAG, HEADER_LENGTH, type Query } from './message.js';
import { labelBytes, labelEnd } from './names.js';
import { type Answer, CLASS_IN, OPT, RCODE, type ResourceRecord, typeNumber } from './records.js';

/**
 * Writes a response. Names are compressed only when it would not fit otherwise, or be longer than `compressOver`; records
 * that still do not fit into `limit` bytes are left out from the end, and the truncation flag says so.
 */
export type ResponseEncoder = (query: Query, answer: Answer, limit: number, compressOver?: number) => Buffer;

/** An encoder writes one response at a time, all into the same memory. */
export function createResponseEncoder(): ResponseEncoder {
  const writer = createWriter();
  return (query, answer, limit, compressOver = Infinity) => {
    const edns = answer.rcode === RCODE.BADVERS ? BARE_OPT : query.edns;
    const room = limit - optLength(edns);
    const whole = writer.sections(query, answer, false, room);
    const fits = whole.complete && writer.length() + optLength(edns) <= compressOver;
    const { counts, complete } = fits ? whole : writer.sections(query, answer, true, room);
    if (edns !== undefined) {
      writer.opt(edns, answer.rcode >> 4);
      counts[2] += 1;
    }
    return writer.finish(query.id, responseFlags(query, answer, !complete), counts);
  };
}

/** BADVERS says which version is known and nothing else. */
const BARE_OPT: Edns = { udpSize: 0, version: 0, flags: 0, options: Buffer.alloc(0), repeated: Buffer.alloc(0) };
const optLength = (edns: Edns | undefined): number => (edns === undefined ? 0 : 11 + edns.repeated.length);
/** DO and what is reserved beside it; the lower bits are cleared. */
const REPEATED_FLAGS = 0xff00;

const responseFlags = (query: Query, answer: Answer, truncated: boolean): number =>
  FLAG.QR |
  (query.opcode << 11) |
  (answer.authoritative ? FLAG.AA : 0) |
  (truncated || answer.truncated === true ? FLAG.TC : 0) |
  (query.recursionDesired ? FLAG.RD : 0) |
  (answer.recursive === true ? FLAG.RA : 0) |
  (answer.authenticData === true ? FLAG.AD : 0) |
  (query.checkingDisabled ? FLAG.CD : 0) |
  (answer.rcode & 15);

type Counts = [answers: number, authority: number, additional: number];

interface Writer {
  length(): number;
  /** Question and records, from the start; `complete` when all of them are in. */
  sections(query: Query, answer: Answer, compress: boolean, room: number): { counts: Counts; complete: boolean };
  opt(edns: Edns, extendedRcode: number): void;
  finish(id: number, flags: number, counts: Counts): Buffer;
}

/** Compression pointers reach this far. */
const MAX_POINTER = 0x3fff;

function createWriter(): Writer {
  let buffer = Buffer.alloc(4096);
  let at = 0;
  /** Where each name ending was first written, case included; undefined while nothing is compressed. */
  let offsets: Map<string, number> | undefined;

  function reserve(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.alloc(Math.max(buffer.length * 2, at + bytes));
    buffer.copy(larger);
    buffer = larger;
  }
  function u8(value: number): void {
    reserve(1);
    buffer[at++] = value;
  }
  function u16(value: number): void {
    reserve(2);
    buffer[at++] = value >> 8;
    buffer[at++] = value & 255;
  }
  function u32(value: number): void {
    u16(value >>> 16);
    u16(value & 0xffff);
  }
  function bytes(data: Uint8Array): void {
    reserve(data.length);
    buffer.set(data, at);
    at += data.length;
  }
  function name(text: string, mayPoint = true): void {
    for (let start = 0; start < text.length;) {
      if (offsets !== undefined) {
        const ending = text.slice(start);
        const known = offsets.get(ending);
        if (known === undefined) {
          if (at <= MAX_POINTER) offsets.set(ending, at);
        } else if (mayPoint) return u16(0xc000 | known);
      }
      const end = labelEnd(text, start);
      label(text, start, end);
      start = end + 1;
    }
    u8(0);
  }
  function label(text: string, start: number, end: number): void {
    reserve(256);
    const lengthAt = at++;
    for (let i = start; i < end; i++) {
      const c = text.charCodeAt(i);
      if (c === BACKSLASH) {
        at = lengthAt + 1;
        bytes(labelBytes(text.slice(start, end)));
        break;
      }
      buffer[at++] = c;
    }
    const length = at - lengthAt - 1;
    if (length === 0 || length > 63) throw new RangeError(`${JSON.stringify(text)} is no domain name`);
    buffer[lengthAt] = length;
  }

  function data(record: ResourceRecord): void {
    switch (record.type) {
      case 'A':
        return u32(parseIPv4(record.address) ?? 0);
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
      case 'MX':
        u16(record.preference);
        return name(record.target);
      case 'SOA':
        name(record.primary);
        name(record.mailbox);
        return [record.serial, record.refresh, record.retry, record.expire, record.minimum].forEach(u32);
      case 'OTHER':
        return bytes(record.data);
      default:
        return record satisfies never;
    }
  }
  function write(record: ResourceRecord): void {
    name(record.name);
    u16(typeNumber(record));
    u16(record.class ?? CLASS_IN);
    u32(record.ttl);
    const lengthAt = at;
    u16(0);
    data(record);
    buffer.writeUInt16BE(at - lengthAt - 2, lengthAt);
  }

  return {
    length: () => at,
    sections(query, answer, compress, room) {
      at = HEADER_LENGTH;
      offsets = undefined;
      bytes(query.question);
      if (compress) {
        const known = (offsets = new Map<string, number>());
        let offset = HEADER_LENGTH;
        for (let start = 0; start < query.name.length;) {
          known.set(query.name.slice(start), offset);
          const end = labelEnd(query.name, start);
          offset += 1 + (buffer[offset] ?? 0);
          start = end + 1;
        }
      }
      const counts: Counts = [0, 0, 0];
      const sections = [answer.answers, answer.authority, answer.additional] as const;
      for (const section of [0, 1, 2] as const)
        for (const record of sections[section]) {
          const before = at;
          write(record);
          if (at > room) {
            at = before;
            return { counts, complete: false };
          }
          counts[section]++;
        }
      return { counts, complete: true };
    },
    opt(edns, extendedRcode) {
      u8(0);
      u16(OPT);
      u16(edns.udpSize);
      u8(extendedRcode);
      u8(0);
      u16(edns.flags & REPEATED_FLAGS);
      u16(edns.repeated.length);
      bytes(edns.repeated);
    },
    finish(id, flags, counts) {
      buffer.writeUInt16BE(id, 0);
      buffer.writeUInt16BE(flags, 2);
      buffer.writeUInt16BE(1, 4);
      counts.forEach((count, section) => buffer.writeUInt16BE(count, 6 + 2 * section));
      return Buffer.from(buffer.subarray(0, at));
    },
  };
}

const BACKSLASH = 92;
