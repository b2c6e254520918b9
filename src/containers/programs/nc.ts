import { NetworkError } from '../network/errors.js';
import type { NetStream, SocketAddress } from '../network/types.js';
import type { Input } from '../io.js';
import type { Process, Program } from '../process.js';
import { readerOf, writerOf } from '../spawn.js';
import { createPipe } from '../io.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { parseOptions, type Options } from './options.js';
import { runOther } from './run-other.js';

const USAGE =
  'nc: usage: nc [-nuvz] [-w SEC] [-p PORT] HOST PORT[-PORT] [-e PROG ARGS], nc -l [-knuv] [-w SEC] [-p] PORT [-e PROG ARGS]\n';
/** The largest datagram that fits a packet. */
const MAX_DATAGRAM = 65_507;
/** What waits to be read while nobody reads: more connections, and more datagrams, are turned away. */
const BACKLOG = 128;
const MAX_PORTS = 65_536;

/** BusyBox's nc [-zvnu] [-w SEC] [-p PORT] HOST PORT, nc -l [-kuv] -p PORT [-e PROG ARGS]: stdin's end is sent. */
export const nc: Program = process => netcat(process, true);

/** OpenBSD's: what is read ends, and the connection stays both ways until the peer ends it, or -N is given. */
export const openbsdNc: Program = process => netcat(process, false);

async function netcat(process: Process, sendsEnd: boolean): Promise<number> {
  const given = process.args.slice(1);
  // What follows -e is a whole command line.
  const e = given.findIndex(arg => arg === '-e' || arg === '-c');
  const command = e < 0 ? [] : given.slice(e + 1);
  const options = parseOptions(e < 0 ? given : given.slice(0, e), { short: 'zvnulktNw:p:i:q:s:46' });
  const halfClose = sendsEnd || options.has('N');
  if (options.has('l')) return listen(process, options, command, halfClose);
  const [host = '', portText = ''] = options.operands;
  const ports = portsOf(portText);
  if (host === '' || ports.length === 0) {
    await process.stderr.write(USAGE);
    return 1;
  }
  const { resolver, network, clock } = process.container;
  const seconds = options.get('w');
  const limitMs = seconds === undefined ? Infinity : Number(seconds) * 1000;
  let status = 1;
  for (const port of ports) {
    const limit = deadline(clock, limitMs, process.signal);
    let address: string | undefined;
    try {
      [address] = (await resolver.lookup(host, { signal: limit.signal })).addresses;
      if (address === undefined) {
        await process.stderr.write(`nc: bad address '${host}'\n`);
        return 1;
      }
      const to = { address, port };
      if (options.has('u')) {
        status = await datagrams(process, to, options, limitMs);
        continue;
      }
      const stream = await network.connect(to, { signal: limit.signal });
      limit.cancel();
      if (options.has('v')) await process.stderr.write(`${host} (${address}:${port}) open\n`);
      if (options.has('z')) {
        stream.destroy();
        status = 0;
        continue;
      }
      return command.length > 0
        ? await serve(process, stream, command)
        : await talk(process, stream, halfClose, limitMs);
    } catch (error) {
      if (!(error instanceof NetworkError || error instanceof DeadlineExceeded)) throw error;
      const text = error instanceof NetworkError ? error.text : 'Connection timed out';
      // BusyBox is silent about a failed -z unless asked.
      if (options.has('v') || !options.has('z'))
        await process.stderr.write(`nc: ${host} (${address ?? '?'}:${port}): ${text}\n`);
      if (ports.length === 1) return 1;
    } finally {
      limit.cancel();
    }
  }
  return status;
}

/** "80", "80-90". */
function portsOf(text: string): number[] {
  const [, from = '', to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to ?? from)];
  if (from === '' || first < 1 || last >= MAX_PORTS || last < first) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Sends every piece of stdin as a datagram from one port, and prints what comes back. */
async function datagrams(process: Process, to: SocketAddress, options: Options, limitMs: number): Promise<number> {
  const { network, clock } = process.container;
  const localPort = options.get('p');
  const from = localPort === undefined ? {} : { localPort: Number(localPort) };
  const timeoutMs = Math.min(limitMs, 5000);
  const send = (payload: Buffer): Promise<void> =>
    network.exchange(to, payload, { signal: process.signal, timeoutMs, ...from }).then(
      async reply => void (await process.stdout.write(reply)),
      (error: unknown) => {
        if (!(error instanceof NetworkError)) throw error;
        // Nobody answers datagrams as a rule; a port that is closed says so.
        if (error.code === 'ECONNREFUSED') throw error;
      },
    );
  if (options.has('z')) {
    const [answer] = await Promise.allSettled([send(Buffer.alloc(0))]);
    if (answer.status === 'rejected') throw answer.reason;
    if (options.has('v')) await process.stderr.write(`${to.address} (${to.address}:${to.port}) open\n`);
    return 0;
  }
  const input = inputWithin(process, limitMs);
  let waiting: Promise<void> = Promise.resolve();
  for (let chunk = await input(); chunk !== undefined; chunk = await input())
    for (let at = 0; at < chunk.length; at += MAX_DATAGRAM) {
      const sent = send(chunk.subarray(at, at + MAX_DATAGRAM));
      waiting = Promise.all([waiting, sent]).then(() => undefined);
      waiting.catch(() => undefined);
      await Promise.race([sent.catch(() => undefined), clock.sleep(50, process.signal)]);
    }
  await waiting;
  return 0;
}

/** Reads stdin; undefined at its end, or when nothing has come for so long. */
function inputWithin(process: Process, limitMs: number): () => Promise<Buffer | undefined> {
  return async () => {
    const limit = deadline(process.container.clock, limitMs, process.signal);
    try {
      return await process.stdin.read(limit.signal);
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error;
      return undefined;
    } finally {
      limit.cancel();
    }
  };
}

/** Copies stdin to the stream and the stream to stdout until that ends, or nothing has come for so long. */
async function talk(process: Process, stream: NetStream, halfClose: boolean, limitMs = Infinity): Promise<number> {
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
async function serve(process: Process, stream: NetStream, command: readonly string[]): Promise<number> {
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

async function listen(
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
