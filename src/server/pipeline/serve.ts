import type { Clock } from '../../machinery/clock.js';
import { JSON_TYPE } from '../negotiation/media-types.js';
import { plainNotFound } from './routes.js';
import type { ApiContext } from './context.js';
import { failed } from './errors.js';
import type { Exchange, IncomingRequest } from './exchange.js';
import { STEPS } from './steps.js';

const ANONYMOUS = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

function exchangeFor(request: IncomingRequest, receivedMs: number, abort: (reason: Error) => void): Exchange {
  return {
    request,
    receivedMs,
    info: {
      isResource: false,
      path: request.path,
      verb: request.method.toLowerCase(),
      apiPrefix: '',
      group: '',
      version: '',
      namespace: '',
      resource: '',
      subresource: '',
      name: '',
      verbInPath: false,
      parts: [],
    },
    user: ANONYMOUS,
    warnings: [],
    longRunning: false,
    route: { kind: 'document', negotiated: false, handle: plainNotFound },
    media: { encoding: JSON_TYPE, pretty: false },
    body: Buffer.alloc(0),
    abort,
  };
}

/** Bytes that are not UTF-8 become replacement characters; undefined: an escape lacks its digits. */
function unescape(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // Only bytes that are no UTF-8 are left as a reason.
    return Buffer.from(
      text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
      'latin1',
    ).toString();
  }
}

/** Path and query of a request target; undefined: its escapes cannot be read. */
function target(url: string): { path: string; query: URLSearchParams } | undefined {
  // An absolute form ("GET http://host/path") is legal in HTTP/1.1.
  const relative = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const at = relative.indexOf('?');
  const raw = at < 0 ? relative : relative.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : relative.slice(at + 1));
  const path = raw.includes('%') ? unescape(raw) : raw;
  return path === undefined ? undefined : { path: path === '' ? '/' : path, query };
}

export interface RawRequest extends Omit<IncomingRequest, 'path' | 'query' | 'signal' | 'url' | 'method'> {
  readonly clock: Clock;
}

/** Takes one request through all steps. Never rejects: whatever goes wrong becomes an answer or ends the connection. */
export async function serve(incoming: RawRequest, context: ApiContext): Promise<void> {
  const { raw, response } = incoming;
  const controller = new AbortController();
  const url = raw.url ?? '/';
  const parsed = target(url);
  if (parsed === undefined) {
    // Go's net/http refuses it before any handler sees it.
    response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
    response.end('400 Bad Request');
    return;
  }
  const { path, query } = parsed;
  const request: IncomingRequest = {
    ...incoming,
    method: raw.method ?? 'GET',
    url,
    path,
    query,
    signal: controller.signal,
  };
  const exchange = exchangeFor(request, context.clock.now(), reason => controller.abort(reason));
  const finished = context.metrics.requestStarted(exchange);
  response.once('close', () => {
    exchange.stopDeadline?.();
    exchange.release?.();
    exchange.leave?.();
    if (!response.writableFinished) controller.abort(new Error('client is gone'));
    finished();
    exchange.audit?.completed();
  });
  try {
    await run(exchange, context);
  } finally {
    // What is long-running gives it back when it has begun.
    if (!exchange.longRunning) exchange.release?.();
  }
}

async function run(exchange: Exchange, context: ApiContext): Promise<void> {
  const { signal, response, url } = exchange.request;
  try {
    for (const step of STEPS) {
      await step.run(exchange, context);
      signal.throwIfAborted();
    }
  } catch (error) {
    if (signal.aborted && response.destroyed) return;
    try {
      await failed(exchange, error, context);
    } catch (second) {
      context.log.error({ err: second, url }, 'could not answer a failed request');
      response.destroy();
    }
  }
}
