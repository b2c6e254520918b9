import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../machinery/clock.js';
import { watchIdle, type Idle } from './idle.js';
import type { Door, Proxy } from './proxy.js';

export interface OpenDoor {
  /** A client's connection. */
  take(stream: Duplex): void;
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
const HANDSHAKE_MS = 20_000;

/** A port on which clients are taken in. */
export async function openDoor({ door, proxy, clock, contextOf }: DoorOptions): Promise<OpenDoor> {
  const server: Server =
    contextOf === undefined
      ? createServer(SERVER)
      : ((await import('node:https')).createServer({
          ...SERVER,
          SNICallback: (name, done) => done(null, contextOf(name)),
          ALPNProtocols: ['http/1.1'],
          minVersion: 'TLSv1.2',
          handshakeTimeout: HANDSHAKE_MS,
        }));
  const open = new Set<Duplex>();
  const waits = new WeakMap<Duplex, Idle>();
  /** A server that does not listen itself looks after nobody's patience: between requests this does, within one the way to the backend. */
  const wait = (socket: Duplex): void => {
    if (socket.destroyed) return;
    waits.set(
      socket,
      watchIdle(clock, IDLE_MS, () => socket.destroy()),
    );
  };
  const begin = (request: IncomingMessage): void => waits.get(request.socket)?.end();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    begin(request);
    response.once('close', () => wait(request.socket));
    proxy.handle(request, response, door);
  };
  server.maxRequestsPerSocket = MAX_REQUESTS;
  server.keepAliveTimeout = 0;
  server.on(contextOf === undefined ? 'connection' : 'secureConnection', (socket: Duplex) => {
    wait(socket);
    socket.once('close', () => waits.get(socket)?.end());
  });
  server.on('request', handle);
  // Whether it is told to go on is for the way it takes to say: one that takes less refuses it before it is sent.
  server.on('checkContinue', handle);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    begin(request);
    proxy.upgrade(request, socket, head, door);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  server.on('tlsClientError', (_error: Error, socket: Duplex) => socket.destroy());
  return {
    take(stream) {
      open.add(stream);
      // Two servers, a request, its answer and their pipes listen to it.
      stream.setMaxListeners(MAX_LISTENERS);
      stream.on('error', () => stream.destroy());
      stream.once('close', () => open.delete(stream));
      server.emit('connection', stream);
    },
    close() {
      for (const stream of open) stream.destroy();
    },
  };
}
