import { createServer, type Http2Server } from 'node:http2';
import { grpcFrame, healthResponse, readServiceName } from '../network/grpc-messages.js';

/** HealthCheckResponse.ServingStatus. */
export type ServingStatus = 'SERVING' | 'NOT_SERVING';

const STATUS: Readonly<Record<ServingStatus, number>> = { SERVING: 1, NOT_SERVING: 2 };
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
/** A HealthCheckRequest is a service name; more is none. */
const MAX_REQUEST = 4096;

/** An HTTP/2 server of grpc.health.v1.Health; `statusOf` answers for a service's name, undefined: there is none. */
export function createGrpcHealthServer(statusOf: (service: string) => ServingStatus | undefined): Http2Server {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('error', () => stream.destroy());
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_REQUEST) stream.destroy();
      else chunks.push(chunk);
    });
    stream.on('end', () => {
      const known = headers[':path'] === '/grpc.health.v1.Health/Check';
      const status = known ? statusOf(readServiceName(Buffer.concat(chunks))) : undefined;
      const code = status !== undefined ? 0 : known ? NOT_FOUND : UNIMPLEMENTED;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code) }));
      if (status === undefined) stream.end();
      else stream.end(grpcFrame(healthResponse(STATUS[status])));
    });
  });
  return server;
}
