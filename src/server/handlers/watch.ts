import { fieldSelectorOf } from '../../machinery/fields.js';
import { JSON_TYPE, PROTOBUF_TYPE } from '../negotiation/media-types.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import { writeHead } from '../responses/send.js';
import { createEventEncoder } from '../watch-stream/event-encoder.js';
import { httpSink } from '../watch-stream/http-sink.js';
import type { WatchSink } from '../watch-stream/sink.js';
import { WatchStream } from '../watch-stream/watch-stream.js';
import { webSocketSink } from '../watch-stream/websocket-sink.js';
import type { Handler } from './handler.js';
import { listQuery } from './read.js';
import { requestContext } from './request-context.js';

/** A watch under the deprecated /watch/ prefix may name one object. */
function watchQuery(exchange: Exchange, route: ResourceRoute): ReturnType<typeof listQuery> {
  const query = listQuery(exchange.request.query);
  if (route.name === '') return query;
  const byName = fieldSelectorOf([{ field: 'metadata.name', operator: '=', value: route.name }]).toString();
  const { fieldSelector } = query;
  // In front: what the client wrote may end in a backslash, which would take the comma behind it for a character.
  return { ...query, fieldSelector: fieldSelector === undefined ? byName : `${byName},${fieldSelector}` };
}

/** Opens the stream to the client, headers first: a quiet watch must not look like a hanging request. */
async function openSink(exchange: Exchange, context: ApiContext): Promise<WatchSink> {
  const { request, media } = exchange;
  const binary = media.encoding === PROTOBUF_TYPE;
  if (request.upgradeHead !== undefined) {
    const socket = await context.acceptWebSocket(request);
    socket.on('close', () => exchange.abort(new Error('client is gone')));
    socket.on('error', () => exchange.abort(new Error('client is gone')));
    return webSocketSink(socket, binary, context.backlog);
  }
  writeHead(exchange, 200, { 'Content-Type': binary ? `${PROTOBUF_TYPE};stream=watch` : JSON_TYPE });
  request.response.flushHeaders();
  return httpSink(request.response, context.backlog, context.rounds);
}

/**
 * Streams events until the client goes, the watch's time is over or the server stops. What the registry delivers
 * before the headers are out is kept and sent right after them.
 */
export const watchObjects: Handler = async (exchange, route, context) => {
  const { entry, registry, namespace } = route;
  const { upgradeHead, raw } = exchange.request;
  // golang.org/x/net/websocket, which upstream serves watches with, refuses a handshake without Origin.
  if (upgradeHead !== undefined && raw.headers.origin === undefined)
    return { kind: 'raw', code: 403, headers: {}, body: '' };
  const encode = createEventEncoder({
    entry,
    media: exchange.media,
    query: exchange.request.query,
    clock: context.clock,
    protobuf: context.protobuf,
  });
  const stream = new WatchStream(context, entry.info, encode, exchange);
  const ctx = requestContext(exchange, context);
  try {
    stream.of(await registry.watch(ctx, namespace, watchQuery(exchange, route), stream));
    stream.open(await openSink(exchange, context));
  } catch (error) {
    stream.stop();
    throw error;
  }
  // Whoever has gone before the watch could hear of it.
  if (exchange.request.abortedBy !== undefined) stream.end();
  return { kind: 'taken' };
};
