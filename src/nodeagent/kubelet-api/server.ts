import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KubeletHandler } from './handler.js';

export interface ServingOptions {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Whose certificates are looked at. */
  readonly clientCa: string;
}

/** Of a request head: what the API server takes of its clients, and what it adds. */
const MAX_HEAD_BYTES = 96 * 1024;

/** A handler over TLS, for each connection the one that `handlerOf` names. The caller listens and closes. */
export function serveKubelets(
  { cert, key, clientCa }: ServingOptions,
  handlerOf: (socket: Duplex) => KubeletHandler,
): Server {
  const server = createServer(
    {
      cert,
      key,
      ca: clientCa,
      requestCert: true,
      maxHeaderSize: MAX_HEAD_BYTES,
      // Refused with 401, not with a broken handshake: /healthz is for everyone.
      rejectUnauthorized: false,
    },
    (message, response) => handlerOf(message.socket).request(message, response),
  );
  for (const event of ['upgrade', 'connect'] as const)
    server.on(event, (message: IncomingMessage, socket: Duplex, head: Buffer) =>
      handlerOf(socket)[event](message, socket, head),
    );
  return server;
}
