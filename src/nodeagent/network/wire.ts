import type { Socket } from 'node:net';
import { isNetworkErrorCode, NetworkError, type NetworkErrorCode } from './errors.js';
import type { Flow, NetworkStep } from './types.js';

/**
 * How agents hand packets to each other: a TCP connection that starts with one line of JSON, the Packet, answered by one
 * line of JSON, the Verdict. After an accepted TCP packet the rest of the connection is the stream itself; a UDP packet
 * carries its datagram in the line and is answered by one.
 */
export interface WirePacket {
  readonly flow: Flow;
  /** Times it may still be forwarded, as IP's TTL. */
  readonly ttl: number;
  /** The receiver reports its steps. */
  readonly trace: boolean;
  readonly timeoutMs: number;
  /** UDP: the datagram, base64. */
  readonly payload?: string;
}

export interface WireVerdict {
  readonly error?: { readonly code: NetworkErrorCode; readonly detail: string };
  readonly steps: readonly NetworkStep[];
  /** UDP: the answer, base64; absent when there was none. */
  readonly payload?: string;
}

/** The largest datagram is 64 KiB, 88 KiB in base64; traces are longer. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

export const writeLine = (socket: Socket, message: WirePacket | WireVerdict): void => {
  socket.write(`${JSON.stringify(message)}\n`);
};

/**
 * Reads one line and leaves what follows it unread in the socket, which is paused afterwards.
 * @throws NetworkError ECONNRESET when the peer closes first or does not speak the protocol
 */
export function readLine(socket: Socket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = [];
    let length = 0;
    const finish = (done: () => void): void => {
      socket.off('data', onData);
      socket.off('error', onError);
      socket.off('close', onClose);
      socket.off('end', onClose);
      socket.pause();
      done();
    };
    const onError = (error: Error & { code?: string }): void =>
      finish(() => reject(isNetworkErrorCode(error.code) ? new NetworkError(error.code) : error));
    const onClose = (): void => finish(() => reject(new NetworkError('ECONNRESET')));
    const onData = (chunk: Buffer): void => {
      const newline = chunk.indexOf(10);
      parts.push(newline < 0 ? chunk : chunk.subarray(0, newline));
      length += chunk.length;
      if (newline < 0) {
        if (length > MAX_LINE_BYTES) finish(() => reject(new NetworkError('ECONNRESET', 'not a pod network peer')));
        return;
      }
      finish(() => {
        const rest = chunk.subarray(newline + 1);
        if (rest.length > 0) socket.unshift(rest);
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString('utf8')));
        } catch (error) {
          reject(new NetworkError('ECONNRESET', `not a pod network peer: ${(error as Error).message}`));
        }
        parts = [];
      });
    };
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.on('end', onClose);
  });
}

const isPort = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65535;

/** Checks what came over the wire. @throws NetworkError */
export function parsePacket(value: unknown): WirePacket {
  const packet = value as Partial<WirePacket> | null;
  const flow = packet?.flow;
  const valid =
    flow !== undefined &&
    (flow.proto === 'tcp' || flow.proto === 'udp') &&
    typeof flow.src === 'string' &&
    typeof flow.dst === 'string' &&
    isPort(flow.srcPort) &&
    isPort(flow.dstPort) &&
    Number.isInteger(packet?.ttl) &&
    typeof packet?.timeoutMs === 'number';
  if (!valid) throw new NetworkError('ECONNRESET', 'malformed packet');
  return packet as WirePacket;
}
