import { createServer, type RequestListener } from 'node:http';
import { NetworkError } from '../network/errors.js';
import type { Process } from '../containers/process.js';

/**
 * Serves HTTP on ports of the pod network until the process is told to stop; then it is the exit status 0, as of a
 * server that shuts down on SIGTERM. A port already taken in the Pod is exit status 1 and a line on stderr.
 */
export async function serveHttp(process: Process, ports: readonly number[], handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  const closers: (() => void)[] = [];
  try {
    for (const port of ports) {
      const close = process.container.network.listen(port, stream => {
        server.emit('connection', stream);
      });
      closers.push(close);
    }
    return await untilStopped(process);
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
export function untilStopped(process: Process): Promise<number> {
  return new Promise((resolve, reject) => {
    for (const name of ['TERM', 'QUIT', 'INT'] as const) process.trap(name, () => resolve(0));
    const killed = (): void => reject(process.signal.reason as Error);
    if (process.signal.aborted) killed();
    else process.signal.addEventListener('abort', killed, { once: true });
  });
}
