import { createPipe } from '../../io.js';
import type { NetStream } from '../../network/types.js';
import type { Process } from '../../process.js';
import { deadline, DeadlineExceeded } from '../../../machinery/deadline.js';
import type { Options } from '../options.js';
import { serve, talk } from './talk.js';
import { MAX_PORTS, USAGE } from './usage.js';

/** What waits to be read while nobody reads: more connections, and more datagrams, are turned away. */
const BACKLOG = 128;

/** nc -l: a connection at a time. */
export async function listen(
  process: Process,
  options: Options,
  command: readonly string[],
  halfClose: boolean,
): Promise<number> {
  const port = Number(options.get('p') ?? options.operands.at(-1) ?? 0);
  if (!Number.isInteger(port) || port < 1 || port >= MAX_PORTS) {
    await process.stderr.write(USAGE);
    return 1;
  }
  if (options.has('u')) return listenUdp(process, port, options);
  const waiting: NetStream[] = [];
  let wake: () => void = () => undefined;
  const close = process.container.network.listen(port, stream => {
    if (waiting.length >= BACKLOG) return void stream.destroy();
    waiting.push(stream);
    wake();
  });
  const seconds = options.get('w');
  const limit = deadline(
    process.container.clock,
    seconds === undefined ? Infinity : Number(seconds) * 1000,
    process.signal,
  );
  try {
    if (options.has('v')) await process.stderr.write(`listening on [::]:${port} ...\n`);
    const keep = options.has('k');
    do {
      while (waiting.length === 0)
        await new Promise<void>((resolve, reject) => {
          const stop = (): void => reject(limit.signal.reason as Error);
          if (limit.signal.aborted) stop();
          limit.signal.addEventListener('abort', stop, { once: true });
          wake = () => {
            limit.signal.removeEventListener('abort', stop);
            resolve();
          };
        });
      limit.cancel();
      const stream = waiting.shift();
      if (stream === undefined) continue;
      if (options.has('v'))
        await process.stderr.write(
          `connect to [::]:${port} from ${stream.remoteAddress ?? '?'}:${stream.remotePort ?? 0}\n`,
        );
      if (command.length === 0) await talk(process, stream, halfClose);
      else if (keep) void serve(process, stream, command).catch(() => stream.destroy());
      else await serve(process, stream, command);
    } while (keep);
    return 0;
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    await process.stderr.write('nc: timed out\n');
    return 1;
  } finally {
    limit.cancel();
    close();
    for (const stream of waiting) stream.destroy();
  }
}

/** Prints the datagrams that come to a port; what is read from stdin answers them, each line the next one. */
async function listenUdp(process: Process, port: number, options: Options): Promise<number> {
  const arrived = createPipe('socket:[1]');
  let unread = 0;
  let replies: Buffer[] = [];
  const close = process.container.network.listenUdp(port, payload => {
    if (unread < BACKLOG) {
      unread++;
      void arrived.write(payload);
    }
    return replies.shift();
  });
  const answers = async (): Promise<void> => {
    const { stdin, signal } = process;
    for (let chunk = await stdin.read(signal); chunk !== undefined; chunk = await stdin.read(signal))
      replies = [...replies, chunk].slice(-BACKLOG);
  };
  void answers().catch(() => undefined);
  const seconds = options.get('w');
  try {
    if (options.has('v')) await process.stderr.write(`listening on [::]:${port} ...\n`);
    for (;;) {
      const limit = deadline(
        process.container.clock,
        seconds === undefined ? Infinity : Number(seconds) * 1000,
        process.signal,
      );
      try {
        const payload = await arrived.read(limit.signal);
        unread = 0;
        await process.stdout.write(payload ?? '');
      } catch (error) {
        if (error instanceof DeadlineExceeded) return 0;
        throw error;
      } finally {
        limit.cancel();
      }
    }
  } finally {
    close();
  }
}
