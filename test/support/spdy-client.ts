import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { constants, createDeflate, createInflate } from 'node:zlib';
import { HEADER_DICTIONARY } from '../../src/nodeagent/streaming/spdy/dictionary.js';
import { eventually } from './up.js';

/** What a client has seen of one stream. */
export interface ClientStream {
  readonly id: number;
  readonly chunks: Buffer[];
  replied: boolean;
  ended: boolean;
  reset: boolean;
}

/** A small SPDY/3.1 client, written from the draft and apart from the server's code. */
export interface SpdyClient {
  open(headers: Readonly<Record<string, string>>): Promise<ClientStream>;
  send(stream: ClientStream, data: string | Buffer, fin?: boolean): void;
  reset(stream: ClientStream): void;
  ping(id: number): void;
  readonly pongs: number[];
  closed(): boolean;
  readonly socket: Duplex;
}

const control = (type: number, flags: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(flags * 2 ** 24 + body.length, 4);
  return Buffer.concat([head, body]);
};
const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
};

export function spdyOver(socket: Duplex): SpdyClient {
  const deflate = createDeflate({ dictionary: HEADER_DICTIONARY, flush: constants.Z_SYNC_FLUSH });
  const inflate = createInflate({ dictionary: HEADER_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });
  const streams = new Map<number, ClientStream>();
  const pongs: number[] = [];
  let pending = Buffer.alloc(0);
  let next = 1;
  let closed = false;
  const onFrame = (frame: Buffer): void => {
    const first = frame.readUInt32BE(0);
    const fin = frame[4] === 1;
    const body = frame.subarray(8);
    if (first < 2 ** 31) {
      const stream = streams.get(first);
      if (body.length > 0) stream?.chunks.push(body);
      if (fin && stream !== undefined) stream.ended = true;
      return;
    }
    const stream = body.length >= 4 ? streams.get(body.readUInt32BE(0)) : undefined;
    switch (first & 0xffff) {
      case 2:
        // Header blocks share one compression context: reading each proves that they fit together.
        inflate.write(body.subarray(4), () => {
          const text = inflate.read() as Buffer | null;
          if (stream !== undefined && text?.readUInt32BE(0) === 0) stream.replied = true;
        });
        break;
      case 3:
        if (stream !== undefined) stream.reset = true;
        break;
      case 6:
        pongs.push(body.readUInt32BE(0));
        break;
    }
  };
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 8 && pending.length >= 8 + pending.readUIntBE(5, 3)) {
      const length = 8 + pending.readUIntBE(5, 3);
      onFrame(pending.subarray(0, length));
      pending = pending.subarray(length);
    }
  });
  const onClosed = (): void => void (closed = true);
  socket.on('end', onClosed).on('close', onClosed).on('error', onClosed);
  return {
    socket,
    pongs,
    closed: () => closed,
    async open(headers) {
      const stream: ClientStream = { id: next, chunks: [], replied: false, ended: false, reset: false };
      next += 2;
      streams.set(stream.id, stream);
      const words = Object.entries(headers).flatMap(([name, value]) => [name, value]);
      const block = [uint32(words.length / 2), ...words.flatMap(word => [uint32(word.length), Buffer.from(word)])];
      const packed = await new Promise<Buffer>(resolve => {
        deflate.write(Buffer.concat(block), () => resolve(deflate.read() as Buffer));
      });
      socket.write(control(1, 0, Buffer.concat([uint32(stream.id, 0), Buffer.alloc(2), packed])));
      await eventually('SYN_REPLY', async () => stream.replied || closed, Boolean, 5_000);
      return stream;
    },
    send(stream, data, fin = false) {
      const bytes = Buffer.from(data);
      socket.write(Buffer.concat([uint32(stream.id, (fin ? 2 ** 24 : 0) + bytes.length), bytes]));
    },
    reset: stream => void socket.write(control(3, 0, uint32(stream.id, 5))),
    ping: id => void socket.write(control(6, 0, uint32(id))),
  };
}

/** Upgrades a connection to SPDY; the answer's head tells whether the server agreed. */
export async function dialSpdy(
  port: number,
  path: string,
  protocols: readonly string[],
): Promise<{ head: string; client: SpdyClient }> {
  const socket = connectTcp(port, '127.0.0.1');
  const offers = protocols.map(protocol => `X-Stream-Protocol-Version: ${protocol}\r\n`).join('');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${offers}\r\n`);
  let head = Buffer.alloc(0);
  while (!head.includes('\r\n\r\n')) {
    const chunk = await new Promise<Buffer>((resolve, reject) => {
      socket.once('data', resolve).once('error', reject);
    });
    head = Buffer.concat([head, chunk]);
  }
  return { head: head.toString(), client: spdyOver(socket) };
}
