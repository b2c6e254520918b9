import type { Connection } from '../connections.js';
import { BsonError, decode, encode, type Document } from './bson.js';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;
/** No answer is wanted. */
const MORE_TO_COME = 2;

export interface Message {
  readonly id: number;
  readonly document: Document;
  /** Of the protocol before OP_MSG, in which clients say hello. */
  readonly legacy: boolean;
  readonly wantsAnswer: boolean;
}

/** The next message; undefined at the end, or when it is larger than `limit`. @throws BsonError */
export async function readMessage({ reader }: Connection, limit: number): Promise<Message | undefined> {
  const head = await reader.bytes(HEADER);
  const length = head?.readInt32LE(0) ?? 0;
  if (head === undefined || length < HEADER + 5 || length > limit) return undefined;
  const body = await reader.bytes(length - HEADER);
  if (body === undefined) return undefined;
  const id = head.readInt32LE(4);
  switch (head.readInt32LE(12)) {
    case OP_MSG: {
      // The command is in a section of kind 0; documents of the other kind are what it works on.
      if (body[4] !== 0) throw new BsonError('section of a wrong kind');
      return {
        id,
        document: decode(body, 5).document,
        legacy: false,
        wantsAnswer: (body.readInt32LE(0) & MORE_TO_COME) === 0,
      };
    }
    case OP_QUERY: {
      const nameEnd = body.indexOf(0, 4);
      if (nameEnd < 0) throw new BsonError('name without an end');
      return { id, document: decode(body, nameEnd + 9).document, legacy: true, wantsAnswer: true };
    }
    case OP_REPLY:
      return { id, document: decode(body, 20).document, legacy: true, wantsAnswer: false };
    default:
      return undefined;
  }
}

function message(operation: number, id: number, answers: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(HEADER);
  [HEADER + body.length, id, answers, operation].forEach((value, i) => head.writeInt32LE(value, 4 * i));
  return Buffer.concat([head, body]);
}

export const answerTo = ({ id, legacy }: Message, document: Document): Buffer => {
  if (!legacy) return message(OP_MSG, 0, id, Buffer.alloc(5), encode(document));
  const prefix = Buffer.alloc(20);
  prefix.writeInt32LE(8, 0);
  prefix.writeInt32LE(1, 16);
  return message(OP_REPLY, 0, id, prefix, encode(document));
};

export const commandMessage = (id: number, document: Document): Buffer =>
  message(OP_MSG, id, 0, Buffer.alloc(5), encode(document));
