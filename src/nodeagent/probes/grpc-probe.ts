import { connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { KUBERNETES_RELEASE } from '../../machinery/kubernetes-version.js';
import type { NetNamespace, SocketAddress } from '../../containers/network/types.js';
import { grpcFrame, healthRequest, readHealthStatus } from '../../containers/network/grpc-messages.js';

export interface GrpcAnswer {
  /** grpc-status; 0 is OK. */
  readonly code: number;
  /** grpc-message. */
  readonly message: string;
  /** HealthCheckResponse.status, when the code is OK. */
  readonly health: number;
}

/** Who answered does not speak HTTP/2: to gRPC that is no connection yet. */
export class NoConnectionError extends Error {
  override readonly name = 'NoConnectionError';
}

/** grpc.health.v1.Health/Check over plain HTTP/2. @throws NetworkError, NoConnectionError, Error, or the signal's reason */
export async function checkHealth(
  network: NetNamespace,
  to: SocketAddress,
  service: string,
  signal: AbortSignal,
): Promise<GrpcAnswer> {
  const stream = await network.connect(to, { signal });
  const authority = `${to.address}:${to.port}`;
  const session = connect(`http://${authority}`, { createConnection: () => stream });
  const end = (): void => session.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await new Promise<GrpcAnswer>((resolve, reject) => {
      let connected = false;
      session.on('remoteSettings', () => {
        connected = true;
      });
      const failed = (error: Error = new Error('EOF')): void => {
        if (signal.aborted) reject(signal.reason as Error);
        else reject(connected ? error : new NoConnectionError(error.message, { cause: error }));
      };
      session.on('error', failed);
      session.on('close', () => failed());
      const call = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        'user-agent': `kube-probe/${KUBERNETES_RELEASE} grpc-go`,
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status: IncomingHttpHeaders = {};
      call.on('response', headers => {
        status = headers;
      });
      call.on('trailers', (trailers: IncomingHttpHeaders) => {
        status = trailers;
      });
      call.on('data', (chunk: Buffer) => chunks.push(chunk));
      call.on('error', failed);
      call.on('end', () =>
        resolve({
          code: Number(status['grpc-status'] ?? 2),
          message: decodeURIComponent([status['grpc-message'] ?? ''].flat()[0] ?? ''),
          health: readHealthStatus(Buffer.concat(chunks)),
        }),
      );
      call.end(grpcFrame(healthRequest(service)));
    });
  } finally {
    signal.removeEventListener('abort', end);
    session.destroy();
  }
}
