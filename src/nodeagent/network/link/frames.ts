/**
 * How two agents talk: frames on one TCP connection, which the one who dials begins with HELLO. Each stream is opened by the
 * dialling side with the packet that a node's rules let out, and answered by what became of it at the other node; after that
 * both sides may send.
 *
 *     0        1                 4                 8
 *     | type   | length          | stream          | payload of `length` bytes
 */
export const HEADER_BYTES = 8;

/** The payload of HELLO. Another version speaks another language. */
export const GREETING = 'kubette pod network 1';

export const FRAME = {
  /** First on a link, from both sides: GREETING. Stream 0. */
  hello: 1,
  /** A message: a packet, and its datagram. */
  open: 2,
  /** A message: what became of the packet, and the datagram that answers it. */
  verdict: 3,
  /** Bytes of a stream, as many as the reader has promised to keep. */
  data: 4,
  /** The sender has no more to say, and still listens. */
  end: 5,
  /** The sender is gone: it has no more to say, and does not listen. */
  close: 6,
  /** The stream is broken. */
  reset: 7,
  /** So many bytes more may be sent: four bytes. */
  window: 8,
  /** Asked of a link that has been silent: whoever is there answers with pong. Stream 0. */
  ping: 9,
  pong: 10,
  /** The sender ends the link: why, as text. Stream 0. */
  bye: 11,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** The largest datagram, a packet's line of JSON before it. */
const MAX_OPEN = 72 * 1024;
/** Traces of many rules are long. */
const MAX_VERDICT = 4 * 1024 * 1024;
/** Larger pieces would hold up other streams, smaller ones cost more than they carry. */
export const MAX_DATA = 64 * 1024;

/** The longest payload of each type, by its number; what is not here is no frame. */
export const LIMITS: readonly (number | undefined)[] = Object.entries({
  hello: 64,
  open: MAX_OPEN,
  verdict: MAX_VERDICT,
  data: MAX_DATA,
  end: 0,
  close: 0,
  reset: 0,
  window: 4,
  ping: 0,
  pong: 0,
  bye: 256,
} satisfies Record<keyof typeof FRAME, number>).reduce<(number | undefined)[]>((limits, [name, limit]) => {
  limits[FRAME[name as keyof typeof FRAME]] = limit;
  return limits;
}, []);

/** Frames of the link itself. */
export const isOfLink = (type: FrameType): boolean =>
  type === FRAME.hello || type === FRAME.ping || type === FRAME.pong || type === FRAME.bye;

/** The peer does not keep to the protocol: the link ends, and says why. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

export function frameHeader(target: Buffer, type: FrameType, length: number, stream: number): void {
  target.writeUInt32BE(type * 0x1000000 + length, 0);
  target.writeUInt32BE(stream, 4);
}

/** JSON and bytes behind it, which need not be text. */
export function encodeMessage(head: object, body?: Buffer): Buffer {
  const text = JSON.stringify(head);
  const length = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe(4 + length + (body?.length ?? 0));
  message.writeUInt32BE(length, 0);
  message.write(text, 4);
  body?.copy(message, 4 + length);
  return message;
}

/** @throws LinkError */
export function decodeMessage(message: Buffer): { head: unknown; body: Buffer } {
  const length = message.length < 4 ? 0 : message.readUInt32BE(0);
  if (length === 0 || 4 + length > message.length) throw new LinkError('a message is shorter than it says');
  try {
    return { head: JSON.parse(message.toString('utf8', 4, 4 + length)), body: message.subarray(4 + length) };
  } catch {
    throw new LinkError('a message is not JSON');
  }
}
