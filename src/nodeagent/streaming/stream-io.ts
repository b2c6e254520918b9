import type { Duplex, Readable } from 'node:stream';
import type { Input, Output } from '../../containers/io.js';

/** A node stream as a process's standard input. */
export function inputFrom(stream: Readable): Input {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return {
    async read(signal) {
      if (signal?.aborted === true) throw signal.reason as Error;
      let onAbort: () => void = () => undefined;
      const aborted = new Promise<never>((_resolve, reject) => {
        onAbort = () => reject(signal?.reason as Error);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
      try {
        const next = await Promise.race([iterator.next(), aborted]);
        return next.done === true ? undefined : next.value;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
  };
}

/** A node stream as a process's standard output. What is written after the client has gone is dropped. */
export const outputTo = (stream: Duplex): Output => ({
  write: data =>
    new Promise(resolve => {
      if (stream.destroyed || stream.writableEnded) return resolve();
      stream.write(data, () => resolve());
    }),
});
