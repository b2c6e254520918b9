import { connect, type ClientHttp2Session } from 'node:http2';
import type { Clock } from '../../../machinery/clock.js';
import { GrpcError, NotSentError } from './status.js';

/** PEM texts. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ConnectOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly tls: TlsFiles;
}

const CONNECT_MS = 5_000;
/** etcd ends connections that ping more often than every five seconds, or while nothing is asked. */
const PING_EVERY_MS = 10_000;
const PING_WAIT_MS = 5_000;
/** How much may be on its way to us: a page of a list is megabytes. */
const WINDOW_BYTES = 8 << 20;

/** A connection to one server that is known to stand. @throws NotSentError */
export async function openConnection(url: string, { clock, tls }: ConnectOptions): Promise<ClientHttp2Session> {
  const session = connect(url, { ...tls, settings: { enablePush: false, initialWindowSize: WINDOW_BYTES } });
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      cancel();
      reject(new NotSentError('Unavailable', `connection error: ${url}: ${reasonOf(cause)}`, { cause }));
    };
    const slow = (): void => session.destroy(new Error(`no answer for ${CONNECT_MS / 1000} s`));
    const cancel = clock.after(CONNECT_MS, slow, { unref: true });
    session.on('error', fail);
    session.once('close', () => fail(new Error('the connection was closed')));
    // Settings come from a server that speaks HTTP/2; a connection alone says nothing.
    session.once('remoteSettings', () => {
      cancel();
      resolve();
    });
  });
  session.setLocalWindowSize(WINDOW_BYTES);
  keepAlive(session, clock);
  return session;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EHOSTUNREACH: 'no route to host',
  ECONNRESET: 'connection reset by peer',
  ERR_HTTP2_ERROR: 'what answers does not speak HTTP/2: is it etcd, and http or https?',
};

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (REASONS[code ?? ''] ?? error.message).split('\n')[0] ?? '';
}

/** Whoever has frozen, or was cut off, does not say so: one that answers no ping is gone. */
function keepAlive(session: ClientHttp2Session, clock: Pick<Clock, 'after'>): void {
  let cancel = (): void => undefined;
  const next = (): void => void (cancel = clock.after(PING_EVERY_MS, ask, { unref: true }));
  const ask = (): void => {
    if (session.destroyed || session.closed) return;
    const lost = (): void => session.destroy(new GrpcError('Unavailable', 'keepalive ping failed to receive ACK'));
    cancel = clock.after(PING_WAIT_MS, lost, { unref: true });
    session.ping(error => {
      cancel();
      if (error === null) next();
    });
  };
  session.once('close', () => cancel());
  next();
}
