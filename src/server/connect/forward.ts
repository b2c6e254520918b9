import type { ClientRequest, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { badRequestError, internalError, reasonlessError, StatusError } from '../../machinery/status.js';
import type { KubeletTarget } from '../../api/strategy.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import { dialProblem } from '../dial/dial-problem.js';
import { ownEndpoint } from './own-endpoint.js';
import { peerLeft } from './ended.js';

/** How much of an agent's error text is read. */
const MAX_ERROR_BYTES = 50_000;

/** The answer, once its headers are there. The connection dies with the client's. */
export function answered(outgoing: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => void outgoing.destroy(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.once('close', () => signal.removeEventListener('abort', onAbort));
    outgoing.once('response', resolve);
    // Stays: what still goes wrong with a request that has its answer shows in the answer.
    outgoing.on('error', reject);
    // An answer to a question nobody asked; unheard, Node would leave the connection open.
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new Error('malformed HTTP response: protocol switched without being asked'));
    });
  });
}

async function errorText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_ERROR_BYTES);
}

/** An agent's refusal of a log request, as a Status (apiserver registry/generic/rest/response_checker.go). */
function refusal(code: number, text: string, route: ResourceRoute): StatusError {
  if (code === 500) return internalError(text);
  if (code === 400) return badRequestError(text);
  const resource = `${route.entry.info.plural}/${route.subresource?.name ?? ''}`;
  const details = { name: route.name, kind: resource };
  if (code === 404)
    return new StatusError(
      404,
      'NotFound',
      `the server could not find the requested resource ( ${resource} ${route.name})`,
      details,
    );
  return new StatusError(
    code,
    undefined,
    `the server responded with the status code ${code} but did not return more information ( ${resource} ${route.name})`,
    details,
  );
}

/**
 * What a node's kubelet has to say: a request of the API server's own, with nothing of the client's but the options
 * that the target has read. @throws StatusError for an error of the kubelet
 */
export async function askKubelet(
  exchange: Exchange,
  target: KubeletTarget,
  context: ApiContext,
): Promise<IncomingMessage> {
  const { request } = exchange;
  const route = exchange.route as ResourceRoute;
  const outgoing = context.dialer.kubelet.open(target.node, {
    method: 'GET',
    path: target.path,
    headers: {},
    asked: route.entry.info.plural,
    own: ownEndpoint(request),
    pooled: true,
  });
  outgoing.end();
  let answer: IncomingMessage;
  try {
    answer = await answered(outgoing, request.signal);
  } catch (error) {
    if (request.signal.aborted) throw error;
    const problem = dialProblem(error, outgoing);
    if (problem instanceof StatusError) throw problem;
    throw reasonlessError(`Get "https://${outgoing.getHeader('host') as string}${target.path}": ${problem.message}`);
  }
  const code = answer.statusCode ?? 502;
  if (code < 200 || code > 206) throw refusal(code, await errorText(answer), route);
  return answer;
}

/** Streams a kubelet's answer to the client. */
export async function forward(exchange: Exchange, target: KubeletTarget, context: ApiContext): Promise<void> {
  const { request } = exchange;
  const answer = await askKubelet(exchange, target, context);
  const { response } = request;
  exchange.audit?.started(answer.statusCode ?? 200);
  // A body that was announced and is not there yet would be taken for the next request, or the other way round.
  if (!request.raw.complete) response.shouldKeepAlive = false;
  response.writeHead(answer.statusCode ?? 200, {
    'Audit-Id': request.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': answer.headers['content-type'] ?? 'text/plain',
  });
  // A followed log may stay silent for long: the client must see at once that it has begun.
  response.flushHeaders();
  try {
    await pipeline(answer, response);
  } catch (error) {
    // Either side may go at any time; the other one has been cut off by pipeline.
    if (!peerLeft(error)) context.log.info({ err: error, url: request.url }, 'stream from node ended early');
  }
}
