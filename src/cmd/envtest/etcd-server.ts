import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';

/** Where the API server beside this etcd keeps things. */
export interface StorePlace {
  readonly dataDir: string;
  /** Whether a write waits for the disk. */
  readonly fsync: boolean;
}

/** Under this path the API server is told; no path of etcd's own. */
export const PLACE_PATH = '/kubette/store';

const VERSION = { etcdserver: '3.6.5', etcdcluster: '3.6.0', storage: '3.6.0' };
const REFUSAL =
  "this etcd is Kubette's: it answers /health, /livez, /readyz and /version; what is stored is read through the API server";
/** gRPC's UNIMPLEMENTED. */
const UNIMPLEMENTED = '12';
const HTTP2_PREFACE = 'PRI * HTTP/2';

/** Headers of a health check are short, and it comes at once. */
const LIMITS = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 10_000 };

function answers(place: StorePlace): ReadonlyMap<string, { type: string; body: string }> {
  const json = (value: object): { type: string; body: string } => ({
    type: 'application/json',
    body: JSON.stringify(value),
  });
  const ok = { type: 'text/plain; charset=utf-8', body: 'ok\n' };
  return new Map([
    ['/health', json({ health: 'true', reason: '' })],
    ['/livez', ok],
    ['/readyz', ok],
    ['/version', json(VERSION)],
    [PLACE_PATH, json(place)],
  ]);
}

function createHttp(place: StorePlace): Server {
  const known = answers(place);
  return createServer(LIMITS, (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answer = known.get(path);
    const get = request.method === 'GET' || request.method === 'HEAD';
    const [code, { type, body }] =
      answer === undefined
        ? [501, { type: 'text/plain; charset=utf-8', body: `${REFUSAL}\n` }]
        : get
          ? [200, answer]
          : [405, { type: 'text/plain; charset=utf-8', body: 'Method Not Allowed\n' }];
    response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}

/** Answers every call of an etcd client with a reason that it shows. */
async function createGrpc(): Promise<Http2Server> {
  const { createServer: createHttp2 } = await import('node:http2');
  const server = createHttp2({ maxSessionMemory: 1 });
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => stream.destroy());
    const headers = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': UNIMPLEMENTED };
    stream.respond({ ...headers, 'grpc-message': encodeURI(REFUSAL) }, { endStream: true });
  });
  server.on('sessionError', () => undefined);
  return server;
}

/** etcd's client port: HTTP/1 for health checks, HTTP/2 for a refusal that clients understand. */
export function createEtcdServer(place: StorePlace): ReturnType<typeof createTcpServer> {
  const http = createHttp(place);
  let grpc: Promise<Http2Server> | undefined;
  const server = createTcpServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(LIMITS.headersTimeout, () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.setTimeout(0);
      const give = (to: { emit(event: 'connection', socket: Socket): boolean }): void => {
        to.emit('connection', socket);
        socket.unshift(first);
        socket.resume();
      };
      // A client's first segment holds the whole preface, which is 24 bytes.
      if (first.subarray(0, HTTP2_PREFACE.length).toString('latin1') !== HTTP2_PREFACE) return give(http);
      void (grpc ??= createGrpc()).then(give);
    });
  });
  server.once('close', () => {
    http.closeAllConnections();
    void grpc?.then(one => one.close());
  });
  return server;
}
