import type { Duplex } from 'node:stream';
import type { Clock } from '../../machinery/clock.js';
import type { Endpoint } from './choose-backend.js';

/** Opens a connection of the Pod. @throws Error with a code: ECONNREFUSED, EHOSTUNREACH, … */
export type Dial = (to: Endpoint, signal: AbortSignal) => Promise<Duplex>;

/** Nobody took the request: nothing of it was sent. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
  constructor(
    readonly status: 502 | 504,
    message: string,
  ) {
    super(message);
  }
}

export interface DialOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly secure: boolean;
  /** Aborts when nobody waits for it any longer. */
  readonly signal: AbortSignal;
}

/** A connection to the first endpoint that takes one. @throws NotTaken, or the signal's reason */
export async function dialFirst(
  endpoints: readonly Endpoint[],
  options: DialOptions,
): Promise<{ readonly stream: Duplex; readonly endpoint: Endpoint }> {
  let failure = new NotTaken(502, 'no endpoint');
  for (const endpoint of endpoints)
    try {
      return { stream: await dialOne(endpoint, options), endpoint };
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason;
      const { code, message } = error as { code?: string; message: string };
      const isLate = error instanceof Late || code === 'ETIMEDOUT';
      failure = new NotTaken(isLate ? 504 : 502, `${endpoint.address}:${endpoint.port}: ${message}`);
    }
  throw failure;
}

class Late extends Error {}

async function dialOne(endpoint: Endpoint, { dial, clock, timeoutMs, secure, signal }: DialOptions): Promise<Duplex> {
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => late.abort(new Late(`no connection within ${timeoutMs} ms`)));
  const patience = AbortSignal.any([late.signal, signal]);
  try {
    const stream = await dial(endpoint, patience);
    // A reset after this is told by whoever reads; unheard it would end the process.
    stream.on('error', () => undefined);
    return secure ? await secured(stream, patience) : stream;
  } catch (error) {
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    cancel();
  }
}

/** TLS to a backend. As with ingress-nginx anybody's certificate will do. */
async function secured(stream: Duplex, signal: AbortSignal): Promise<Duplex> {
  const { connect } = await import('node:tls');
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: stream, rejectUnauthorized: false });
    const end = (error: Error): void => {
      signal.removeEventListener('abort', aborted);
      stream.destroy();
      reject(error);
    };
    const aborted = (): void => end(signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) return aborted();
    stream.once('close', () => end(Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })));
    socket.on('error', end);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', aborted);
      resolve(socket);
    });
  });
}
