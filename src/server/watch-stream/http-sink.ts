import type { ServerResponse } from 'node:http';
import type { WatchSink } from './sink.js';

/** A chunked HTTP response, whose headers have been flushed. */
export function httpSink(response: ServerResponse): WatchSink {
  return {
    write(pieces) {
      if (response.destroyed || response.writableEnded) return;
      const [only] = pieces;
      response.write(pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces));
    },
    backlog: () => response.writableLength + (response.socket?.writableLength ?? 0),
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  };
}
