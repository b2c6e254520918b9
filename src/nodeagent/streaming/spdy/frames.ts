import { createInflate, type Inflate } from 'node:zlib';
import { HEADER_DICTIONARY } from './dictionary.js';

/** SPDY/3.1 framing (draft-mbelshe-httpbis-spdy-00), as far as remote command and port forwarding use it. */
export type Frame =
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'syn-stream'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'rst-stream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway' }
  /** SETTINGS, HEADERS, WINDOW_UPDATE, SYN_REPLY: nothing here depends on them (spdystream ignores windows too). */
  | { readonly type: 'other' };

export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

const VERSION = 3;
const TYPE = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goaway: 7 } as const;
const FLAG_FIN = 0x01;
const HEAD_BYTES = 8;
/** A peer that announces more than this is not speaking SPDY; clients send some 32 KiB at a time. */
const MAX_FRAME_BYTES = 1 << 20;
/** Streams of a command have three short headers. */
const MAX_CONTROL_BYTES = 16 << 10;
/** What the headers of one stream may come to, inflated. */
const MAX_HEADER_BYTES = 16 << 10;
/** Pairs are cheap to write and not to keep. */
const MAX_HEADERS = 64;

/** Cuts a byte stream into frames, copying no byte more than twice however small its pieces. @throws SpdyError */
export function createFrameReader(): (chunk: Buffer) => Frame[] {
  let pieces: Buffer[] = [];
  let size = 0;
  /** Bytes until there is something to look at. */
  let wanted = HEAD_BYTES;
  return chunk => {
    pieces.push(chunk);
    size += chunk.length;
    const frames: Frame[] = [];
    if (size < wanted) return frames;
    let pending = pieces.length === 1 ? chunk : Buffer.concat(pieces);
    wanted = HEAD_BYTES;
    while (pending.length >= HEAD_BYTES) {
      const length = pending.readUIntBE(5, 3);
      if (length > maxLength(pending)) throw new SpdyError(`frame of ${length} bytes`);
      wanted = HEAD_BYTES + length;
      if (pending.length < wanted) break;
      frames.push(parse(pending, pending.subarray(HEAD_BYTES, wanted)));
      pending = pending.subarray(wanted);
      wanted = HEAD_BYTES;
    }
    pieces = pending.length === 0 ? [] : [pending];
    size = pending.length;
    return frames;
  };
}

const isControl = (head: Buffer): boolean => (head[0] ?? 0) >= 0x80;
const maxLength = (head: Buffer): number => (isControl(head) ? MAX_CONTROL_BYTES : MAX_FRAME_BYTES);

function parse(head: Buffer, body: Buffer): Frame {
  const first = head.readUInt32BE(0);
  const fin = ((head[4] ?? 0) & FLAG_FIN) !== 0;
  if (first < 0x8000_0000) return { type: 'data', streamId: first, fin, data: body };
  if (((first >>> 16) & 0x7fff) !== VERSION) throw new SpdyError(`SPDY version ${(first >>> 16) & 0x7fff}`);
  switch (first & 0xffff) {
    case TYPE.synStream:
      if (body.length < 10) throw new SpdyError('short SYN_STREAM');
      return { type: 'syn-stream', streamId: body.readUInt32BE(0) & 0x7fff_ffff, fin, block: body.subarray(10) };
    case TYPE.rstStream:
      if (body.length < 8) throw new SpdyError('short RST_STREAM');
      return { type: 'rst-stream', streamId: body.readUInt32BE(0) & 0x7fff_ffff, status: body.readUInt32BE(4) };
    case TYPE.ping:
      if (body.length < 4) throw new SpdyError('short PING');
      return { type: 'ping', id: body.readUInt32BE(0) };
    case TYPE.goaway:
      return { type: 'goaway' };
    default:
      return { type: 'other' };
  }
}

const control = (type: number, flags: number, body: Buffer): Buffer => {
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(0x8000_0000 + (VERSION << 16) + type);
  frame.writeUInt32BE(((flags << 24) >>> 0) + body.length, 4);
  body.copy(frame, 8);
  return frame;
};
const words = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
};

export const synReply = (streamId: number, block: Buffer): Buffer =>
  control(TYPE.synReply, 0, Buffer.concat([words(streamId), block]));
export const rstStream = (streamId: number, status: number): Buffer =>
  control(TYPE.rstStream, 0, words(streamId, status));
export const ping = (id: number): Buffer => control(TYPE.ping, 0, words(id));
export const goaway = (lastStreamId: number): Buffer => control(TYPE.goaway, 0, words(lastStreamId, 0));

export function dataFrame(streamId: number, data: Buffer, fin: boolean): Buffer {
  const head = words(streamId, (fin ? FLAG_FIN << 24 : 0) + data.length);
  return Buffer.concat([head, data]);
}

/** Reads the header blocks of one connection, in order: they share one compression context. */
export interface HeaderReader {
  read(block: Buffer): Promise<Map<string, string>>;
  close(): void;
}

export function createHeaderReader(): HeaderReader {
  const inflate: Inflate = createInflate({ dictionary: HEADER_DICTIONARY });
  let text: Buffer[] = [];
  let size = 0;
  let failed: (error: Error) => void = () => undefined;
  const drain = (): void => {
    for (let piece = inflate.read() as Buffer | null; piece !== null; piece = inflate.read() as Buffer | null) {
      size += piece.length;
      // A few bytes may stand for gigabytes.
      if (size > MAX_HEADER_BYTES) return void inflate.destroy(new SpdyError('headers of a stream are too long'));
      text.push(piece);
    }
  };
  inflate.on('readable', drain);
  inflate.on('error', error => failed(error));
  inflate.on('close', () => failed(new SpdyError('the connection is closed')));
  return {
    read: block =>
      new Promise((resolve, reject) => {
        failed = reject;
        if (inflate.destroyed) return reject(new SpdyError('the connection is closed'));
        // Each block ends in a sync flush, so that all its text is there once it has been written.
        inflate.write(block, () => {
          drain();
          if (inflate.destroyed) return;
          const whole = Buffer.concat(text);
          text = [];
          size = 0;
          try {
            resolve(parseHeaders(whole));
          } catch (error) {
            reject(new SpdyError((error as Error).message, { cause: error }));
          }
        });
      }),
    close: () => inflate.destroy(),
  };
}

function parseHeaders(text: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  const number = (): number => {
    if (at + 4 > text.length) throw new SpdyError('short header block');
    const value = text.readUInt32BE(at);
    at += 4;
    return value;
  };
  const string = (): string => {
    const length = number();
    if (length > MAX_HEADER_BYTES || at + length > text.length) throw new SpdyError('short header block');
    at += length;
    return text.toString('utf8', at - length, at);
  };
  const all = number();
  if (all > MAX_HEADERS) throw new SpdyError(`${all} headers`);
  for (let count = all; count > 0; count--) {
    const name = string();
    headers.set(name.toLowerCase(), string());
  }
  return headers;
}

/**
 * What a zlib sync flush ends with. Go's inflate hands out what it has read when it sees it; without, it looks for more
 * and takes the end of the frame for the end of the stream.
 */
const EMPTY_STORED_BLOCK = Buffer.of(0, 0, 0, 0xff, 0xff);

/**
 * Writes header blocks without compressing: a zlib stream may consist of stored blocks, which need no shared state.
 */
export function createHeaderWriter(): (headers: ReadonlyMap<string, string>) => Buffer {
  let first = true;
  return headers => {
    const parts = [words(headers.size)];
    for (const [name, value] of headers) {
      const [n, v] = [Buffer.from(name), Buffer.from(value)];
      parts.push(words(n.length), n, words(v.length), v);
    }
    const data = Buffer.concat(parts);
    const head = Buffer.alloc(5);
    head.writeUInt16LE(data.length, 1);
    head.writeUInt16LE(~data.length & 0xffff, 3);
    const block = Buffer.concat([first ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0), head, data, EMPTY_STORED_BLOCK]);
    first = false;
    return block;
  };
}
