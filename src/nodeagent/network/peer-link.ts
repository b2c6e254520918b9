import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../machinery/clock.js';
import { NetworkError, toNetworkError } from '../../containers/network/errors.js';
import { joinStreams } from './join-streams.js';
import { dialReal } from './real-host.js';
import { deadline } from '../../machinery/deadline.js';
import type {
  ConnectOptions,
  Flow,
  NetworkStep,
  PacketReceiver,
  SocketAddress,
} from '../../containers/network/types.js';
import {
  MAX_PACKET_LINE,
  MAX_TTL,
  MAX_VERDICT_LINE,
  parsePacket,
  parseVerdict,
  readLine,
  TCP_CONNECT_TIMEOUT_MS,
  UDP_TIMEOUT_MS,
  writeLine,
  type WirePacket,
  type WireVerdict,
} from './wire.js';

/**
 * Hands a packet to another node's agent and waits for what became of it there.
 * @throws NetworkError as the other node's stack answered; EHOSTUNREACH when its agent does not answer
 */
export async function callPeer(
  at: SocketAddress,
  packet: WirePacket,
  observe: ConnectOptions['observe'],
  signal: AbortSignal,
): Promise<{ socket: Socket; verdict: WireVerdict }> {
  let socket: Socket;
  try {
    socket = await dialReal(at, signal);
  } catch (error) {
    if (signal.aborted === true) throw error;
    throw new NetworkError('EHOSTUNREACH', `no agent answers at ${at.address}:${at.port}`);
  }
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    writeLine(socket, packet);
    const verdict = parseVerdict(await readLine(socket, MAX_VERDICT_LINE));
    verdict.steps.forEach(step => observe?.(step));
    if (verdict.error !== undefined) throw new NetworkError(verdict.error.code, verdict.error.detail);
    return { socket, verdict };
  } catch (error) {
    socket.destroy();
    throw signal.aborted === true ? signal.reason : toNetworkError(error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The stack of another node, for whoever is outside of the cluster and has packets for it. */
export function peerReceiver(at: SocketAddress, clock: Clock): PacketReceiver {
  const packetOf = (flow: Flow, timeoutMs: number): WirePacket => ({ flow, ttl: MAX_TTL, trace: false, timeoutMs });
  return {
    async acceptTcp(flow, { signal, observe, timeoutMs = TCP_CONNECT_TIMEOUT_MS }) {
      const limit = deadline(clock, timeoutMs, signal);
      try {
        return (await callPeer(at, packetOf(flow, timeoutMs), observe, limit.signal)).socket;
      } finally {
        limit.cancel();
      }
    },
    async acceptSctp(flow, { signal, observe, timeoutMs = TCP_CONNECT_TIMEOUT_MS }) {
      const limit = deadline(clock, timeoutMs, signal);
      try {
        (await callPeer(at, packetOf(flow, timeoutMs), observe, limit.signal)).socket.destroy();
      } finally {
        limit.cancel();
      }
    },
    async acceptUdp(flow, payload, { signal, observe, timeoutMs = UDP_TIMEOUT_MS }) {
      const limit = deadline(clock, timeoutMs, signal);
      try {
        const packet = { ...packetOf(flow, timeoutMs), payload: payload.toString('base64') };
        const { socket, verdict } = await callPeer(at, packet, observe, limit.signal);
        socket.destroy();
        return verdict.payload === undefined ? undefined : Buffer.from(verdict.payload, 'base64');
      } finally {
        limit.cancel();
      }
    },
  };
}

/** A packet is one small line: whoever needs longer is no agent. */
const PACKET_DEADLINE_MS = 10_000;
/** One for each connection between Pods of two nodes. */
const MAX_CONNECTIONS = 4096;

/** Serves packets that other agents send to this node. The caller listens and closes. */
export function createPeerServer(network: PacketReceiver, clock: Clock): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const gone = new AbortController();
    const cancelDeadline = clock.after(PACKET_DEADLINE_MS, () => socket.destroy());
    const leave = (): void => {
      cancelDeadline();
      gone.abort(new NetworkError('ECONNRESET'));
    };
    socket.on('close', leave);
    socket.on('error', () => socket.destroy());
    // Afterwards nothing waits that its end would stop, and most connections end like that.
    void serve(network, socket, gone.signal, cancelDeadline).then(() => socket.off('close', leave));
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** Never rejects: whatever is sent, it is this one connection's trouble. */
async function serve(
  network: PacketReceiver,
  socket: Socket,
  signal: AbortSignal,
  cancelDeadline: () => void,
): Promise<void> {
  const steps: NetworkStep[] = [];
  try {
    const { flow, ttl, trace, timeoutMs, payload } = parsePacket(await readLine(socket, MAX_PACKET_LINE));
    cancelDeadline();
    const options = { ttl, timeoutMs, signal, ...(trace ? { observe: (s: NetworkStep) => void steps.push(s) } : {}) };
    if (flow.proto === 'tcp') {
      const stream = await network.acceptTcp(flow, options);
      writeLine(socket, { steps });
      joinStreams(socket, stream);
      return;
    }
    if (flow.proto === 'sctp') {
      await network.acceptSctp(flow, options);
      writeLine(socket, { steps });
      socket.destroySoon();
      return;
    }
    const reply = await network.acceptUdp(flow, Buffer.from(payload ?? '', 'base64'), options);
    writeLine(socket, { steps, ...(reply === undefined ? {} : { payload: reply.toString('base64') }) });
    // A peer that does not hang up has nothing more to say.
    socket.destroySoon();
  } catch (error) {
    if (signal.aborted) return;
    const { code, detail } = toNetworkError(error);
    writeLine(socket, { steps, error: { code, detail } });
    socket.destroySoon();
  }
}
