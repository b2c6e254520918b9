import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import fastifyWebsocket from '@fastify/websocket';
import Fastify, { type FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import type { Clock } from '../machinery/clock.js';
import {
  createConnections,
  headersAreTooLarge,
  HEADERS_TIMEOUT_MS,
  MAX_HEAD_BYTES,
  refuseHeaders,
  TIMEOUT_CHECK_MS,
} from './connections.js';
import { fewPerTurn } from './few-per-turn.js';
import type { ApiContext } from './pipeline/context.js';
import type { IncomingRequest } from './pipeline/exchange.js';
import { serve } from './pipeline/serve.js';

export interface HttpServerOptions {
  readonly clock: Clock;
  /** PEM. `ca`: client certificates signed by it are offered to the authenticators. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
}

export interface HttpServer {
  readonly app: FastifyInstance<Server>;
  acceptWebSocket(request: IncomingRequest): Promise<WebSocket>;
  /** See ApiServer. */
  accept(connection: Duplex, certificate: X509Certificate): void;
  /** Stops accepting, and ends connections on which nothing is under way. */
  stopListening(): void;
  /** The same, lets what is under way finish for a moment, then cuts what is left. */
  close(): Promise<void>;
}

const IDLE_TIMEOUT_MS = 90_000;

/** What a stopping server gives its last answers. */
const CLOSE_GRACE_MS = 1_000;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

/** Bytes of the head of an upgrade request; Fastify's plugin keeps them to itself. */
const upgradeHeads = new WeakMap<IncomingMessage, Buffer>();

const noSchemas = (): never => {
  throw new Error('routes of the API server have no schemas');
};

/** Protocols that a request may switch to; any other Upgrade header is not heard. */
const upgradeProtocol = (raw: IncomingMessage): boolean =>
  /^(?:websocket|spdy\/3\.1)$/i.test((raw.headers.upgrade ?? '').trim());

/** Handshakes and requests that are begun in one turn of the event loop: each takes up to a millisecond. */
const HANDSHAKES_AT_ONCE = 4;
const REQUESTS_AT_ONCE = 8;

/** What waits is not read from: the server is one with `pauseOnConnect`. */
function shakeHandsInTurns(server: Server): void {
  const begin = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const inTurn = fewPerTurn(HANDSHAKES_AT_ONCE);
  server.on('connection', (socket: Socket) =>
    inTurn(() => {
      if (!socket.destroyed) for (const listener of begin) listener.call(server, socket);
    }),
  );
}

/** What TLS says of a client, where there was none between. */
function asSecured(connection: Duplex, certificate: X509Certificate): Duplex {
  const shown = certificate.toLegacyObject();
  return Object.assign(connection, {
    encrypted: true,
    authorized: true,
    getPeerCertificate: () => shown,
    getPeerX509Certificate: () => certificate,
  });
}

/**
 * The TLS listener. Fastify owns the server, its connections and WebSockets; every request, whatever its path, method
 * or body, leaves it at the first hook for the pipeline, which answers on the raw response: Kubernetes' rules for
 * bodies, content types and errors differ from Fastify's at every turn, and a watch must own its response.
 */
export async function createHttpServer(options: HttpServerOptions, context: () => ApiContext): Promise<HttpServer> {
  const connections = createConnections(options.clock);
  const take = (raw: IncomingMessage, response: ServerResponse): void => {
    const upgrade = upgradeHeads.has(raw) || raw.headers.upgrade !== undefined;
    const tooLarge = headersAreTooLarge(raw);
    if (upgrade || tooLarge) {
      // A refused upgrade ends its connection: Node no longer reads requests from it.
      response.shouldKeepAlive = false;
      response.once('finish', () => connections.close(raw.socket));
    }
    if (tooLarge) return refuseHeaders(response);
    if (upgrade) return begin(raw, response);
    connections.inTurn(raw, response, (raw, response) =>
      requestInTurn(() => {
        if (!response.destroyed) begin(raw, response);
      }),
    );
  };
  const requestInTurn = fewPerTurn(REQUESTS_AT_ONCE);
  /** Under way, to the last line of their audit. */
  let answering = 0;
  let onRest = (): void => undefined;
  const answered = (): void => {
    if (--answering === 0) onRest();
  };
  const begin = (raw: IncomingMessage, response: ServerResponse): void => {
    answering++;
    void serve({ raw, response, upgradeHead: upgradeHeads.get(raw) }, context()).then(answered);
  };
  const app = Fastify<Server>({
    serverFactory: handler =>
      createServer(
        {
          key: options.tls.key,
          cert: options.tls.cert,
          ca: options.tls.ca,
          requestCert: true,
          rejectUnauthorized: false,
          maxHeaderSize: MAX_HEAD_BYTES,
          handshakeTimeout: HEADERS_TIMEOUT_MS,
          headersTimeout: HEADERS_TIMEOUT_MS,
          connectionsCheckingInterval: TIMEOUT_CHECK_MS,
          keepAliveTimeout: IDLE_TIMEOUT_MS,
          // Bodies have the deadline of their requests; those that are streamed to a node have none.
          requestTimeout: 0,
          ALPNProtocols: ['http/1.1'],
          pauseOnConnect: true,
        },
        handler,
      ),
    logger: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_HEAD_BYTES },
    clientErrorHandler: (error, socket) => connections.onClientError(error, socket),
    exposeHeadRoutes: false,
    // No route has a schema; Fastify's own compilers would cost a tenth of the start.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      take(request.raw, reply.raw);
    },
  });
  const { server } = app;
  shakeHandsInTurns(server);
  server.on('connection', (socket: Socket) => connections.opened(socket));
  server.on('secureConnection', (socket: TLSSocket) => connections.secured(socket));
  server.prependListener('request', (raw: IncomingMessage) => connections.began(raw));
  server.prependListener('upgrade', (raw: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node hears no errors of an upgraded connection; unheard, one would end the process.
    socket.on('error', () => socket.destroy());
    // Its answer could not be told from that of the request before it.
    if (connections.isBusy(socket)) return void socket.destroy();
    if (upgradeProtocol(raw)) upgradeHeads.set(raw, head);
  });
  await app.register(fastifyWebsocket, { options: { maxPayload: 1 << 20 } });

  app.addHook('onRequest', async (request, reply) => {
    reply.hijack();
    take(request.raw, reply.raw);
  });
  const never = (): never => {
    throw new Error('a request passed the pipeline');
  };
  app.route({ method: [...METHODS], url: '*', handler: never });
  app.setNotFoundHandler(never);

  const stopListening = (): void => {
    connections.closeIdle();
    server.close();
  };
  const close = async (): Promise<void> => {
    connections.closeIdle();
    const cancel = options.clock.after(CLOSE_GRACE_MS, () => server.closeAllConnections(), {
      unref: true,
      work: true,
    });
    await app.close();
    cancel();
    // Their clients have gone by now; one that goes on all the same is not waited for.
    if (answering === 0) return;
    await new Promise<void>(resolve => {
      const forget = options.clock.after(CLOSE_GRACE_MS, resolve, { unref: true, work: true });
      onRest = () => {
        forget();
        resolve();
      };
    });
  };

  return {
    app,
    stopListening,
    close,
    accept: (connection, certificate) => void server.emit('secureConnection', asSecured(connection, certificate)),
    acceptWebSocket: request =>
      new Promise((resolve, reject) => {
        request.response.detachSocket(request.socket);
        request.socket.once('close', () => reject(new Error('client went during the WebSocket handshake')));
        app.websocketServer.handleUpgrade(request.raw, request.socket, request.upgradeHead ?? Buffer.alloc(0), resolve);
      }),
  };
}
