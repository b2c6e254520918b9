import type { Input } from '../../io.js';
import type { NetStream } from '../../network/types.js';
import type { Process } from '../../process.js';
import { readerOf, writerOf } from '../../spawn.js';
import { runOther } from '../run-other.js';

/** Copies stdin to the stream and the stream to stdout until that ends, or nothing has come for so long. */
export async function talk(
  process: Process,
  stream: NetStream,
  halfClose: boolean,
  limitMs = Infinity,
): Promise<number> {
  const end = (): void => {
    stream.destroy();
  };
  process.signal.addEventListener('abort', end, { once: true });
  const send = async (): Promise<void> => {
    const { stdin, signal } = process;
    for (let chunk = await stdin.read(signal); chunk !== undefined; chunk = await stdin.read(signal))
      if (!stream.write(chunk)) await drained(stream);
    if (halfClose) stream.end();
  };
  const sending = send().catch((error: unknown) => {
    // The process was killed, or the peer left: it ends the stream and with it the loop below.
    if (!process.signal.aborted && !stream.destroyed) throw error;
  });
  const { clock } = process.container;
  let cancel: () => void = () => undefined;
  const arm = (): void => {
    cancel();
    if (limitMs !== Infinity) cancel = clock.after(limitMs, end);
  };
  try {
    arm();
    for await (const chunk of stream) {
      await process.stdout.write(chunk as Buffer);
      arm();
    }
    return 0;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE') return 0;
    throw error;
  } finally {
    cancel();
    process.signal.removeEventListener('abort', end);
    stream.destroy();
    void sending;
  }
}

const drained = (stream: NetStream): Promise<void> =>
  new Promise(resolve => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });

/** Runs a program with a connection as its input and output. */
export async function serve(process: Process, stream: NetStream, command: readonly string[]): Promise<number> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const input: Input = {
    description: 'socket:[1]',
    async read() {
      const next = await iterator.next();
      return next.done === true ? undefined : next.value;
    },
  };
  const output = {
    description: 'socket:[1]',
    async write(data: string | Buffer) {
      if (!stream.destroyed && !stream.write(data)) await drained(stream);
    },
  };
  const end = (): void => {
    stream.destroy();
  };
  process.signal.addEventListener('abort', end, { once: true });
  try {
    return await runOther(
      { ...process, stdin: readerOf(input, process.turn), stdout: writerOf(output, process.turn) },
      command,
    );
  } finally {
    process.signal.removeEventListener('abort', end);
    stream.end();
  }
}
