import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Clock } from '../../machinery/clock.js';
import { watchIdle, type Idle } from './idle.js';
import type { Door, Proxy } from './proxy.js';

/** A connection that knows who is at its other end. */
export interface ClientStream extends Duplex {
  readonly remoteAddress?: string | undefined;
}

export interface OpenDoor {
  /** A client's connection. */
  take(stream: ClientStream): void;
  close(): void;
}

export interface DoorOptions {
  readonly door: Door;
  readonly proxy: Proxy;
  readonly clock: Clock;
  /** Of a server that a client names; undefined: it names none. HTTPS only. */
  readonly contextOf?: (name: string | undefined) => SecureContext;
}

const SERVER: ServerOptions = {
  // Two readings of one request are two requests to somebody: who writes it unclearly is refused.
  insecureHTTPParser: false,
  requireHostHeader: true,
  maxHeaderSize: 16 * 1024,
};
const MAX_REQUESTS = 1000;
/** As nginx waits for a head, for the next piece of a body, and for the next request. */
const IDLE_MS = 75_000;
const MAX_LISTENERS = 30;
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** A port on which clients are taken in. */
export function openDoor({ door, proxy, clock, contextOf }: DoorOptions): OpenDoor {
  const server = createServer(SERVER);
  const open = new Set<Duplex>();
  /** By the connection as the server has it. */
  const clients = new WeakMap<Duplex, { readonly address: string; idle: Idle }>();
  const waiting = (socket: Duplex): Idle => watchIdle(clock, IDLE_MS, () => socket.destroy());
  /** A server that does not listen itself looks after nobody's patience: between requests this does, within one the way to the backend. */
  const begin = (socket: Duplex): string => {
    const client = clients.get(socket);
    client?.idle.end();
    return client?.address ?? '';
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const address = begin(socket);
    response.once('close', () => {
      const client = clients.get(socket);
      if (client !== undefined && !socket.destroyed) client.idle = waiting(socket);
    });
    proxy.handle(request, response, { ...door, client: address });
  };
  server.maxRequestsPerSocket = MAX_REQUESTS;
  server.keepAliveTimeout = 0;
  server.on('request', handle);
  // Whether it is told to go on is for the way it takes to say: one that takes less refuses it before it is sent.
  server.on('checkContinue', handle);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    proxy.upgrade(request, socket, head, { ...door, client: begin(socket) });
  });
  server.on('clientError', (_error, socket) => {
    // Who fails at TLS could not read it.
    if (contextOf === undefined && socket.writable) socket.end(BAD_REQUEST);
    else socket.destroy();
  });
  const secured = (stream: Duplex, context: NonNullable<typeof contextOf>): Duplex =>
    new TLSSocket(stream, {
      isServer: true,
      secureContext: context(undefined),
      SNICallback: (name, done) => done(null, context(name)),
    });
  return {
    take(stream) {
      open.add(stream);
      const socket = contextOf === undefined ? stream : secured(stream, contextOf);
      // A server, a request, its answer and their pipes listen to it.
      for (const each of [stream, socket]) each.setMaxListeners(MAX_LISTENERS);
      clients.set(socket, { address: stream.remoteAddress ?? '', idle: waiting(socket) });
      stream.on('error', () => stream.destroy());
      stream.once('close', () => {
        open.delete(stream);
        begin(socket);
        socket.destroy();
      });
      server.emit('connection', socket);
    },
    close() {
      for (const stream of open) stream.destroy();
    },
  };
}
