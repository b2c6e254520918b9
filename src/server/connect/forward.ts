import type { ClientRequest, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import {
  badRequestError,
  internalError,
  reasonlessError,
  serviceUnavailableError,
  StatusError,
} from '../../machinery/status.js';
import type { ConnectTarget } from '../../resources/strategy.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import { forwardedHeaders, returnedHeaders } from './headers.js';
import { dialProblem } from './kubelet-connection.js';

/** How much of an agent's error text is read. */
const MAX_ERROR_BYTES = 50_000;
const BODILESS = new Set(['GET', 'HEAD']);

/** The agent's answer, once its headers are there. The agent connection dies with the client's. */
function answered(outgoing: ClientRequest, exchange: Exchange): Promise<IncomingMessage> {
  const { raw, signal } = exchange.request;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => void outgoing.destroy(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.once('close', () => signal.removeEventListener('abort', onAbort));
    outgoing.once('response', resolve).once('error', reject);
    if (BODILESS.has(exchange.request.method)) outgoing.end();
    else raw.pipe(outgoing);
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
 * A plain request to a node agent, streamed both ways. A proxy passes every answer through as it is; for the others an
 * error becomes a Status.
 */
export async function forward(
  exchange: Exchange,
  target: ConnectTarget,
  proxy: boolean,
  context: ApiContext,
): Promise<void> {
  const { request } = exchange;
  const outgoing = context.kubelet.open(target.node, {
    method: request.method,
    path: target.path,
    headers: forwardedHeaders(request.raw, { upgrade: false }),
    asked: (exchange.route as ResourceRoute).entry.info.plural,
  });
  let answer: IncomingMessage;
  try {
    answer = await answered(outgoing, exchange);
  } catch (error) {
    if (request.signal.aborted) throw error;
    const problem = dialProblem(error, outgoing);
    if (proxy) throw serviceUnavailableError(`error trying to reach service: ${problem}`);
    throw reasonlessError(`Get "https://${outgoing.getHeader('host') as string}${target.path}": ${problem}`);
  }
  const code = answer.statusCode ?? 502;
  if (!proxy && (code < 200 || code > 206))
    throw refusal(code, await errorText(answer), exchange.route as ResourceRoute);
  const { response } = request;
  const own = proxy ? {} : { 'Content-Type': answer.headers['content-type'] ?? 'text/plain' };
  exchange.audit?.started(code);
  response.writeHead(code, {
    'Audit-Id': request.auditId,
    'Cache-Control': 'no-cache, private',
    ...(proxy ? returnedHeaders(answer) : own),
  });
  // A followed log may stay silent for long: the client must see at once that it has begun.
  response.flushHeaders();
  try {
    await pipeline(answer, response);
  } catch (error) {
    // Either side may go at any time; the other one has been cut off by pipeline.
    context.log.info({ err: error, url: request.url }, 'stream from node ended early');
  }
}
