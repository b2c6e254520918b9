/** Where a process reads from. One reader at a time. */
export interface Input {
  /** The next bytes, or undefined at the end. Rejects with the signal's reason when the reader is killed. */
  read(signal?: AbortSignal): Promise<Buffer | undefined>;
}

/** Where a process writes to. */
export interface Output {
  /** Resolves when there is room for more. @throws BrokenPipe */
  write(data: string | Buffer): void | Promise<void>;
}

/** A write that nobody will read: SIGPIPE. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

export const emptyInput: Input = { read: () => Promise.resolve(undefined) };
export const nullOutput: Output = { write: () => undefined };

export const inputOf = (data: string | Buffer): Input => {
  let rest: Buffer | undefined = Buffer.from(data);
  return {
    read() {
      const chunk = rest;
      rest = undefined;
      return Promise.resolve(chunk?.length === 0 ? undefined : chunk);
    },
  };
};

/** Collects what is written. */
export function captured(): Output & { text(): string; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  const bytes = (): Buffer => Buffer.concat(chunks);
  return {
    write(data) {
      chunks.push(Buffer.from(data));
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

export function createPipe(): Pipe {
  const chunks: Buffer[] = [];
  let size = 0;
  let ended = false;
  let broken = false;
  let wakeReader: () => void = () => undefined;
  let wakeWriters: (() => void)[] = [];

  const take = (): Buffer | undefined => {
    const chunk = chunks.shift();
    if (chunk === undefined) return undefined;
    size -= chunk.length;
    if (size < PIPE_CAPACITY) {
      for (const wake of wakeWriters) wake();
      wakeWriters = [];
    }
    return chunk;
  };
  return {
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
      for (const wake of wakeWriters) wake();
      wakeWriters = [];
    },
  };
}

/** All of an input as bytes. */
export async function readAll(input: Input, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await input.read(signal); chunk !== undefined; chunk = await input.read(signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The lines of an input, without their newline, as they come. */
export async function* readLines(input: Input, signal?: AbortSignal): AsyncGenerator<string> {
  let rest = '';
  for (let chunk = await input.read(signal); chunk !== undefined; chunk = await input.read(signal)) {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
