import { drained } from '../../machinery/drained.js';
import { NetworkError } from '../network/errors.js';
import type { Account } from '../machine/memory.js';
import type { NetStream, SocketAddress } from '../network/types.js';
import { Killed, type Process } from '../process.js';
import { untilStopped } from './http-server.js';
import { StreamReader } from './stream-reader.js';

/** The peer has left while something was sent to it. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

/** One connection of a program that speaks a protocol of its own. */
export interface Connection {
  readonly reader: StreamReader;
  readonly stream: NetStream;
  /** Waits where the peer does not read. @throws Gone */
  readonly write: (data: string | Buffer) => void | Promise<void>;
  /**
   * Sends what nobody has asked for, and does not wait: what is not read yet counts as memory of the server, and a peer that
   * leaves too much unread is sent away. @throws Killed
   */
  readonly post: (data: Buffer) => void;
}

/** A connection held open costs its server so much. */
const CONNECTION_BYTES = 16 * 1024;
/** Connections of one server. More are turned away. */
const MAX_CONNECTIONS = 1024;
/** As redis has it for subscribers. */
const MAX_UNREAD = 8 * 1024 * 1024;

type Talk = (connection: Connection) => Promise<void>;

/** What a port is for. */
export interface Door {
  readonly port: number;
  readonly talk: Talk;
}

/**
 * Serves a protocol on ports of the pod network until the process is told to stop: exit status 0. A port already taken is
 * exit status 1 and a line on stderr. Each connection is ended when its talk is over.
 */
export async function serveConnections(
  process: Process,
  doors: readonly Door[],
  until?: Promise<number>,
): Promise<number> {
  const closers: (() => void)[] = [];
  const open = new Set<NetStream>();
  try {
    for (const { port, talk } of doors)
      closers.push(
        process.container.network.listen(port, stream => {
          if (open.size >= MAX_CONNECTIONS) return void stream.destroy();
          open.add(stream);
          stream.once('close', () => open.delete(stream));
          void converse(process, stream, talk);
        }),
      );
    return await (until ?? untilStopped(process));
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await process.stderr.write(`bind: ${error.text} ${error.detail}\n`);
    return 1;
  } finally {
    for (const close of closers) close();
    for (const stream of open) stream.destroy();
  }
}

async function converse(process: Process, stream: NetStream, talk: Talk): Promise<void> {
  const memory = process.container.budget.memory.account();
  stream.on('error', () => stream.destroy());
  try {
    memory.add(CONNECTION_BYTES);
    await talk(connectionOf(stream, memory));
    stream.end();
  } catch (error) {
    stream.destroy();
    // Who is killed, or left alone, says nothing more.
    if (!(error instanceof Gone || error instanceof Killed)) {
      const line = process.stderr.write(`connection closed: ${(error as Error).message}\n`);
      await line?.catch(() => undefined);
    }
  } finally {
    memory.close();
  }
}

function present(stream: NetStream): void {
  if (stream.destroyed) throw new Gone();
}

function connectionOf(stream: NetStream, memory: Account): Connection {
  let unread = 0;
  return {
    reader: new StreamReader(stream, memory),
    stream,
    write(data) {
      if (stream.destroyed || stream.writableEnded) throw new Gone();
      return stream.write(data) ? undefined : drained(stream).then(() => present(stream));
    },
    post(data) {
      if (stream.destroyed || stream.writableEnded) return;
      if (unread + data.length > MAX_UNREAD) return void stream.destroy();
      unread += data.length;
      const { length } = data;
      memory.add(length);
      stream.write(data, () => {
        unread -= length;
        // What is left when the connection ends was given back with it.
        if (!stream.destroyed) memory.remove(length);
      });
    },
  };
}

/** A name that nobody has an address for. */
export class UnknownHost extends Error {
  override readonly name = 'UnknownHost';
}

/** Opens a connection as a client. It is ended with the process. @throws NetworkError, UnknownHost */
export async function dial(
  process: Process,
  host: string,
  port: number,
): Promise<Connection & { readonly to: SocketAddress }> {
  const { container, signal } = process;
  const [address] = (await container.resolver.lookup(host, { signal })).addresses;
  if (address === undefined) throw new UnknownHost(host);
  const to = { address, port };
  const stream = await container.network.connect(to, { signal });
  stream.on('error', () => stream.destroy());
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  return { ...connectionOf(stream, process.memory), to };
}
