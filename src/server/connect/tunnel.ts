import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { badRequestError, reasonlessError, StatusError } from '../../machinery/status.js';
import type { ConnectTarget } from '../../api/strategy.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import { backendOf } from './backend.js';
import { dialProblem } from '../dial/dial-problem.js';
import { hasBody, returnedHeaders, streamHeaders, upgradeHeaders } from './headers.js';
import { ownEndpoint } from './own-endpoint.js';
import { proxyHeaders } from './proxy.js';
import { peerLeft } from './ended.js';

type Upgraded =
  | { readonly kind: 'switched'; readonly answer: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly answer: IncomingMessage };

function upgraded(outgoing: ClientRequest, signal: AbortSignal): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => void outgoing.destroy(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    outgoing.once('upgrade', (answer, socket, head) => {
      settled();
      // Between here and the pipeline, an error would have no listener.
      socket.on('error', () => socket.destroy());
      resolve({ kind: 'switched', answer, socket, head });
    });
    outgoing.once('response', answer => resolve({ kind: 'refused', answer }));
    outgoing.once('close', settled);
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function responseHead(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 101} ${answer.statusMessage ?? ''}`];
  const { rawHeaders } = answer;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The request for another protocol, in the API server's own words, not yet sent. @throws Error */
async function openStream(exchange: Exchange, target: ConnectTarget, context: ApiContext): Promise<ClientRequest> {
  const { request } = exchange;
  if (target.kind !== 'kubelet') {
    const backend = backendOf(exchange, target, context);
    return backend.open({ ...proxyHeaders(exchange, backend), ...upgradeHeaders(request.raw) });
  }
  return context.dialer.kubelet.open(target.node, {
    method: request.method,
    path: target.path,
    headers: streamHeaders(request.raw),
    asked: (exchange.route as ResourceRoute).entry.info.plural,
    own: ownEndpoint(request),
    pooled: false,
  });
}

/** How what goes wrong before the protocol has changed is told to the client. */
export interface Refusals {
  /** @returns what is thrown in place of it */
  readonly unreachable: (problem: Error) => Error;
  readonly notUpgraded: (text: string) => Error;
}

const KUBELET_REFUSALS: Refusals = {
  unreachable: problem => reasonlessError(`error dialing backend: ${problem.message}`),
  notUpgraded: text => reasonlessError(text),
};

/** An Upgrade request to a kubelet or a Pod. */
export const tunnel = (exchange: Exchange, target: ConnectTarget, context: ApiContext): Promise<void> =>
  switchProtocols(exchange, () => openStream(exchange, target, context), KUBELET_REFUSALS, context);

/**
 * Sends an Upgrade request (SPDY or WebSocket) on; once the other side switches protocols, bytes flow both ways untouched
 * until either side closes. @throws StatusError, or what `refusals` say
 */
export async function switchProtocols(
  exchange: Exchange,
  open: () => Promise<ClientRequest>,
  refusals: Refusals,
  context: ApiContext,
): Promise<void> {
  const { request } = exchange;
  const { raw, response, socket, signal } = request;
  // What follows the head belongs to the new protocol or to a body; it cannot be both.
  if (hasBody(raw)) throw badRequestError('a request that switches protocols cannot have a body');
  let outgoing: ClientRequest | undefined;
  let result: Upgraded;
  try {
    outgoing = await open();
    result = await upgraded(outgoing, signal);
  } catch (error) {
    if (signal.aborted || error instanceof StatusError) throw error;
    const problem = outgoing === undefined ? (error as Error) : dialProblem(error, outgoing);
    if (problem instanceof StatusError) throw problem;
    throw refusals.unreachable(problem);
  }
  if (result.kind === 'refused') {
    const code = result.answer.statusCode ?? 502;
    if (code < 400) {
      result.answer.destroy();
      throw refusals.notUpgraded(`invalid upgrade response: status code ${code}`);
    }
    response.writeHead(code, { ...returnedHeaders(result.answer), Connection: 'close' });
    await pipeline(result.answer, response);
    return;
  }
  exchange.audit?.started(101);
  response.detachSocket(socket);
  const { answer, head } = result;
  const peer = result.socket;
  // Two pipelines listen to more than Node takes for ordinary.
  for (const end of [socket, peer]) end.setMaxListeners(0);
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.write(responseHead(answer));
  if (head.length > 0) socket.write(head);
  if (request.upgradeHead !== undefined && request.upgradeHead.length > 0) peer.write(request.upgradeHead);
  const close = (): void => {
    socket.destroy();
    peer.destroy();
  };
  context.stopping.addEventListener('abort', close, { once: true });
  try {
    await Promise.all([pipeline(socket, peer), pipeline(peer, socket)]);
  } catch (error) {
    if (!peerLeft(error)) context.log.info({ err: error, url: request.url }, 'tunnel ended early');
  } finally {
    context.stopping.removeEventListener('abort', close);
    close();
    exchange.audit?.completed();
  }
}
