import { badRequestError, pathNotFoundError } from '../../machinery/status.js';
import type { KubeletTarget } from '../../api/strategy.js';
import { askKubelet, forward } from '../connect/forward.js';
import { carriesLogs, streamToWebSocket } from '../connect/log-websocket.js';
import { proxyRequest } from '../connect/proxy.js';
import { queryOf } from '../connect/proxy-path.js';
import { tunnel } from '../connect/tunnel.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Answer, Exchange } from '../pipeline/exchange.js';
import type { Handler } from './handler.js';
import { requestContext } from './request-context.js';
import { peerLeft } from '../connect/ended.js';

/** A log, as a plain answer or as the messages of a WebSocket. */
async function streamLog(exchange: Exchange, target: KubeletTarget, context: ApiContext): Promise<Answer> {
  const { request } = exchange;
  const { raw, upgradeHead } = request;
  if (upgradeHead === undefined || raw.headers.upgrade?.trim().toLowerCase() !== 'websocket') {
    await forward(exchange, target, context);
    return { kind: 'taken' };
  }
  if (!carriesLogs(raw)) return { kind: 'raw', code: 403, headers: {}, body: '' };
  const answer = await askKubelet(exchange, target, context);
  exchange.audit?.started(101);
  try {
    await streamToWebSocket(request, answer);
  } catch (error) {
    if (!peerLeft(error)) context.log.info({ err: error, url: request.url }, 'log ended early');
  } finally {
    exchange.audit?.completed();
  }
  return { kind: 'taken' };
}

/** Passes a request on to the node that runs the object: log, exec, attach, portforward, proxy. */
export const connect: Handler = async (exchange, route, context) => {
  const { request } = exchange;
  const { namespace, name, subresource, rest } = route;
  if (subresource === undefined) throw pathNotFoundError();
  const ctx = requestContext(exchange, context);
  const asked = { query: request.query, path: rest };
  const target = await route.registry.connect(ctx, { namespace, name }, subresource.name, asked);
  if (target === undefined) return { kind: 'raw', code: 204, headers: {}, body: '' };
  if (target.kind === 'kubelet' && !target.upgrade) return streamLog(exchange, target, context);
  if (request.upgradeHead !== undefined) {
    await tunnel(exchange, target, context);
    return { kind: 'taken' };
  }
  if (target.kind === 'kubelet') {
    context.dialer.kubelet.check(target.node, route.entry.info.plural);
    throw badRequestError('Upgrade request required');
  }
  // So that relative links of a proxied page work (https://issue.k8s.io/4958).
  if (rest === '' && (request.method === 'GET' || request.method === 'HEAD'))
    return { kind: 'raw', code: 301, headers: { Location: `${request.path}/${queryOf(request.url)}` }, body: '' };
  await proxyRequest(exchange, target, context);
  return { kind: 'taken' };
};
