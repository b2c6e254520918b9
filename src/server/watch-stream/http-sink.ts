import type { ServerResponse } from 'node:http';
import type { Backlog } from './backlog.js';
import { LAST_CHUNK, type Frames } from './frames.js';
import type { Rounds } from './rounds.js';
import type { WatchSink } from './sink.js';

/** What waits of one watch above this does not wait for the end of a pause. */
const HURRY_BYTES = 32 * 1024;

/**
 * A chunked HTTP response, whose headers have been flushed. What is written waits for its round, and as long as the client
 * has not taken what was sent before. All watches that send the same share its bytes, also where clients are slow.
 */
export function httpSink(response: ServerResponse, backlog: Backlog, rounds: Rounds): WatchSink {
  const account = backlog.open(() => response.destroy());
  /** Of HTTP/1.0 a body has no chunks. Else they are made here, and Node is told that there are none to be made. */
  const chunked = response.chunkedEncoding;
  response.chunkedEncoding = false;
  let pieces: Buffer[] = [];
  let bytes = 0;
  /** As many of these as its client has been late for. */
  let counted = 0;
  let state: 'idle' | 'waiting for its round' | 'waiting for its client' = 'idle';
  let ending = false;

  const gone = (): boolean => response.destroyed || response.writableEnded;
  const finish = (): void => {
    if (chunked) response.write(LAST_CHUNK);
    response.end();
  };
  const send = (frames: Frames): void => {
    if (gone()) return;
    const chunk = chunked ? frames.chunk(pieces) : Buffer.concat(pieces);
    const sent = bytes;
    const uncounted = bytes - counted;
    pieces = [];
    bytes = counted = 0;
    state = 'waiting for its client';
    response.write(chunk, () => {
      account.take(sent);
      state = 'idle';
      if (pieces.length > 0) join();
      else if (ending && !gone()) finish();
    });
    account.add(uncounted);
  };
  const join = (): void => {
    state = 'waiting for its round';
    rounds.join(send);
  };
  response.once('close', () => {
    account.close();
    pieces = [];
  });

  return {
    write(more) {
      if (gone() || ending) return;
      let added = 0;
      for (const piece of more) {
        pieces.push(piece);
        added += piece.length;
      }
      bytes += added;
      // While it waits for its round, nobody but the server is late.
      if (state === 'waiting for its client') {
        counted += added;
        account.add(added);
      } else if (bytes > HURRY_BYTES) rounds.hurry();
      if (state === 'idle' && pieces.length > 0) join();
    },
    backlog: () => account.bytes() + bytes - counted,
    end() {
      if (ending || gone()) return;
      ending = true;
      if (state === 'idle') finish();
    },
    destroy: () => void response.destroy(),
  };
}
