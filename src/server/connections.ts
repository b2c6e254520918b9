import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../machinery/clock.js';

/** How long a client may take to shake hands, and then to send a request head (kube-apiserver's ReadHeaderTimeout). */
export const HEADERS_TIMEOUT_MS = 32_000;
/** How often Node looks for connections whose time is over. */
export const TIMEOUT_CHECK_MS = 2_000;
/** What a client gets to take its last answer, or to send the rest of a body that nobody wants. */
const LINGER_MS = 2_000;

/** Header lines of a request, names and values, in bytes. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** Request line and header lines together: what Node reads before it gives up. */
export const MAX_HEAD_BYTES = MAX_HEADER_BYTES + 64 * 1024;

const TOO_LARGE = '431 Request Header Fields Too Large';

/** Go's net/http answers to requests that are not HTTP. */
const refusal = (status: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`;

export function headersAreTooLarge({ rawHeaders }: IncomingMessage): boolean {
  let bytes = 0;
  // ": " and the end of line are four bytes of each pair. Header text is latin1: a character is a byte.
  for (const text of rawHeaders) bytes += text.length + 2;
  return bytes > MAX_HEADER_BYTES;
}

export function refuseHeaders(response: ServerResponse): void {
  response.writeHead(431, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(TOO_LARGE);
}

/** Begins to answer. */
export type Start = (raw: IncomingMessage, response: ServerResponse) => void;

export interface Connections {
  /** Told of every TCP connection, before its handshake. */
  opened(socket: Socket): void;
  /** Told of the TLS connection it becomes. */
  secured(socket: TLSSocket): void;
  /** Told of every request before anybody else is. */
  began(raw: IncomingMessage): void;
  /** Ends what no request is under way on, now and from now on: the server stops. */
  closeIdle(): void;

  /** Answers what never became a request. */
  onClientError(error: Error & { code?: string }, socket: Duplex): void;
  /** Ends a connection on which an answer has just been written for the last time. */
  close(socket: Duplex): void;
  /** Whether a request on the connection is under way. */
  isBusy(socket: Duplex): boolean;
  /**
   * Begins a request once those before it on the same connection are answered, as Go's server does: a client that sends
   * a thousand at once must not have a thousand worked on in one turn.
   */
  inTurn(raw: IncomingMessage, response: ServerResponse, start: Start): void;
}

/**
 * Node stops its parser for a request that comes while an answer is still going out, but not what TLS has decrypted
 * already: that meets a parser at rest, which is an error, and the client gets a 400 for nothing it did. Whether a
 * connection may be read is said here (`inTurn`), so Node is not to have a word in it.
 * https://github.com/nodejs/node/blob/v20.x/lib/_http_server.js (parserOnIncoming, onParserExecuteCommon)
 */
function keepParserRunning(socket: Duplex & { _paused?: boolean }): void {
  // Set a moment before, and looked at when all that has come is parsed. An accessor would make a dictionary of each socket: 3 KB.
  if (socket._paused === true) socket._paused = false;
}

/** What waits on a connection whose request is being answered. */
type Turns = (() => void)[];

/** Rules for connections: none outlives its use because a client does not close it, and none takes more than its turn. */
export function createConnections(clock: Clock): Connections {
  const turns = new WeakMap<Duplex, Turns>();
  /** Without a handshake so far, by where they come from: the two sockets of a connection do not know each other. */
  const shaking = new Map<string, Socket>();
  const open = new Set<TLSSocket>();
  let stopping = false;
  const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress ?? ''} ${remotePort ?? 0}`;
  const closing = new WeakSet<Duplex>();

  /** A client that does not close its end is cut off, or a slow one would keep its connection for ever. */
  const cutOffLater = (socket: Duplex): void => {
    closing.add(socket);
    const cancel = clock.after(LINGER_MS, () => socket.destroy(), { unref: true, work: true });
    socket.once('close', cancel);
  };

  const run = (raw: IncomingMessage, response: ServerResponse, waiting: Turns, start: Start): void => {
    const { socket } = raw;
    response.on('close', () => {
      // A body that is still coming when all is said holds up the next request.
      if (!raw.complete && !socket.destroyed) {
        const cancel = clock.after(LINGER_MS, () => raw.complete || socket.destroy(), { unref: true, work: true });
        raw.once('close', cancel);
      }
      setImmediate(next, socket, waiting);
    });
    start(raw, response);
  };
  const next = (socket: Duplex, waiting: Turns): void => {
    const start = waiting.shift();
    if (waiting.length === 0 && socket.isPaused()) socket.resume();
    if (start === undefined || socket.destroyed) {
      turns.delete(socket);
      // What has been written still goes out.
      if (stopping) (socket as TLSSocket).destroySoon();
      return;
    }
    start();
  };

  return {
    opened(socket) {
      const peer = peerOf(socket);
      shaking.set(peer, socket);
      socket.once('close', () => shaking.delete(peer));
    },
    secured(socket) {
      shaking.delete(peerOf(socket));
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    },
    began: ({ socket }) => keepParserRunning(socket),
    closeIdle() {
      stopping = true;
      for (const socket of shaking.values()) socket.destroy();
      for (const socket of open) if (!turns.has(socket)) socket.destroySoon();
    },
    onClientError(error, socket) {
      // What the client still sends is no request either; it is dropped while the answer goes out.
      if (closing.has(socket)) return;
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
      const status =
        error.code === 'HPE_HEADER_OVERFLOW'
          ? TOO_LARGE
          : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
            ? '408 Request Timeout'
            : '400 Bad Request';
      socket.end(refusal(status));
      cutOffLater(socket);
    },
    close(socket) {
      socket.end();
      cutOffLater(socket);
    },
    isBusy: socket => turns.has(socket),
    inTurn(raw, response, start) {
      const { socket } = raw;
      const known = turns.get(socket);
      if (known === undefined) {
        const waiting: Turns = [];
        turns.set(socket, waiting);
        return run(raw, response, waiting, start);
      }
      known.push(() => run(raw, response, known, start));
      // What it sends further stays in the kernel until there is room.
      socket.pause();
    },
  };
}
