import type { Writable } from 'node:stream';

/**
 * Resolves when a stream that had no room has some again, or is closed, or the signal aborts. No listener stays behind:
 * a client that reads slowly makes many such waits of one stream.
 */
export function drained(stream: Writable, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    if (!stream.writableNeedDrain || stream.destroyed || signal?.aborted === true) return resolve();
    stream.on('drain', done);
    stream.on('close', done);
    signal?.addEventListener('abort', done);
  });
}
