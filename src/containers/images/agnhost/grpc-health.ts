import { untilStopped, serveHttp } from '../http-server.js';
import { createGrpcHealthServer } from '../grpc-health-server.js';
import { logLine, type Subcommand } from './command.js';
import { formatDuration } from '../../../machinery/duration.js';

/** grpc.health.v1.Health on --port (5000), switched by HTTP /make-serving and /make-not-serving on --http-port (8080). */
export const grpcHealthChecking: Subcommand = async (process, flags) => {
  const { clock, network } = process.container;
  const began = clock.monotonic();
  const delay = flags.number('delay-unhealthy-sec', -1);
  const own = flags.text('service', '');
  if (flags.text('tls-cert-file', '') !== '') throw new Error('--tls-cert-file: gRPC over TLS is not simulated');
  let forced: boolean | undefined;
  const healthy = (): boolean => forced ?? (delay < 0 || clock.monotonic() - began < delay * 1000);
  const server = createGrpcHealthServer(service => {
    if (service !== own) return undefined;
    return healthy() ? 'SERVING' : 'NOT_SERVING';
  });
  server.on('sessionError', (error: Error) => logLine(process, error.message));
  const port = flags.number('port', 5000);
  const close = network.listen(port, stream => void server.emit('connection', stream));
  logLine(process, `gRPC server starting to listen on :${port}`);
  try {
    return await serveHttp(
      process,
      [flags.number('http-port', 8080)],
      ({ url = '' }, response) => {
        const path = url.split('?')[0];
        if (path !== '/make-serving' && path !== '/make-not-serving') {
          response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
          return void response.end('404 page not found\n');
        }
        forced = path === '/make-serving';
        response.end(formatDuration(clock.monotonic() - began));
      },
      { until: untilStopped(process) },
    );
  } finally {
    close();
  }
};
