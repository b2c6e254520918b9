import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
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
      Promise.resolve(context.dialer.kubelet.open(target.node, { method, path, headers, ...common, pooled: false }));
    return { path, host: '', open };
  }
  const { node, address, port, scheme } = target;
  const path = below + queryOf(request.url);
  // As upstream: nobody has told the API server which certificate a Pod should have.
  const tls = scheme === 'https' ? { insecure: true, serverName: '' } : undefined;
  const open: Backend['open'] = headers =>
    context.dialer.open({ kind: 'address', node, address, port, ...common }, { method, path, headers, tls, signal });
  return { path, host: joinHostPort(address, port), open };
}
