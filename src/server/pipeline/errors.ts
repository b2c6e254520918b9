import { internalError, StatusError } from '../../machinery/status.js';
import { negotiate, PLAIN } from '../negotiation/media-types.js';
import { encodeAnswer, rawStatus } from '../responses/encode.js';
import { isPretty } from '../responses/pretty.js';
import { sendBytes, sendEncoded } from '../responses/send.js';
import { TooManyRequestsError } from './too-many-requests.js';
import type { ApiContext } from './context.js';
import type { Exchange } from './exchange.js';

/**
 * The one place where something thrown becomes an answer. A StatusError is answered as it is; anything else is a bug:
 * it is logged and answered as 500 InternalError.
 */
export async function failed(exchange: Exchange, thrown: unknown, context: ApiContext): Promise<void> {
  const { request } = exchange;
  const { response } = request;
  const error = request.abortedBy instanceof StatusError ? request.abortedBy : thrown;
  if (error instanceof TooManyRequestsError && !response.headersSent) {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' };
    if (!request.raw.complete) response.shouldKeepAlive = false;
    return sendBytes(
      exchange,
      429,
      { ...headers, 'Retry-After': String(error.retryAfterSeconds) },
      `${error.message}\n`,
    );
  }
  if (!(error instanceof StatusError))
    context.log.error({ err: error, method: request.method, url: request.url }, 'request failed unexpectedly');
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status =
    error instanceof StatusError
      ? error.status
      : internalError(error instanceof Error ? error.message : String(error)).status;
  exchange.audit?.answeredStatus(status);
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) response.setHeader('Retry-After', String(retry));
  if (!request.raw.complete) response.shouldKeepAlive = false;
  const media = negotiate(request.raw.headers.accept, PLAIN);
  const encoded =
    media === undefined
      ? rawStatus(status)
      : encodeAnswer(
          { kind: 'status', code: status.code, status },
          {
            media,
            pretty: isPretty(request.raw, request.query),
            query: request.query,
            clock: context.clock,
            protobuf: context.protobuf,
            turns: context.turns,
            memory: exchange,
            entry: undefined,
          },
        );
  await sendEncoded(exchange, status.code, encoded, context.turns);
}
