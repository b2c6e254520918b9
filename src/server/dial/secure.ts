import type { Duplex } from 'node:stream';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { isIP } from 'node:net';
import type { Clock } from '../../machinery/clock.js';
import { certificateNameProblem } from './certificate-name.js';
import { DialError, transportProblem } from './dial-problem.js';
import type { TlsSettings } from './types.js';

/** Go's http.DefaultTransport. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What of the settings is worth making once. @throws DialError for a CA or an identity that is none */
export async function secureContextOf({ ca, identity }: TlsSettings): Promise<SecureContext> {
  const { createSecureContext } = await import('node:tls');
  try {
    // As in Go, what is trusted is trusted, though it be signed by somebody unknown: test kits give the server's own certificate.
    return createSecureContext({ ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true }), ...identity });
  } catch (error) {
    throw new DialError((error as Error).message);
  }
}

/** TLS over a connection, which is destroyed when there will be none. @throws DialError, or the signal's reason */
export async function secure(
  connection: Duplex,
  settings: TlsSettings,
  context: SecureContext,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Duplex> {
  const { connect } = await import('node:tls');
  // TLS over what has ended already would wait for ever: it hears of no close.
  if (connection.destroyed) throw new DialError('EOF');
  const { serverName, insecure = false } = settings;
  const options: ConnectionOptions = {
    socket: connection,
    secureContext: context,
    // An address is no name to ask for (RFC 6066).
    servername: isIP(serverName) === 0 ? serverName : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: !insecure,
    checkServerIdentity: (_host, certificate) =>
      insecure ? undefined : certificateNameProblem(serverName, certificate),
  };
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    const end = (reason: Error): void => {
      settled();
      reject(reason);
      socket.destroy();
      connection.destroy();
    };
    const abort = (): void => end(signal.reason as Error);
    const cancel = clock.after(HANDSHAKE_TIMEOUT_MS, () => end(new DialError('net/http: TLS handshake timeout')));
    const closed = (): void => end(new DialError('EOF'));
    const settled = (): void => {
      cancel();
      signal.removeEventListener('abort', abort);
      socket.off('close', closed);
    };
    connection.once('close', () => socket.destroy());
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      settled();
      resolve(socket);
    });
    // Stays: what goes wrong later shows in what is read.
    socket.on('error', error => end(transportProblem(error)));
    if (signal.aborted) abort();
  });
}
