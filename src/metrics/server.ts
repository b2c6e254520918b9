import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Logger } from '../machinery/logger.js';
import { internalError, isStatusError, unauthorizedError } from '../machinery/status.js';
import type { KeyPair } from '../machinery/x509/certificate.js';
import { answerTo, type Answer, type Sources } from './answer.js';

const MAX_HEAD_BYTES = 96 * 1024;
const TIMEOUT_MS = 30_000;

/** Whom the server believes: who shows one of these certificates has asked the API server what its user may do. */
export interface Trust {
  /** PEM. */
  readonly ca: string;
  /** Empty: any. */
  readonly allowedNames: readonly string[];
}

export interface MetricsServer {
  readonly port: number;
  trust(trust: Trust): void;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  readonly bindAddress: string;
  readonly serving: KeyPair;
  readonly trust: Trust;
  readonly sources: Sources;
  readonly log: Logger;
}

function isFrontProxy(socket: TLSSocket, { allowedNames }: Trust): boolean {
  // A resumed session without a certificate counts as authorized.
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate> | null | undefined;
  if (certificate?.raw === undefined || !socket.authorized) return false;
  const name: unknown = certificate.subject?.CN;
  return allowedNames.length === 0 || (typeof name === 'string' && allowedNames.includes(name));
}

function answerOf(message: IncomingMessage, { trust, sources }: { trust: Trust; sources: Sources }): Answer {
  if (!isFrontProxy(message.socket as TLSSocket, trust)) throw unauthorizedError();
  const url = message.url ?? '/';
  const at = url.indexOf('?');
  return answerTo(
    {
      method: message.method ?? 'GET',
      path: decodeURIComponent(at < 0 ? url : url.slice(0, at)),
      query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
      accept: message.headers.accept ?? '',
      known: message.headers['if-none-match'],
    },
    sources,
  );
}

function send(response: ServerResponse, { code = 200, contentType, headers, body }: Answer, withBody: boolean): void {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(code, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-cache, private',
    ...headers,
  });
  response.end(withBody ? text : undefined);
}

/** Serves metrics.k8s.io to the API server, and to nobody else. @throws Error when the port cannot be had */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { sources, log, serving, bindAddress } = options;
  let { trust } = options;
  const server: Server = createServer(
    {
      ...serving,
      ca: trust.ca,
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: MAX_HEAD_BYTES,
      requestTimeout: TIMEOUT_MS,
      headersTimeout: TIMEOUT_MS,
      ALPNProtocols: ['http/1.1'],
    },
    (message, response) => {
      // What a body says is of no interest here.
      message.resume();
      const withBody = message.method !== 'HEAD';
      try {
        send(response, answerOf(message, { trust, sources }), withBody);
      } catch (error) {
        const known = isStatusError(error);
        if (!known && !(error instanceof URIError)) log.error({ err: error, url: message.url }, 'request failed');
        const { status } = known ? error : internalError((error as Error).message);
        send(response, { code: status.code, contentType: 'application/json', body: status }, withBody);
      }
    },
  );
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, bindAddress, () => {
      server.off('error', failed);
      done();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    trust(next) {
      trust = next;
      server.setSecureContext({ ...serving, ca: next.ca });
    },
    close: () =>
      new Promise<void>(done => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
