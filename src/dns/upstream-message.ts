import { formatIP, type Family } from '../machinery/ip.js';
import { FLAG, HEADER_LENGTH, MessageError, OPCODE, type Query } from './message.js';
import { readName } from './names.js';
import { type Answer, OPT, RECORD_TYPES, type ResourceRecord } from './records.js';

/** The query as an upstream server gets it: with the flags, size and options of the client's. */
export function encodeUpstreamQuery(id: number, query: Query, question: Buffer): Buffer {
  const { edns } = query;
  const header = Buffer.alloc(HEADER_LENGTH);
  const flags =
    (query.recursionDesired ? FLAG.RD : 0) |
    (query.authenticData ? FLAG.AD : 0) |
    (query.checkingDisabled ? FLAG.CD : 0) |
    (OPCODE.QUERY << 11);
  [id, flags, 1, 0, 0, edns === undefined ? 0 : 1].forEach((value, i) => header.writeUInt16BE(value, 2 * i));
  if (edns === undefined) return Buffer.concat([header, question]);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(OPT, 1);
  opt.writeUInt16BE(edns.udpSize, 3);
  opt.writeUInt16BE(edns.flags, 7);
  opt.writeUInt16BE(edns.options.length, 9);
  return Buffer.concat([header, question, opt, edns.options]);
}

export interface UpstreamResponse {
  readonly id: number;
  /** In lower case. */
  readonly name: string;
  readonly type: number;
  readonly answer: Answer;
}

/** @throws MessageError */
export function decodeResponse(message: Buffer): UpstreamResponse {
  if (message.length < HEADER_LENGTH) throw new MessageError('shorter than a header');
  const flags = message.readUInt16BE(2);
  if ((flags & FLAG.QR) === 0) throw new MessageError('no response');
  if (message.readUInt16BE(4) !== 1) throw new MessageError('not one question');
  const name = readName(message, HEADER_LENGTH);
  const reader = createReader(message, name.end);
  const type = reader.u16();
  reader.u16();
  const [answers, authority, additional] = [6, 8, 10].map(at => reader.records(message.readUInt16BE(at)));
  return {
    id: message.readUInt16BE(0),
    name: name.labels.join('.').toLowerCase(),
    type,
    answer: {
      rcode: flags & 15,
      authoritative: (flags & FLAG.AA) !== 0,
      recursive: (flags & FLAG.RA) !== 0,
      authenticData: (flags & FLAG.AD) !== 0,
      truncated: (flags & FLAG.TC) !== 0,
      answers: answers ?? [],
      authority: authority ?? [],
      additional: (additional ?? []).filter(record => !(record.type === 'OTHER' && record.number === OPT)),
    },
  };
}

function createReader(message: Buffer, start: number) {
  let at = start;
  const advance = (bytes: number): number => {
    const from = at;
    if ((at += bytes) > message.length) throw new MessageError('ends too early');
    return from;
  };
  const u16 = (): number => message.readUInt16BE(advance(2));
  const u32 = (): number => message.readUInt32BE(advance(4));
  const name = (): string => {
    const { labels, end } = readName(message, at);
    at = end;
    return labels.join('.');
  };
  const address = (family: Family, length: number): string => {
    const from = advance(length);
    let value = 0n;
    for (let i = from; i < at; i++) value = (value << 8n) | BigInt(message[i] ?? 0);
    return formatIP({ family, value });
  };

  function record(): ResourceRecord {
    const owner = name();
    const number = u16();
    const recordClass = u16();
    const ttl = u32();
    const length = u16();
    const end = at + length;
    if (end > message.length) throw new MessageError('ends too early');
    const head = { name: owner, ttl, class: recordClass };
    const read = (): ResourceRecord => {
      switch (number) {
        case RECORD_TYPES.A:
          return { ...head, type: 'A', address: address('IPv4', 4) };
        case RECORD_TYPES.AAAA:
          return { ...head, type: 'AAAA', address: address('IPv6', 16) };
        case RECORD_TYPES.CNAME:
          return { ...head, type: 'CNAME', target: name() };
        case RECORD_TYPES.PTR:
          return { ...head, type: 'PTR', target: name() };
        case RECORD_TYPES.NS:
          return { ...head, type: 'NS', target: name() };
        case RECORD_TYPES.MX:
          return { ...head, type: 'MX', preference: u16(), target: name() };
        case RECORD_TYPES.SRV:
          return { ...head, type: 'SRV', priority: u16(), weight: u16(), port: u16(), target: name() };
        case RECORD_TYPES.SOA: {
          const [primary, mailbox] = [name(), name()];
          const [serial, refresh, retry, expire, minimum] = [u32(), u32(), u32(), u32(), u32()] as const;
          return { ...head, type: 'SOA', primary, mailbox, serial, refresh, retry, expire, minimum };
        }
        default:
          advance(length);
          // Newer types hold no compressed names (RFC 3597).
          return { ...head, type: 'OTHER', number, data: Buffer.from(message.subarray(end - length, end)) };
      }
    };
    const result = read();
    if (at !== end) throw new MessageError('a record of another length than it says');
    return result;
  }

  return {
    u16,
    records(count: number): ResourceRecord[] {
      const records: ResourceRecord[] = [];
      while (records.length < count) records.push(record());
      return records;
    },
  };
}
