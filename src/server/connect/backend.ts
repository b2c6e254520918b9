import { request as httpRequest, type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AddressTarget, KubeletProxyTarget } from '../../api/strategy.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import { ownEndpoint } from './own-endpoint.js';
import { cleaned, queryOf } from './proxy-path.js';
import { joinHostPort } from '../../machinery/ip.js';

export type ProxyTarget = AddressTarget | KubeletProxyTarget;

/** What a proxied server knows about itself. */
export interface Backend {
  /** Path and query, as they are sent. */
  readonly path: string;
  /** "address:port"; links to it are links into the proxy. Empty for a kubelet. */
  readonly host: string;
  /** Not yet sent. @throws DialError, StatusError */
  open(headers: OutgoingHttpHeaders): Promise<ClientRequest>;
}

async function secure(connection: Duplex, signal: AbortSignal): Promise<Duplex> {
  const { connect } = await import('node:tls');
  // TLS over what has ended already would wait for ever: it hears of no close.
  if (connection.destroyed) throw new Error('EOF');
  return new Promise((resolve, reject) => {
    // As upstream: nobody has told the API server which certificate a Pod should have.
    const socket = connect({ socket: connection, rejectUnauthorized: false, servername: '' });
    const abort = (): void => void socket.destroy(signal.reason as Error);
    connection.once('close', () => socket.destroy());
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('EOF'));
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', reject);
  });
}

/**
 * The server that a proxy request is for. A kubelet's own API gets the path with its dot segments resolved, as upstream
 * sends it; anything else is reached through a connection of its own, on which the node's agent reads nothing, and gets
 * the path as the client means it.
 */
export function backendOf(exchange: Exchange, target: ProxyTarget, context: ApiContext): Backend {
  const { request } = exchange;
  const { entry, rest } = exchange.route as ResourceRoute;
  const below = rest === '' ? '/' : rest;
  const common = { asked: entry.info.plural, own: ownEndpoint(request) };
  const { method, signal } = request;
  if (target.kind === 'kubelet-proxy') {
    const path = cleaned(below) + queryOf(request.url);
    const open: Backend['open'] = headers =>
      Promise.resolve(context.kubelet.open(target.node, { method, path, headers, ...common, pooled: false }));
    return { path, host: '', open };
  }
  const { node, address, port, scheme } = target;
  const path = below + queryOf(request.url);
  const open: Backend['open'] = async headers => {
    const connection = await context.kubelet.dial(node, { address, port, ...common, signal });
    const stream = scheme === 'https' ? await secure(connection, signal) : connection;
    const outgoing = httpRequest({ createConnection: () => stream, method, path, headers, setHost: false });
    // One request is all that this connection carries; the server need not know.
    if (headers['connection'] === undefined) outgoing.removeHeader('Connection');
    let switched = false;
    outgoing.once('upgrade', () => (switched = true));
    outgoing.once('close', () => void (switched || stream.destroy()));
    return outgoing;
  };
  return { path, host: joinHostPort(address, port), open };
}
