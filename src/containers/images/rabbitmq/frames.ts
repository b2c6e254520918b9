import type { Connection } from '../connections.js';

/** One frame of AMQP 0-9-1. */
export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

export const METHOD = 1;
export const HEARTBEAT = 8;
const END = 0xce;
export const MAX_FRAME = 131_072;

/** The next frame; undefined at the end, or when it is none. */
export async function readFrame({ reader }: Connection): Promise<Frame | undefined> {
  const head = await reader.bytes(7);
  if (head === undefined) return undefined;
  const size = head.readUInt32BE(3);
  if (size > MAX_FRAME) return undefined;
  const rest = await reader.bytes(size + 1);
  if (rest === undefined || rest[size] !== END) return undefined;
  return { type: head[0] ?? 0, channel: head.readUInt16BE(1), payload: rest.subarray(0, size) };
}

export function frame(type: number, channel: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([END])]);
}

export const short = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};
export const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const shortText = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8').subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
};
export const longText = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([long(bytes.length), bytes]);
};

/** A table of texts. */
export const table = (entries: Readonly<Record<string, string>>): Buffer => {
  const bytes = Buffer.concat(
    Object.entries(entries).flatMap(([name, value]) => [shortText(name), Buffer.from('S'), longText(value)]),
  );
  return Buffer.concat([long(bytes.length), bytes]);
};

/** A method of a class with its arguments. */
export const method = (channel: number, classId: number, methodId: number, ...args: readonly Buffer[]): Buffer =>
  frame(METHOD, channel, short(classId), short(methodId), ...args);
