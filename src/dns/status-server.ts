import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DnsMetrics } from './metrics.js';

export interface StatusServerOptions {
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: DnsMetrics;
  readonly isReady: () => boolean;
}

export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `/health`, `/ready` and `/metrics`, which CoreDNS serves on three ports. Rejects with the system's error. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'Method Not Allowed\n');
    if (path === '/health') return send(response, 200, 'OK');
    if (path === '/ready') return options.isReady() ? send(response, 200, 'OK') : send(response, 503, 'kubernetes');
    if (path !== '/metrics') return send(response, 404, '404 page not found\n');
    options.metrics.print().then(
      text => send(response, 200, text, options.metrics.contentType),
      (error: unknown) => send(response, 500, String(error)),
    );
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(options.port, options.bindAddress, () => {
      server.off('error', failed);
      done();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>(done => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(code, { 'content-type': type });
  response.end(body);
}
