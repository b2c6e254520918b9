import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { NetworkError } from '../network/errors.js';
import type { Process } from '../process.js';

export interface ServeOptions {
  /** PEM: serves TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The exit status, when something other than a signal ends the server. Default: SIGTERM, SIGQUIT or SIGINT, with 0. */
  readonly until?: Promise<number>;
}

const BAD_REQUEST =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request';

/** A plain HTTP server whose answer to what is no HTTP is nginx's and Go's: a client is not cut off while it still writes. */
export function createHttpServer(handler: RequestListener): Server {
  const server = createServer(handler);
  server.on('clientError', answerBadRequest);
  return server;
}

function answerBadRequest(_error: Error, socket: Duplex): void {
  if (socket.writable) socket.end(BAD_REQUEST);
  else socket.destroy();
}

/**
 * Serves HTTP on ports of the pod network until the process is told to stop; then it is the exit status 0, as of a
 * server that shuts down on SIGTERM. A port already taken in the Pod is exit status 1 and a line on stderr.
 */
export async function serveHttp(
  process: Process,
  ports: readonly number[],
  handler: RequestListener,
  { tls, until }: ServeOptions = {},
): Promise<number> {
  const secure = tls === undefined ? undefined : (await import('node:https')).createServer(tls, handler);
  const server = secure ?? createHttpServer(handler);
  // A client that does not speak TLS is its own problem.
  secure?.on('tlsClientError', (_error, socket) => socket.destroy());
  secure?.on('clientError', answerBadRequest);
  const closers: (() => void)[] = [];
  try {
    for (const port of ports) {
      const close = process.container.network.listen(port, stream => {
        server.emit('connection', stream);
      });
      closers.push(close);
    }
    return await (until ?? untilStopped(process));
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await process.stderr.write(`bind: ${error.text.toLowerCase()} ${error.detail}\n`);
    return 1;
  } finally {
    for (const close of closers) close();
    server.closeAllConnections();
  }
}

/** Resolves with 0 on SIGTERM, SIGQUIT or SIGINT; rejects when the process is killed. */
export const untilStopped = async (process: Process): Promise<number> => (await nextSignal(process), 0);

/**
 * Runs several servers in one process until it is told to stop, or one of them ends: that is the exit status. Each is given
 * what it has to wait for.
 */
export function serveTogether(
  process: Process,
  ...servers: readonly ((until: Promise<number>) => Promise<number>)[]
): Promise<number> {
  const until = untilStopped(process);
  return Promise.race([until, ...servers.map(serve => serve(until))]);
}

/** The signal that asks the process to end, once one has come; rejects when it is killed. */
export function nextSignal(process: Process): Promise<'TERM' | 'QUIT' | 'INT'> {
  return new Promise((resolve, reject) => {
    for (const name of ['TERM', 'QUIT', 'INT'] as const) process.trap(name, () => resolve(name));
    const killed = (): void => reject(process.signal.reason as Error);
    if (process.signal.aborted) killed();
    else process.signal.addEventListener('abort', killed, { once: true });
  });
}
