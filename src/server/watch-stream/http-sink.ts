import type { ServerResponse } from 'node:http';
import type { Backlog } from './backlog.js';
import type { WatchSink } from './sink.js';

/** Pieces above this are written as they are, so that all watchers share the bytes of a large object. */
const SHARED_BYTES = 4 * 1024;

/** A chunked HTTP response, whose headers have been flushed. */
export function httpSink(response: ServerResponse, backlog: Backlog): WatchSink {
  const account = backlog.open(() => response.destroy());
  response.once('close', () => account.close());

  const send = (bytes: Buffer): void => {
    response.write(bytes, () => account.take(bytes.length));
    account.add(bytes.length);
  };
  return {
    write(pieces) {
      if (response.destroyed || response.writableEnded) return;
      response.cork();
      let small: Buffer[] = [];
      const flush = (): void => {
        const [only] = small;
        if (only !== undefined) send(small.length === 1 ? only : Buffer.concat(small));
        small = [];
      };
      for (const piece of pieces) {
        if (piece.length > SHARED_BYTES) {
          flush();
          send(piece);
        } else small.push(piece);
      }
      flush();
      response.uncork();
    },
    backlog: () => account.bytes(),
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  };
}
