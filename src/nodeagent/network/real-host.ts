import { connect, isIPv6, type Socket } from 'node:net';
import { NetworkError, toNetworkError } from '../../containers/network/errors.js';
import type { SocketAddress } from '../../containers/network/types.js';
import type { Cable } from '../../machinery/cable.js';
import { freezeWith } from './cable-sockets.js';

/** Opens a real TCP connection, which stands still while the cable is pulled. @throws NetworkError, or the signal's reason */
export async function dialReal(to: SocketAddress, signal?: AbortSignal, cable?: Cable): Promise<Socket> {
  const opened = await connected(to, signal);
  freezeWith(cable, opened);
  return opened;
}

function connected(to: SocketAddress, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const socket = connect({ host: to.address, port: to.port, allowHalfOpen: true, noDelay: true });
    const abort = (): void => {
      socket.destroy();
      reject(signal?.reason as Error);
    };
    const fail = (error: Error): void => {
      signal?.removeEventListener('abort', abort);
      reject(toNetworkError(error));
    };
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      signal?.removeEventListener('abort', abort);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/**
 * Sends a real datagram and resolves with the first answer. Waits until the signal aborts.
 * @throws NetworkError ECONNREFUSED when nothing listens, or the signal's reason
 */
export async function exchangeReal(to: SocketAddress, payload: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket(isIPv6(to.address) ? 'udp6' : 'udp4');
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      socket.once('error', error => reject(toNetworkError(error)));
      socket.once('message', resolve);
      // Connected, so that the kernel reports a closed port as ECONNREFUSED instead of silence.
      socket.connect(to.port, to.address, (error?: Error) => {
        if (error !== undefined) return reject(new NetworkError('EHOSTUNREACH', error.message));
        if (signal.aborted) return reject(signal.reason as Error);
        socket.send(payload);
      });
    });
  } finally {
    socket.close();
  }
}
