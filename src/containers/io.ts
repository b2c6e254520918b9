/** Where a process reads from. One reader at a time. */
export interface Input {
  /** The next bytes, or undefined at the end. Rejects with the signal's reason when the reader is killed. */
  read(signal?: AbortSignal): Promise<Buffer | undefined>;
  /** What /proc/PID/fd shows. */
  readonly description?: string;
}

/** Where a process writes to. */
export interface Output {
  /** Resolves when there is room for more. @throws BrokenPipe */
  write(data: string | Buffer): void | Promise<void>;
  /** What /proc/PID/fd shows. */
  readonly description?: string;
}

/** A write that nobody will read: SIGPIPE. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

export const emptyInput: Input = { read: () => Promise.resolve(undefined), description: '/dev/null' };
export const nullOutput: Output = { write: () => undefined, description: '/dev/null' };

/** The size in which programs copy. */
export const CHUNK = 64 * 1024;

export const inputOf = (data: string | Buffer): Input => {
  const bytes = Buffer.from(data);
  let at = 0;
  return {
    async read() {
      if (at >= bytes.length) return undefined;
      at += CHUNK;
      return bytes.subarray(at - CHUNK, at);
    },
  };
};

/** What a collector of output keeps when nobody says how much. */
const CAPTURE_LIMIT = 16 * 1024 * 1024;

/** Collects what is written, up to a limit; the rest is lost. */
export function captured(limit = CAPTURE_LIMIT): Output & { text(): string; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  let size = 0;
  const bytes = (): Buffer => Buffer.concat(chunks);
  return {
    write(data) {
      if (size >= limit) return;
      const chunk = Buffer.from(data).subarray(0, limit - size);
      size += chunk.length;
      chunks.push(chunk);
    },
    bytes,
    text: () => bytes().toString('utf8'),
  };
}

/** As Linux: a writer waits once this much is unread. */
const PIPE_CAPACITY = 64 * 1024;

export interface Pipe extends Input, Output {
  /** The writer is done: the reader gets what is left, then the end. */
  readonly closeWrite: () => void;
  /** The reader is done: further writes throw BrokenPipe. */
  readonly closeRead: () => void;
}

export function createPipe(description = 'pipe:[1]'): Pipe {
  let chunks: Buffer[] = [];
  let size = 0;
  let ended = false;
  let broken = false;
  let wakeReader: () => void = () => undefined;
  let wakeWriters: (() => void)[] = [];

  const wakeAllWriters = (): void => {
    const waiting = wakeWriters;
    wakeWriters = [];
    for (const wake of waiting) wake();
  };
  const take = (): Buffer | undefined => {
    if (chunks.length === 0) return undefined;
    // Many small writes are one read, as of a real pipe.
    const chunk = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    chunks = [];
    size = 0;
    wakeAllWriters();
    return chunk;
  };
  return {
    description,
    async read(signal) {
      while (chunks.length === 0 && !ended) {
        await new Promise<void>((resolve, reject) => {
          if (signal?.aborted === true) return reject(signal.reason as Error);
          const abort = (): void => reject(signal?.reason as Error);
          wakeReader = () => {
            signal?.removeEventListener('abort', abort);
            resolve();
          };
          signal?.addEventListener('abort', abort, { once: true });
        });
      }
      return take();
    },
    write(data) {
      if (broken) throw new BrokenPipe();
      if (ended || data.length === 0) return;
      const chunk = Buffer.from(data);
      chunks.push(chunk);
      size += chunk.length;
      wakeReader();
      if (size < PIPE_CAPACITY) return;
      return new Promise((resolve, reject) => wakeWriters.push(() => (broken ? reject(new BrokenPipe()) : resolve())));
    },
    closeWrite() {
      ended = true;
      wakeReader();
    },
    closeRead() {
      broken = true;
      chunks = [];
      size = 0;
      wakeAllWriters();
    },
  };
}

/** All of an input as bytes; `hold` is told of every piece and may refuse. */
export async function readAll(input: Input, signal?: AbortSignal, hold?: (bytes: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await input.read(signal); chunk !== undefined; chunk = await input.read(signal)) {
    hold?.(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
