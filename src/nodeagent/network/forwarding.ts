import type { Clock } from '../../machinery/clock.js';
import { deadline } from '../../machinery/deadline.js';
import { NetworkError, toNetworkError } from '../../containers/network/errors.js';
import type {
  Ends,
  Flow,
  ForwardOptions,
  NetStream,
  SocketAddress,
  TcpHandler,
} from '../../containers/network/types.js';
import type { Opening } from './capture/wire.js';
import { createDecisions, type DecisionOptions, type SenderHook, show } from './decisions.js';
import type { Target } from './delivery.js';
import { joinStreams } from './join-streams.js';
import { isLoopback } from './links.js';
import type { OpenOptions, Opened } from './link/dialled-link.js';
import type { PeerLinks } from './link/peer-links.js';
import { dialReal, exchangeReal } from './real-host.js';
import { createSights } from './sights.js';
import { streamPair } from './stream-pair.js';
import { TCP_CONNECT_TIMEOUT_MS, UDP_TIMEOUT_MS, type WirePacket } from './wire.js';

export interface ForwardingOptions extends DecisionOptions {
  /** Where the real host's services listen. */
  readonly hostAddress: string;
  readonly links: Pick<PeerLinks, 'open'>;
}

/** Takes packets through the rules and routes of a node to whoever has their address, here or on another node. */
export interface Forwarding {
  /** A connection of TCP, or an association of SCTP. @throws NetworkError */
  open(flow: Flow, hook: SenderHook, options: ForwardOptions): Promise<NetStream>;
  /** Undefined: no answer came. @throws NetworkError */
  sendUdp(flow: Flow, hook: SenderHook, payload: Buffer, options: ForwardOptions): Promise<Buffer | undefined>;
  /** A packet that nobody answers: the caller waits as long as it would for a real one. @throws NetworkError */
  lost(detail: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<never>;
}

/** Beyond the time that the other node may take to answer. */
const PEER_GRACE_MS = 1_000;

export function createForwarding(options: ForwardingOptions): Forwarding {
  const { nodeName, clock, hostAddress, cable, links, wire } = options;
  const { lost, decide, answer, isAnsweredAstray, astray, isCutOff, cutOff } = createDecisions(options);
  const { incoming, sightsOf } = createSights(options);

  const askPeer = (
    at: SocketAddress,
    packet: WirePacket,
    { observe, signal }: ForwardOptions,
    more: Pick<OpenOptions, 'body' | 'ends' | 'opened'> = {},
  ): Promise<Opened> => links.open(at, packet, { observe, signal, waitMs: packet.timeoutMs + PEER_GRACE_MS, ...more });

  const open = async (flow: Flow, hook: SenderHook, options: ForwardOptions): Promise<NetStream> => {
    if (wire === undefined || flow.proto !== 'tcp') return openUnseen(flow, hook, options, () => undefined);
    const first = incoming(flow, hook);
    let opening: Opening | undefined = first && wire.opening(first);
    try {
      return await openUnseen(flow, hook, options, (out, target) => {
        const sights = sightsOf(flow, out, hook, target);
        const [last] = sights.slice(-1);
        if (last !== undefined && sights.length > (first === undefined ? 0 : 1))
          if (opening === undefined) opening = wire.opening(last);
          else opening.at(last);
        // Who takes the end that another node's stream is has the server's.
        const seenFrom = options.take !== undefined && target.kind === 'sockets' ? 'server' : 'client';
        return stream => wire.carries(stream, seenFrom, sights, opening);
      });
    } catch (error) {
      opening?.failed(!(error instanceof NetworkError) || error.code !== 'ECONNREFUSED');
      throw error;
    }
  };

  const openUnseen = async (
    flow: Flow,
    hook: SenderHook,
    options: ForwardOptions,
    decided: (out: Flow, target: Target) => ((stream: NetStream) => void) | undefined,
  ): Promise<NetStream> => {
    const { observe, timeoutMs = TCP_CONNECT_TIMEOUT_MS } = options;
    const { connection, out, target, ttl } = await decide(flow, hook, timeoutMs, options);
    const opened = bothOf(decided(out, target), options.opened);
    if (isAnsweredAstray(flow, out, target)) {
      connection.close();
      return astray(flow, out, timeoutMs, options);
    }
    try {
      const stream = await reach();
      stream.on('close', () => connection.close());
      answer(connection, out, hook, observe);
      return stream;
    } catch (error) {
      connection.close();
      const { signal } = options;
      const failure = signal?.aborted === true ? (signal.reason as Error) : toNetworkError(error);
      if (failure instanceof NetworkError && target.kind !== 'peer')
        observe?.({ kind: 'fail', node: nodeName, code: failure.code, message: `${show(out)}: ${failure.message}` });
      throw failure;
    }

    async function reach(): Promise<NetStream> {
      if (isCutOff(target)) return cutOff(timeoutMs, options);
      switch (target.kind) {
        case 'sockets': {
          const waits: Promise<void>[] = [];
          const waitFor = (done: Promise<void>): void => void waits.push(done);
          const run = (handler: TcpHandler, server: NetStream): void => {
            observe?.({ kind: 'deliver', node: nodeName, to: target.sockets.owner, flow: out });
            handler(server, observe && { observe, waitFor });
          };
          const stream = target.sockets.accept(out, flow, isLoopback(out.dst), run, options.take, opened);
          if (waits.length > 0) await Promise.all(waits);
          return stream;
        }
        case 'host':
          // It has sockets for this one protocol.
          if (flow.proto !== 'tcp') throw new NetworkError('ECONNREFUSED', `the host takes no ${flow.proto}`);
          return renamed(
            await dialReal({ address: hostAddress, port: out.dstPort }, options.signal, cable),
            flow,
            opened,
          );
        case 'peer': {
          const packet = { flow: out, ttl, trace: observe !== undefined, timeoutMs };
          const { stream } = await askPeer(target.at, packet, options, { ends: endsOf(flow), opened });
          if (stream === undefined) throw new NetworkError('ECONNRESET', 'not a pod network peer');
          return stream;
        }
      }
    }
  };

  const sendUdp = async (
    flow: Flow,
    hook: SenderHook,
    payload: Buffer,
    options: ForwardOptions,
  ): Promise<Buffer | undefined> => {
    const { observe, timeoutMs = UDP_TIMEOUT_MS, signal } = options;
    const { connection, out, target, ttl } = await decide(flow, hook, timeoutMs, options);
    const reach = async (): Promise<Buffer | undefined> => {
      if (isCutOff(target)) return cutOff(timeoutMs, options);
      switch (target.kind) {
        case 'sockets':
          observe?.({ kind: 'deliver', node: nodeName, to: target.sockets.owner, flow: out });
          return target.sockets.receive(out, payload, observe);
        case 'host':
          return within(clock, timeoutMs, signal, expiry =>
            exchangeReal({ address: hostAddress, port: out.dstPort }, payload, expiry),
          );
        case 'peer': {
          const packet = { flow: out, ttl, trace: observe !== undefined, timeoutMs };
          return (await askPeer(target.at, packet, options, { body: payload })).body;
        }
      }
    };
    const sights = wire?.active === true ? sightsOf(flow, out, hook, target) : [];
    for (const sight of sights) wire?.datagram(sight, 'client', payload);
    const reply = await reach();
    if (reply === undefined) return undefined;
    for (const sight of [...sights].reverse()) wire?.datagram(sight, 'server', reply);
    if (isAnsweredAstray(flow, out, target)) return astray(flow, out, timeoutMs, options);
    answer(connection, out, hook, observe);
    return reply;
  };

  return { open, sendUdp, lost };
}

const bothOf = <T>(a: ((of: T) => void) | undefined, b: ((of: T) => void) | undefined): ((of: T) => void) | undefined =>
  a === undefined || b === undefined
    ? (a ?? b)
    : of => {
        a(of);
        b(of);
      };

/** The addresses that whoever sends it knows a connection by. */
const endsOf = ({ src, srcPort, dst, dstPort }: Flow): Ends => ({
  local: { address: src, port: srcPort },
  remote: { address: dst, port: dstPort },
});

/** A real socket under the addresses that the process in the Pod knows the connection by. */
function renamed(socket: NetStream, flow: Flow, opened: ((stream: NetStream) => void) | undefined): NetStream {
  const { local, remote } = endsOf(flow);
  const { client, server } = streamPair(local, remote);
  opened?.(client);
  joinStreams(socket, server);
  return client;
}

/** Runs `work` with a signal that aborts after `ms` with ETIMEDOUT, or with the outer signal. */
async function within<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expiry = deadline(clock, ms, outer, () => new NetworkError('ETIMEDOUT', 'no answer'));
  try {
    return await work(expiry.signal);
  } finally {
    expiry.cancel();
  }
}
