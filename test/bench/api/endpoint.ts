import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { OnReadOpts } from 'node:net';

/** Where an API server is, and as whom the suite comes to it. Plain data: it is sent to the processes that make load. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  /** PEM of a client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** PEM of who signed the server's certificate; without, it is not looked at. */
  readonly ca?: string;
}

/** `https://HOST[:PORT]`, as `--against` has it. */
export function endpointOf(url: string, rest: Omit<Endpoint, 'host' | 'port'>): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') throw new Error(`${url}: only https is spoken`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port), ...rest };
}

const BUFFER_BYTES = 256 << 10;

/** `take` gets what arrives; the bytes are the next caller's once it has returned. */
export function dial(to: Endpoint, take: (bytes: Buffer) => void): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // One buffer of each socket, instead of a stream of new ones: half of what reading costs.
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafe(BUFFER_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    };
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      host: to.host,
      port: to.port,
      ...(to.cert === undefined ? {} : { cert: to.cert }),
      ...(to.key === undefined ? {} : { key: to.key }),
      ...(to.ca === undefined ? { rejectUnauthorized: false } : { ca: to.ca }),
      onread,
    };
    const socket = connect(options);
    socket.setNoDelay(true);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
