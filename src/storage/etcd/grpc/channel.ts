import type { ClientHttp2Session } from 'node:http2';
import { callForEver, callOnce, type Duplex } from './call.js';
import { openConnection, type ConnectOptions } from './connection.js';
import { GrpcError, NotSentError } from './status.js';

export interface ChannelOptions extends Omit<ConnectOptions, 'clock'> {
  readonly clock: ConnectOptions['clock'];
  /** URLs, at least one. One is used at a time. */
  readonly servers: readonly string[];
  /** How long a call may take, in milliseconds. */
  readonly deadlineMs?: number;
}

export interface CallOptions {
  /** It changes nothing: when a server cannot answer, the next one is asked. */
  readonly safe?: boolean;
}

export interface StreamHandlers {
  readonly message: (message: Buffer) => void;
  /** Called once. */
  readonly ended: (error: GrpcError) => void;
}

/** Calls to one of several servers that are as good as each other: the one at hand, until it fails. */
export interface Channel {
  /** @throws GrpcError; NotSentError when no server can be reached */
  call(path: string, request: Uint8Array, options?: CallOptions): Promise<Buffer>;
  /** @throws NotSentError */
  stream(path: string, handlers: StreamHandlers): Promise<Duplex>;
  close(): void;
}

const DEADLINE_MS = 10_000;

export function createChannel({ servers, deadlineMs = DEADLINE_MS, ...connecting }: ChannelOptions): Channel {
  const { clock } = connecting;
  let turn = 0;
  let session: ClientHttp2Session | undefined;
  let opening: Promise<ClientHttp2Session> | undefined;
  let closed = false;

  const leave = (left: ClientHttp2Session): void => {
    if (session !== left) return;
    session = undefined;
    turn = (turn + 1) % servers.length;
    left.close();
  };

  const dial = async (): Promise<ClientHttp2Session> => {
    let last: unknown;
    for (let i = 0; i < servers.length; i++) {
      try {
        const opened = await openConnection(servers[turn] ?? '', connecting);
        if (closed) opened.destroy();
        else session = opened;
        opened.once('close', () => leave(opened));
        opened.once('goaway', () => leave(opened));
        return opened;
      } catch (error) {
        last = error;
        turn = (turn + 1) % servers.length;
      }
    }
    throw last;
  };

  const connected = (): Promise<ClientHttp2Session> => {
    if (closed) return Promise.reject(new NotSentError('Canceled', 'the connection is closing'));
    if (session !== undefined && !session.closed && !session.destroyed) return Promise.resolve(session);
    return (opening ??= dial().finally(() => (opening = undefined)));
  };

  /** Whether another server may have an answer where this one had none. */
  const mayAskAgain = (error: unknown, safe: boolean): boolean =>
    error instanceof NotSentError || (safe && error instanceof GrpcError && error.code === 'Unavailable');

  return {
    async call(path, request, { safe = false } = {}) {
      for (let left = servers.length; ; left--) {
        const on = await connected();
        try {
          return await callOnce(on, path, request, { clock, deadlineMs });
        } catch (error) {
          // A member without a leader answers, but cannot do anything: another one may.
          if (error instanceof GrpcError && error.code === 'Unavailable') leave(on);
          if (left <= 0 || closed || !mayAskAgain(error, safe)) throw error;
        }
      }
    },
    async stream(path, { message, ended }) {
      const on = await connected();
      return callForEver(on, path, {
        message,
        ended(error) {
          if (error?.code === 'Unavailable') leave(on);
          ended(error ?? new GrpcError('Unavailable', 'the stream was ended'));
        },
      });
    },
    close() {
      closed = true;
      session?.destroy();
      session = undefined;
    },
  };
}
