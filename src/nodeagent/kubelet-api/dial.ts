import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { isGlobalUnicast } from '../../machinery/global-unicast.js';
import { parseHostPort } from '../../machinery/ip.js';
import { NetworkError } from '../../containers/network/errors.js';
import { joinStreams } from '../network/join-streams.js';
import type { Addresses, NetNamespace } from '../../containers/network/types.js';

/** How long upstream's API server dials a Pod. */
const DIAL_TIMEOUT_MS = 30_000;

/** net.Dial's words. */
function problem(error: NetworkError): string {
  if (error.code === 'ETIMEDOUT') return 'i/o timeout';
  return `connect: ${error.text.toLowerCase()}`;
}

export interface DialOptions {
  readonly network: NetNamespace;
  /** The machine outside of the cluster: what listens on its loopback is not for clients of a proxy. */
  readonly hostGateways: Addresses;
}

const refuse = (socket: Duplex, status: string, why: string): void =>
  void socket.end(`HTTP/1.1 ${status}\r\nDial-Error: ${why}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);

/**
 * CONNECT address:port: a connection from this node into the cluster's network, handed over as it is. What goes over it
 * is between the API server and the Pod: no path or header of it is read here, so that none can mean this API.
 */
export async function serveDial(
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { network, hostGateways }: DialOptions,
): Promise<void> {
  const to = parseHostPort(message.url ?? '');
  if (to === undefined) return refuse(socket, '400 Bad Request', 'want an IP address and a port');
  if (!isGlobalUnicast(to.address) || hostGateways.includes(to.address))
    return refuse(socket, '403 Forbidden', 'address not allowed');
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Error('the client is gone'));
  socket.once('close', leave);
  try {
    const stream = await network.connect(to, { signal: gone.signal, timeoutMs: DIAL_TIMEOUT_MS });
    if (socket.destroyed) return void stream.destroy();
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    joinStreams(socket, stream);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!(error instanceof NetworkError)) throw error;
    refuse(socket, '502 Bad Gateway', problem(error));
  }
}
