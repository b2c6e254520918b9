import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { reasonlessError, serviceUnavailableError } from '../../machinery/status.js';
import type { ConnectTarget } from '../../resources/strategy.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import { forwardedHeaders, returnedHeaders } from './headers.js';
import { dialProblem } from './kubelet-connection.js';

type Upgraded =
  | { readonly kind: 'switched'; readonly answer: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly answer: IncomingMessage };

function upgraded(outgoing: ClientRequest): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    outgoing.once('upgrade', (answer, socket, head) => resolve({ kind: 'switched', answer, socket, head }));
    outgoing.once('response', answer => resolve({ kind: 'refused', answer }));
    outgoing.once('error', reject);
    outgoing.end();
  });
}

function responseHead(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 101} ${answer.statusMessage ?? ''}`];
  const { rawHeaders } = answer;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * An Upgrade request (SPDY or WebSocket) to a node agent: once the agent switches protocols, bytes flow both ways
 * untouched until either side closes.
 */
export async function tunnel(exchange: Exchange, target: ConnectTarget, context: ApiContext): Promise<void> {
  const { request } = exchange;
  const { raw, response, socket } = request;
  const outgoing = context.kubelet.open(target.node, {
    method: request.method,
    path: target.path,
    headers: forwardedHeaders(raw, { upgrade: true }),
    asked: (exchange.route as ResourceRoute).entry.info.plural,
  });
  let result: Upgraded;
  try {
    result = await upgraded(outgoing);
  } catch (error) {
    const problem = dialProblem(error, outgoing);
    if (target.upgrade) throw reasonlessError(`error dialing backend: ${problem}`);
    throw serviceUnavailableError(`error trying to reach service: ${problem}`);
  }
  if (result.kind === 'refused') {
    response.writeHead(result.answer.statusCode ?? 502, { ...returnedHeaders(result.answer), Connection: 'close' });
    await pipeline(result.answer, response);
    return;
  }
  exchange.audit?.started(101);
  response.detachSocket(socket);
  const { answer, head } = result;
  const agent = result.socket;
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.write(responseHead(answer));
  if (head.length > 0) socket.write(head);
  if (request.upgradeHead !== undefined && request.upgradeHead.length > 0) agent.write(request.upgradeHead);
  const close = (): void => {
    socket.destroy();
    agent.destroy();
  };
  context.stopping.addEventListener('abort', close, { once: true });
  try {
    await Promise.all([pipeline(socket, agent), pipeline(agent, socket)]);
  } catch (error) {
    context.log.info({ err: error, url: request.url }, 'tunnel ended early');
  } finally {
    context.stopping.removeEventListener('abort', close);
    close();
    exchange.audit?.completed();
  }
}
