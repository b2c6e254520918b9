import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectOptions, NetNamespace, NetStream, SocketAddress } from './types.js';

export interface HttpCall {
  readonly to: SocketAddress;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** As sent, in order; Host must be among them. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Buffer;
  /** Undefined: plain HTTP. */
  readonly tls?: { readonly serverName: string; readonly verify: boolean; readonly ca?: string };
}

export interface HttpAnswer {
  readonly response: IncomingMessage;
  /** Destroy it when done. */
  readonly stream: Duplex;
}

/**
 * One HTTP/1.1 request over the pod network. `options.signal` covers everything up to the answer's headers; the caller
 * reads the body and destroys the stream.
 * @throws NetworkError while connecting, Error with a code from node:http or node:tls, or the signal's reason
 */
export async function httpCall(
  network: NetNamespace,
  call: HttpCall,
  options: ConnectOptions = {},
): Promise<HttpAnswer> {
  const { signal } = options;
  const connection = await network.connect(call.to, options);
  const abort = (): void => {
    connection.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const stream = call.tls === undefined ? connection : await secure(connection, call.tls);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        createConnection: () => stream,
        method: call.method,
        path: call.path,
        headers: call.headers.flatMap(([name, value]) => [name, value]) as never,
        setHost: false,
      });
      sent.on('response', resolve);
      sent.on('error', reject);
      connection.on('error', reject);
      connection.on('close', () => reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
      sent.end(call.body);
    });
    return { response, stream };
  } catch (error) {
    connection.destroy();
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function secure(connection: NetStream, tls: NonNullable<HttpCall['tls']>): Promise<Duplex> {
  const { connect } = await import('node:tls');
  const { isIP } = await import('node:net');
  const reset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  // TLS over what has ended already would wait for ever: it hears of no close.
  if (connection.destroyed) throw reset();
  return new Promise((resolve, reject) => {
    connection.once('close', () => reject(reset()));
    const socket = connect({
      socket: connection,
      rejectUnauthorized: tls.verify,
      ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : { host: tls.serverName }),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', reject);
  });
}
