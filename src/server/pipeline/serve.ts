import type { ApiContext } from './context.js';
import { failed } from './errors.js';
import { ServedExchange } from './served-exchange.js';
import { ServedRequest, target, type RawRequest } from './served-request.js';

/** Takes one request through all steps. Never rejects: whatever goes wrong becomes an answer or ends the connection. */
export async function serve(incoming: RawRequest, context: ApiContext): Promise<void> {
  const { raw, response } = incoming;
  const parsed = target(raw.url ?? '/');
  if (parsed === undefined) {
    // Go's net/http refuses it before any handler sees it.
    response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
    response.end('400 Bad Request');
    return;
  }
  const request = new ServedRequest(incoming, parsed.path, parsed.query);
  const exchange = new ServedExchange(request, context);
  context.metrics.requestStarted(exchange);
  response.on('close', () => exchange.closed());
  try {
    for (const step of context.steps) {
      const pending = step.run(exchange, context);
      // Most steps are done by now, and waiting for nothing costs a handful of objects and a microtask each time.
      if (pending !== undefined) await pending;
      if (request.abortedBy !== undefined) throw request.abortedBy;
    }
  } catch (error) {
    await answerFailure(exchange, error, context);
  } finally {
    // What is long-running gives it back when it has begun.
    if (!exchange.longRunning) exchange.seat?.release();
  }
}

async function answerFailure(exchange: ServedExchange, error: unknown, context: ApiContext): Promise<void> {
  const { abortedBy, response, url } = exchange.request;
  if (abortedBy !== undefined && response.destroyed) return;
  try {
    await failed(exchange, error, context);
  } catch (second) {
    context.log.error({ err: second, url }, 'could not answer a failed request');
    response.destroy();
  }
}
