import { fieldSelectorOf } from '../../machinery/fields.js';
import { JSON_TYPE, PROTOBUF_TYPE } from '../negotiation/media-types.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';
import type { RegistryWatch, WatchListener } from '../registry/types.js';
import { writeHead } from '../responses/send.js';
import { createEventEncoder } from '../watch-stream/event-encoder.js';
import { httpSink } from '../watch-stream/http-sink.js';
import type { WatchSink } from '../watch-stream/sink.js';
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
  const { signal, upgradeHead, raw } = exchange.request;
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
  let sink: WatchSink | undefined;
  let early: Buffer[] = [];
  let ended = false;
  let watch: RegistryWatch | undefined;
  const counted = context.metrics.watchStarted(entry.info);
  const forget = context.flowControl?.watching(exchange.info, exchange.fields);
  const stop = (): void => {
    signal.removeEventListener('abort', stop);
    context.stopping.removeEventListener('abort', finish);
    watch?.stop();
    watch = undefined;
    counted();
    forget?.();
  };
  const finish = (): void => {
    if (ended) return;
    ended = true;
    stop();
    sink?.end();
  };
  const listener: WatchListener = {
    events(batch) {
      const pieces: Buffer[] = [];
      for (const event of batch) encode(event, pieces);
      context.metrics.watchEvents(entry.info, batch.length);
      if (sink !== undefined) sink.write(pieces);
      else for (const piece of pieces) early.push(piece);
    },
    end: finish,
    cut() {
      ended = true;
      stop();
      sink?.destroy();
    },
    backlog: () => sink?.backlog() ?? 0,
    // From now on it takes nobody's place.
    begun: () => exchange.seat?.release(),
  };
  const ctx = requestContext(exchange, context);
  try {
    watch = await registry.watch(ctx, namespace, watchQuery(exchange, route), listener);
    sink = await openSink(exchange, context);
  } catch (error) {
    stop();
    throw error;
  }
  if (early.length > 0) sink.write(early);
  early = [];
  if (ended) {
    sink.end();
    watch?.stop();
  } else if (signal.aborted) {
    finish();
  } else {
    signal.addEventListener('abort', stop, { once: true });
    context.stopping.addEventListener('abort', finish, { once: true });
  }
  return { kind: 'taken' };
};
