import type { Channel } from './grpc/channel.js';
import type { GrpcError } from './grpc/status.js';
import {
  decodeWatch,
  encodeProgressRequest,
  encodeWatchCreate,
  type StoredEvent,
  type WatchCreate,
  type WatchMessage,
} from './messages/watch.js';

/** The id under which a stream's answer to a progress request comes: it is about all its watches. */
export const ALL_WATCHES = -1;

export interface WatchStreamHandlers {
  /** In order; what comes in parts is put together. */
  readonly message: (message: WatchMessage) => void;
  /** Called once, unless it was closed. */
  readonly ended: (error: GrpcError) => void;
}

export interface WatchStream {
  askProgress(): void;
  close(): void;
}

/** Opens watches on a stream of their own. Each says when it has been created. @throws GrpcError */
export async function openWatchStream(
  channel: Channel,
  watches: readonly WatchCreate[],
  handlers: WatchStreamHandlers,
): Promise<WatchStream> {
  const parts = new Map<number, readonly StoredEvent[]>();
  const stream = await channel.stream('/etcdserverpb.Watch/Watch', {
    message(bytes) {
      const told = decodeWatch(bytes);
      const before = parts.get(told.id);
      const events = before === undefined ? told.events : [...before, ...told.events];
      if (told.fragment) return void parts.set(told.id, events);
      if (before !== undefined) parts.delete(told.id);
      handlers.message({ ...told, events });
    },
    ended: error => handlers.ended(error),
  });
  for (const watch of watches) stream.send(encodeWatchCreate(watch));
  return {
    askProgress: () => stream.send(encodeProgressRequest()),
    close: () => stream.close(),
  };
}
