import type { RequestListener, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Http2Server } from 'node:http2';
import type { Duplex } from 'node:stream';
import { createHttpServer } from './http-server.js';
import { createGrpcHealthServer } from './grpc-health-server.js';
import { selfSigned } from './self-signed.js';

/** Takes connections of clients that may speak HTTP, HTTPS or gRPC: the first bytes tell. */
export interface AnyProtocolServer {
  accept(stream: Duplex): void;
  close(): void;
}

const TLS_HANDSHAKE = 0x16;
const HTTP2_PREFACE = 'PRI * HTTP/2.0';

/**
 * A server for a program of which nothing is known but who asks it: plain HTTP and HTTPS (self-signed) go to `handler`,
 * gRPC's health check says SERVING. The TLS and HTTP/2 servers are made when first needed.
 */
export function createAnyProtocolServer(handler: RequestListener, hostname: string, now: number): AnyProtocolServer {
  const plain: Server = createHttpServer(handler);
  const open = new Set<Duplex>();
  let secure: Promise<SecureServer> | undefined;
  let grpc: Http2Server | undefined;

  const secureServer = async (): Promise<SecureServer> => {
    const { createServer } = await import('node:https');
    const server = createServer(selfSigned(hostname, now), handler);
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  };
  const grpcServer = (): Http2Server => {
    const server = createGrpcHealthServer(() => 'SERVING');
    server.on('sessionError', () => undefined);
    return server;
  };

  const hand = async (stream: Duplex, first: Buffer): Promise<void> => {
    if (first[0] === TLS_HANDSHAKE) (await (secure ??= secureServer())).emit('connection', stream);
    else if (HTTP2_PREFACE.startsWith(first.toString('latin1', 0, HTTP2_PREFACE.length)) && first.length > 2)
      (grpc ??= grpcServer()).emit('connection', stream);
    else plain.emit('connection', stream);
  };

  return {
    accept(stream) {
      open.add(stream);
      stream.on('error', () => stream.destroy());
      stream.once('close', () => open.delete(stream));
      const peek = (): void => {
        const first = stream.read() as Buffer | null;
        if (first === null) {
          if (!stream.readableEnded && !stream.destroyed) stream.once('readable', peek);
          else stream.destroy();
          return;
        }
        stream.unshift(first);
        hand(stream, first).catch(() => stream.destroy());
      };
      stream.once('readable', peek);
    },
    close() {
      for (const stream of open) stream.destroy();
      plain.closeAllConnections();
    },
  };
}
