import { Duplex } from 'node:stream';
import { drained } from '../../../machinery/drained.js';
import {
  createFrameReader,
  createHeaderReader,
  createHeaderWriter,
  dataFrame,
  goaway,
  ping,
  rstStream,
  SpdyError,
  synReply,
} from './frames.js';

/** One stream that the client opened. Ending it half-closes; destroying it resets it. */
export interface SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: ReadonlyMap<string, string>;
}

export interface SpdyConnection {
  /** Ends every stream and the connection. */
  close(): void;
}

const STATUS_CANCEL = 5;
/** A command has five streams and a forwarded port two per connection; nobody opens this many. */
const MAX_STREAMS = 1024;
/** Small enough that streams sharing the connection take turns. */
const MAX_DATA = 32 << 10;

/**
 * The server side of SPDY/3.1 over any byte stream. `onStream` is called for every stream the client opens, after it
 * has been accepted; `onClose` once, with the error if there was one.
 */
export function serveSpdy(
  socket: Duplex,
  onStream: (stream: SpdyStream) => void,
  onClose: (error?: Error) => void,
): SpdyConnection {
  const streams = new Map<number, { stream: SpdyStream; push: (chunk: Buffer | null) => boolean }>();
  const readFrames = createFrameReader();
  const headers = createHeaderReader();
  const writeHeaders = createHeaderWriter();
  let last = 0;
  let closed = false;
  let hungry: () => void = () => undefined;

  const send = (frame: Buffer, done?: (error?: Error | null) => void): void => {
    if (closed || socket.destroyed || socket.writableEnded) return done?.(new SpdyError('the connection is closed'));
    socket.write(frame, done);
  };

  const open = (id: number, head: ReadonlyMap<string, string>, fin: boolean): void => {
    const stream = Object.assign(
      new Duplex({
        read: () => hungry(),
        write(chunk: Buffer, _encoding, done) {
          for (let at = 0; at < chunk.length; at += MAX_DATA) {
            const part = chunk.subarray(at, at + MAX_DATA);
            send(dataFrame(id, part, false), at + MAX_DATA >= chunk.length ? done : undefined);
          }
          if (chunk.length === 0) done();
        },
        final(done) {
          send(dataFrame(id, Buffer.alloc(0), true), done);
        },
        destroy(error, done) {
          if (streams.delete(id) && error !== null) send(rstStream(id, STATUS_CANCEL));
          done(null);
        },
      }),
      { id, headers: head },
    );
    streams.set(id, { stream, push: chunk => stream.push(chunk) });
    last = Math.max(last, id);
    send(synReply(id, writeHeaders(new Map())));
    if (fin) stream.push(null);
    onStream(stream);
  };

  const readAgain = (stream: Duplex): Promise<void> =>
    new Promise(resolve => {
      const done = (): void => {
        hungry = () => undefined;
        stream.off('close', done);
        socket.off('close', done);
        resolve();
      };
      hungry = done;
      stream.once('close', done);
      socket.once('close', done);
      if (stream.destroyed || socket.destroyed) done();
    });

  const finish = (error?: Error): void => {
    if (closed) return;
    closed = true;
    headers.close();
    for (const { stream } of streams.values()) {
      stream.push(null);
      stream.destroy();
    }
    streams.clear();
    onClose(error);
  };

  const run = async (): Promise<void> => {
    for await (const chunk of socket) {
      for (const frame of readFrames(chunk as Buffer)) {
        switch (frame.type) {
          case 'syn-stream':
            if (streams.size >= MAX_STREAMS) throw new SpdyError('too many streams');
            if (frame.streamId <= last) throw new SpdyError(`stream ${frame.streamId} is not new`);
            open(frame.streamId, await headers.read(frame.block), frame.fin);
            break;
          case 'data': {
            const found = streams.get(frame.streamId);
            // Nothing more is taken from the connection until what came has been read, or nobody will read it.
            if (frame.data.length > 0 && found?.push(frame.data) === false) await readAgain(found.stream);
            if (frame.fin) found?.push(null);
            break;
          }
          case 'rst-stream':
            streams.get(frame.streamId)?.stream.destroy();
            break;
          case 'ping':
            send(ping(frame.id));
            await drained(socket);
            break;
          case 'goaway':
          case 'other':
            break;
        }
      }
    }
  };
  run().then(
    () => finish(),
    (error: unknown) => finish(error as Error),
  );
  return {
    close() {
      // Streams that have been ended may still have something to write, and then their end.
      const ending = [...streams.values()].filter(({ stream }) => stream.writableEnded && !stream.writableFinished);
      const finished = ending.map(
        ({ stream }) => new Promise<void>(resolve => stream.once('finish', resolve).once('close', resolve)),
      );
      void Promise.all(finished).then(() => {
        send(goaway(last));
        socket.end();
      });
    },
  };
}
