import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
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

/** The session would not always tell of an error of its socket that comes before anything else, as of a refused certificate. */
function openSocket(url: URL, tls: TlsFiles): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (url.protocol === 'http:') return connectTcp({ host, port, noDelay: true });
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ALPNProtocols: ['h2'], ...servername, ...tls }).setNoDelay(true);
}

/** A connection to one server that is known to stand. @throws NotSentError */
export async function openConnection(url: string, { clock, tls }: ConnectOptions): Promise<ClientHttp2Session> {
  const socket = openSocket(new URL(url), tls);
  const session = connect(url, {
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    createConnection: () => socket,
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      cancel();
      session.destroy();
      socket.destroy();
      reject(new NotSentError('Unavailable', `connection error: ${url}: ${reasonOf(cause)}`, { cause }));
    };
    const slow = (): void => fail(new Error(`no answer for ${CONNECT_MS / 1000} s`));
    const cancel = clock.after(CONNECT_MS, slow, { unref: true });
    socket.on('error', fail);
    session.on('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed')));
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
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the server wants a client certificate that it knows',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the server wants a client certificate that it knows',
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
