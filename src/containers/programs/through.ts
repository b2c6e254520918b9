import type { Transform } from 'node:stream';
import type { Input } from '../io.js';
import type { Process } from '../process.js';

/** An input as it comes out of a stream that changes it: gzip and its kin. Neither side runs ahead of the other. */
export function through(process: Process, input: Input, transform: Transform): Input {
  const feed = async (): Promise<void> => {
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
      await new Promise<void>((resolve, reject) =>
        transform.write(chunk, error => (error === null || error === undefined ? resolve() : reject(error))),
      );
    transform.end();
  };
  const end = (): void => void transform.destroy();
  process.signal.addEventListener('abort', end, { once: true });
  // A failure to feed is seen by who reads.
  feed().catch((error: unknown) => transform.destroy(error as Error));
  const iterator = transform[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return {
    async read() {
      const next = await iterator.next();
      process.signal.throwIfAborted();
      if (next.done !== true) return next.value;
      process.signal.removeEventListener('abort', end);
      return undefined;
    },
  };
}
