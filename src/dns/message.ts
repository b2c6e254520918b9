import { readEdns, type Edns } from './edns.js';
import { MessageError, NoQuestionError } from './message-error.js';
import { labelBytes, readName, type WireName } from './names.js';
import { OPT, RCODE, type Rcode, RECORD_TYPES } from './records.js';

export { MessageError, NoQuestionError } from './message-error.js';

/** What a query asks, with what its answer must repeat. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
  /** As sent, case included, in presentation form without the final dot. */
  readonly name: string;
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** The question section, repeated byte for byte (names keep their case). */
  readonly question: Buffer;
  readonly edns: Edns | undefined;
}

export const HEADER_LENGTH = 12;
/** RFC 1035: what every client can take in a datagram. */
export const MIN_UDP_SIZE = 512;

export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010 } as const;
/** What a refusal repeats of the query's flags. */
const REPEATED_FLAGS = FLAG.TC | FLAG.RD | FLAG.RA | FLAG.AD | FLAG.CD;
export const OPCODE = { QUERY: 0, NOTIFY: 4 } as const;

/** Accepts and refuses what miekg/dns does, CoreDNS's library. @throws MessageError */
export function decodeQuery(message: Buffer): Query {
  if (message.length < HEADER_LENGTH) throw new MessageError('shorter than a header');
  const flags = message.readUInt16BE(2);
  if ((flags & FLAG.QR) !== 0) throw new MessageError('a response, not a query');
  const opcode = (flags >> 11) & 15;
  if (opcode !== OPCODE.QUERY && opcode !== OPCODE.NOTIFY)
    throw new MessageError(`opcode ${opcode}`, refusal(message, RCODE.NOTIMP, opcode));
  const [questions, answers, authority, additional] = [4, 6, 8, 10].map(at => message.readUInt16BE(at));
  if (questions !== 1 || (answers ?? 0) > 1 || (authority ?? 0) > 1 || (additional ?? 0) > 2)
    throw new MessageError('not a question', refusal(message, RCODE.FORMERR));
  // The one question is missing: CoreDNS takes this for a fault of its own.
  if (message.length === HEADER_LENGTH) throw new NoQuestionError('no question', noQuestion(message));
  let question: Buffer | undefined;
  try {
    const name = readName(message, HEADER_LENGTH);
    // A message that ends after its name, or its type, asks for type, or class, 0.
    const [type, typeEnd] = numberAt(message, name.end);
    const [recordClass, end] = numberAt(message, typeEnd);
    question = questionBytes(message, name, type, recordClass);
    return {
      id: message.readUInt16BE(0),
      opcode,
      recursionDesired: opcode === OPCODE.QUERY && (flags & FLAG.RD) !== 0,
      checkingDisabled: opcode === OPCODE.QUERY && (flags & FLAG.CD) !== 0,
      authenticData: (flags & FLAG.AD) !== 0,
      name: name.labels.join('.'),
      labels: name.labels,
      type,
      class: recordClass,
      question,
      edns: findOpt(message, end, [(answers ?? 0) + (authority ?? 0), additional ?? 0]),
    };
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new MessageError(error.message, refusal(message, RCODE.FORMERR, OPCODE.QUERY, question));
  }
}

/** @throws MessageError when there is half of it */
function numberAt(message: Buffer, at: number): readonly [number: number, end: number] {
  if (at === message.length) return [0, at];
  if (at + 2 > message.length) throw new MessageError('ends too early');
  return [message.readUInt16BE(at), at + 2];
}

function questionBytes(message: Buffer, name: WireName, type: number, recordClass: number): Buffer {
  if (!name.compressed && name.end + 4 <= message.length)
    return Buffer.from(message.subarray(HEADER_LENGTH, name.end + 4));
  return encodeQuestion({ labels: name.labels, type, class: recordClass });
}

export function encodeQuestion({ labels, type, class: ofClass }: Pick<Query, 'labels' | 'type' | 'class'>): Buffer {
  const tail = Buffer.alloc(5);
  tail.writeUInt16BE(type, 1);
  tail.writeUInt16BE(ofClass, 3);
  return Buffer.concat([...labels.map(labelBytes).flatMap(label => [Buffer.from([label.length]), label]), tail]);
}

/** The last OPT record of the additional section. @throws MessageError */
function findOpt(message: Buffer, start: number, [before, additional]: readonly [number, number]): Edns | undefined {
  let at = start;
  let found: Edns | undefined;
  for (let i = 0; i < before + additional && at < message.length; i++) {
    const { end, type, data } = recordAt(message, at);
    if (type === OPT && i >= before) found = readEdns(message, data, end);
    at = end;
  }
  return found;
}

const ADDRESS_LENGTHS = new Map([
  [RECORD_TYPES.A, 4],
  [RECORD_TYPES.AAAA, 16],
]);

/** @throws MessageError */
function recordAt(message: Buffer, start: number): { type: number; data: number; end: number } {
  const name = readName(message, start);
  const data = name.end + 10;
  if (data > message.length) throw new MessageError('ends too early');
  const type = message.readUInt16BE(name.end);
  const length = message.readUInt16BE(data - 2);
  const end = data + length;
  if (end > message.length) throw new MessageError('ends too early');
  const wanted = ADDRESS_LENGTHS.get(type);
  if (wanted !== undefined && length !== 0 && length !== wanted) throw new MessageError('an address of another length');
  return { type, data, end };
}

/** A header that refuses, with the question when it could be read. */
function refusal(message: Buffer, rcode: Rcode, opcode = 0, question?: Buffer): Buffer {
  const flags = message.readUInt16BE(2) & REPEATED_FLAGS;
  return header(message.readUInt16BE(0), flags | FLAG.QR | (opcode << 11) | rcode, question);
}

function noQuestion(message: Buffer): Buffer {
  const flags = message.readUInt16BE(2);
  const opcode = (flags >> 11) & 15;
  const repeated = opcode === OPCODE.QUERY ? flags & (FLAG.RD | FLAG.CD) : 0;
  return header(message.readUInt16BE(0), FLAG.QR | (opcode << 11) | repeated | RCODE.SERVFAIL);
}

function header(id: number, flags: number, question: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH + question.length);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
  question.copy(bytes, HEADER_LENGTH);
  return bytes;
}

/** The answer when answering failed. */
export const encodeFailure = (query: Query): Buffer =>
  header(
    query.id,
    FLAG.QR |
      (query.opcode << 11) |
      (query.recursionDesired ? FLAG.RD : 0) |
      (query.checkingDisabled ? FLAG.CD : 0) |
      RCODE.SERVFAIL,
    query.question,
  );
