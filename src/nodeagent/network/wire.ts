import { isIP, type Socket } from 'node:net';
import { isNetworkErrorCode, NetworkError, type NetworkErrorCode } from '../../containers/network/errors.js';
import type { Flow, NetworkStep } from '../../containers/network/types.js';

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

/** The largest datagram is 64 KiB, 88 KiB in base64. */
export const MAX_PACKET_LINE = 128 * 1024;
/** Traces of many rules are longer. */
export const MAX_VERDICT_LINE = 4 * 1024 * 1024;
/** More than a packet's way through any two nodes needs; a larger number is a loop. */
export const MAX_TTL = 8;
/** tcp_syn_retries = 6: 127 s until connect(2) gives up, and nobody waits longer. */
export const TCP_CONNECT_TIMEOUT_MS = 127_000;
export const UDP_TIMEOUT_MS = 5_000;

export const writeLine = (socket: Socket, message: WirePacket | WireVerdict): void => {
  socket.write(`${JSON.stringify(message)}\n`);
};

/**
 * Reads one line and leaves what follows it unread in the socket, which is paused afterwards.
 * @throws NetworkError ECONNRESET when the peer closes first or does not speak the protocol
 */
export function readLine(socket: Socket, maxBytes: number): Promise<unknown> {
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
        if (length > maxBytes) finish(() => reject(new NetworkError('ECONNRESET', 'not a pod network peer')));
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

const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isAddress = (value: unknown): value is string => typeof value === 'string' && isIP(value) !== 0;

/** Checks what came over the wire and keeps nothing else of it. @throws NetworkError */
export function parsePacket(value: unknown): WirePacket {
  const { flow, ttl, trace, timeoutMs, payload } = isRecord(value) ? value : {};
  const valid =
    isRecord(flow) &&
    (flow['proto'] === 'tcp' || flow['proto'] === 'udp' || flow['proto'] === 'sctp') &&
    isAddress(flow['src']) &&
    isAddress(flow['dst']) &&
    isIP(flow['src']) === isIP(flow['dst']) &&
    isPort(flow['srcPort']) &&
    isPort(flow['dstPort']) &&
    Number.isInteger(ttl) &&
    Number(ttl) >= 0 &&
    Number(ttl) <= MAX_TTL &&
    Number.isFinite(timeoutMs) &&
    Number(timeoutMs) >= 0 &&
    (payload === undefined || typeof payload === 'string');
  if (!valid) throw new NetworkError('ECONNRESET', 'malformed packet');
  const { proto, src, srcPort, dst, dstPort } = flow as unknown as Flow;
  return {
    flow: { proto, src, srcPort, dst, dstPort },
    ttl: Number(ttl),
    trace: trace === true,
    timeoutMs: Math.min(Number(timeoutMs), TCP_CONNECT_TIMEOUT_MS),
    ...(payload === undefined ? {} : { payload }),
  };
}

/** Any agent may be the one that answers, also one that is not ours. @throws NetworkError */
export function parseVerdict(value: unknown): WireVerdict {
  const { error, steps, payload } = isRecord(value) ? value : {};
  const failure = isRecord(error) ? { code: error['code'], detail: error['detail'] } : undefined;
  const valid =
    Array.isArray(steps) &&
    steps.every(isRecord) &&
    (payload === undefined || typeof payload === 'string') &&
    (error === undefined ||
      (failure !== undefined && isNetworkErrorCode(failure.code) && typeof failure.detail === 'string'));
  if (!valid) throw new NetworkError('ECONNRESET', 'malformed verdict');
  return {
    steps: steps as NetworkStep[],
    ...(failure === undefined ? {} : { error: failure as { code: NetworkErrorCode; detail: string } }),
    ...(payload === undefined ? {} : { payload }),
  };
}
