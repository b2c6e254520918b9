import type { Socket } from 'node:net';
import type { Clock } from '../machinery/clock.js';

export interface TcpConnectionOptions {
  readonly clock: Clock;
  /** Undefined: the message deserves no answer. */
  readonly respond: (message: Buffer, address: string) => Response;
}

export type Response = Buffer | undefined | Promise<Buffer | undefined>;

export interface TcpConnections {
  readonly accept: (socket: Socket) => void;
  close(): void;
}

export const MAX_MESSAGE = 65_535;
/** From one message to the end of the next (CoreDNS: 10 s between messages); bytes that trickle in do not prolong it. */
export const MESSAGE_DEADLINE_MS = 10_000;
/** With one more, the connection that has waited longest for its client is hung up on. */
export const MAX_CONNECTIONS = 512;
/** Answers that wait for the client; no more is read from one that does not take them. */
const MAX_UNSENT = 4 * MAX_MESSAGE;
/** Messages answered in a row, before other clients have their turn. */
const BATCH = 32;

/** DNS over TCP: messages with their length before them (RFC 1035 4.2.2), answered in order. */
export function createTcpConnections({ clock, respond }: TcpConnectionOptions): TcpConnections {
  /** By when they were last answered, the longest ago first. */
  const waiting = new Set<Socket>();

  function accept(socket: Socket): void {
    const [oldest] = waiting.size >= MAX_CONNECTIONS ? waiting : [];
    if (oldest !== undefined) {
      waiting.delete(oldest);
      oldest.destroy();
    }
    waiting.add(socket);
    const address = socket.remoteAddress ?? '';
    const inbox = createInbox();
    let cancelDeadline = clock.after(MESSAGE_DEADLINE_MS, () => socket.destroy());
    const restartDeadline = (): void => {
      cancelDeadline();
      cancelDeadline = clock.after(MESSAGE_DEADLINE_MS, () => socket.destroy());
    };
    let busy = false;
    let ended = false;

    const work = (): void => {
      busy = false;
      if (socket.destroyed) return;
      for (let count = 0; count < BATCH; count++) {
        if (socket.writableLength > MAX_UNSENT) return pauseUntil('drain');
        const message = inbox.take();
        if (message === undefined) {
          if (ended) socket.end();
          else socket.resume();
          return;
        }
        const response = respond(message, address);
        if (response instanceof Promise) return waitFor(response);
        send(response);
      }
      pauseUntil('turn');
    };
    const send = (response: Buffer | undefined): void => {
      if (response === undefined || socket.destroyed) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(response.length);
      socket.write(Buffer.concat([length, response]));
      restartDeadline();
      waiting.delete(socket);
      waiting.add(socket);
    };
    const waitFor = (response: Promise<Buffer | undefined>): void => {
      busy = true;
      socket.pause();
      void response.then(late => {
        send(late);
        work();
      });
    };
    const pauseUntil = (what: 'drain' | 'turn'): void => {
      busy = true;
      socket.pause();
      if (what === 'drain') socket.once('drain', work);
      else setImmediate(work);
    };

    socket.on('close', () => {
      cancelDeadline();
      waiting.delete(socket);
      inbox.clear();
    });
    // A client may vanish at any time; the close handler cleans up.
    socket.on('error', () => socket.destroy());
    socket.on('end', () => {
      ended = true;
      if (!busy) work();
    });
    socket.on('data', chunk => {
      inbox.put(chunk);
      if (!busy) work();
    });
  }

  return {
    accept,
    close() {
      for (const socket of waiting) socket.destroy();
    },
  };
}

/** Bytes that have come, cut into messages. Each byte is copied once, however small the pieces in which it comes. */
function createInbox() {
  let chunks: Buffer[] = [];
  let length = 0;
  /** Where the next message starts in the first chunk. */
  let offset = 0;
  const join = (): Buffer => {
    const [only] = chunks;
    if (chunks.length === 1 && only !== undefined) return only;
    const rest = Buffer.concat(chunks).subarray(offset);
    chunks = [rest];
    length = rest.length;
    offset = 0;
    return rest;
  };
  /** Of the message that has begun; undefined until its two bytes are there. */
  let expected: number | undefined;
  return {
    put(chunk: Buffer): void {
      chunks.push(chunk);
      length += chunk.length;
    },
    take(): Buffer | undefined {
      if (expected === undefined) {
        if (length - offset < 2) return undefined;
        expected = join().readUInt16BE(offset);
      }
      if (length - offset < 2 + expected) return undefined;
      const all = join();
      const end = offset + 2 + expected;
      const message = all.subarray(offset + 2, end);
      expected = undefined;
      offset = end;
      if (offset === length) {
        chunks = [];
        length = offset = 0;
      }
      return message;
    },
    clear(): void {
      chunks = [];
      length = offset = 0;
    },
  };
}
