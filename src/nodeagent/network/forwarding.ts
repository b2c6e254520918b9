import { LOOPBACK_LINK } from '../../dataplane/kernel/routes.js';
import type { Connection } from '../../dataplane/kernel/types.js';
import { printTrace } from '../../dataplane/tools/trace-text.js';
import type { Cable } from '../../machinery/cable.js';
import type { Clock } from '../../machinery/clock.js';
import { deadline } from '../../machinery/deadline.js';
import { joinHostPort } from '../../machinery/ip.js';
import { ASTRAY, DROPPED, NetworkError, toNetworkError } from '../../containers/network/errors.js';
import type {
  ConnectOptions,
  Ends,
  Flow,
  ForwardOptions,
  NetStream,
  SocketAddress,
  TcpHandler,
} from '../../containers/network/types.js';
import { sightOf, type Opening, type Sight, type Wire } from './capture/wire.js';
import { type DeliveryOptions, deliveryTarget, type Target } from './delivery.js';
import { joinStreams } from './join-streams.js';
import { familyLike, isLoopback, NODE_LINK, POD_LINK } from './links.js';
import type { OpenOptions, Opened } from './link/dialled-link.js';
import type { PeerLinks } from './link/peer-links.js';
import { dialReal, exchangeReal } from './real-host.js';
import { streamPair } from './stream-pair.js';
import { MAX_TTL, TCP_CONNECT_TIMEOUT_MS, UDP_TIMEOUT_MS, type WirePacket } from './wire.js';

type SenderHook = 'prerouting' | 'output';

export interface ForwardingOptions extends DeliveryOptions {
  readonly clock: Clock;
  /** Where the real host's services listen. */
  readonly hostAddress: string;
  /** The node's way to all that is not on it; undefined: nobody pulls it. */
  readonly cable?: Cable | undefined;
  readonly links: Pick<PeerLinks, 'open'>;
  /** Called with each first packet of a connection. */
  readonly onPacket?: (() => void) | undefined;
  /** The node's own interfaces. */
  readonly wire?: Wire | undefined;
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

const show = (flow: Flow): string => joinHostPort(flow.dst, flow.dstPort);

export function createForwarding(options: ForwardingOptions): Forwarding {
  const { nodeName, nodeSockets, kernels, clock, hostAddress, cable, pods, links, onPacket, wire } = options;

  const lost = async (detail: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<never> => {
    await clock.sleep(timeoutMs, signal);
    throw new NetworkError('ETIMEDOUT', detail);
  };

  const observeFilter = (
    connection: Pick<Connection, 'verdict' | 'packet' | 'trace'>,
    flow: Flow,
    hook: SenderHook,
    direction: 'request' | 'reply',
    observe: ConnectOptions['observe'],
  ): Flow => {
    const { packet, verdict, trace } = connection;
    const out = {
      proto: flow.proto,
      src: packet.src,
      srcPort: packet.srcPort,
      dst: packet.dst,
      dstPort: packet.dstPort,
    };
    observe?.({
      kind: 'netfilter',
      node: nodeName,
      direction,
      hook,
      in: flow,
      out,
      verdict,
      rules: printTrace(trace, familyLike(flow.dst)),
    });
    return out;
  };

  const route = (flow: Flow): Target => deliveryTarget(flow, options);

  /**
   * Who answers from another machine sends to the client, not to the nodes that the request came by. Where this node has
   * changed only the destination, the client is told from an address that it has not asked, and knows nothing of it.
   */
  const isAnsweredAstray = (flow: Flow, out: Flow, target: Target): boolean => {
    if (target.kind === 'sockets' || (out.dst === flow.dst && out.dstPort === flow.dstPort)) return false;
    const way = kernels[familyLike(out.src)].routes.lookup(out.src);
    return way?.local !== true && way?.link !== POD_LINK;
  };

  /** Whoever watches learns at once, also from another node, what a client finds out after a long silence. */
  const silence = async (
    detail: string,
    message: string,
    timeoutMs: number,
    { observe, signal }: ForwardOptions,
  ): Promise<never> => {
    if (observe === undefined) return lost(detail, timeoutMs, signal);
    observe({ kind: 'fail', node: nodeName, code: 'ETIMEDOUT', message });
    throw new NetworkError('ETIMEDOUT', detail);
  };
  const isCutOff = ({ kind }: Target): boolean => kind !== 'sockets' && cable?.plugged === false;
  const cutOff = (timeoutMs: number, options: ForwardOptions): Promise<never> =>
    silence('no answer', `node ${nodeName} is cut off from its network`, timeoutMs, options);
  const astray = (flow: Flow, out: Flow, timeoutMs: number, options: ForwardOptions): Promise<never> =>
    silence(
      ASTRAY,
      `${show(out)} answers ${out.src} past this node, which has sent there what was for ${show(flow)}: no answer will be known`,
      timeoutMs,
      options,
    );

  /** Runs a first packet through this node's rules and routing. @throws NetworkError */
  const decide = async (
    flow: Flow,
    hook: SenderHook,
    timeoutMs: number,
    options: ForwardOptions,
  ): Promise<{ connection: Connection; out: Flow; target: Target; ttl: number }> => {
    const { observe, random, ttl = MAX_TTL } = options;
    const fail = (error: NetworkError): never => {
      observe?.({ kind: 'fail', node: nodeName, code: error.code, message: error.message });
      throw error;
    };
    onPacket?.();
    if (ttl <= 0) fail(new NetworkError('EHOSTUNREACH', 'time to live exceeded'));
    const inInterface = hook === 'output' ? {} : { inInterface: pods.has(flow.src) ? POD_LINK : NODE_LINK };
    const connection = kernels[familyLike(flow.dst)].connect({
      ...flow,
      hook,
      ...inInterface,
      ...(random === undefined ? {} : { random }),
    });
    const out = observeFilter(connection, flow, hook, 'request', observe);
    wire?.met(flow.src);
    wire?.met(out.dst);
    if (connection.verdict === 'reject')
      fail(new NetworkError('ECONNREFUSED', `rejected with ${connection.rejectWith ?? 'icmp-port-unreachable'}`));
    if (connection.verdict === 'drop') return silence(DROPPED, 'dropped: no answer will come', timeoutMs, options);
    try {
      const target = route(out);
      const via =
        target.kind === 'sockets'
          ? target.sockets.owner
          : target.kind === 'host'
            ? 'the host'
            : `node ${target.nodeName}`;
      observe?.({ kind: 'route', node: nodeName, destination: out.dst, via });
      return { connection, out, target, ttl: ttl - 1 };
    } catch (error) {
      connection.close();
      return fail(toNetworkError(error));
    }
  };

  const askPeer = (
    at: SocketAddress,
    packet: WirePacket,
    { observe, signal }: ForwardOptions,
    more: Pick<OpenOptions, 'body' | 'ends' | 'opened'> = {},
  ): Promise<Opened> => links.open(at, packet, { observe, signal, waitMs: packet.timeoutMs + PEER_GRACE_MS, ...more });

  /** The way back: counted and traced like the way out. */
  const answer = (connection: Connection, out: Flow, hook: SenderHook, observe: ConnectOptions['observe']): void => {
    const back = { proto: out.proto, src: out.dst, srcPort: out.dstPort, dst: out.src, dstPort: out.srcPort };
    observeFilter(connection.reply(), back, hook, 'reply', observe);
  };

  const linkOf = (address: string, hook: SenderHook): string =>
    hook === 'output' ? LOOPBACK_LINK : pods.has(address) ? POD_LINK : NODE_LINK;
  const linkTo = (target: Target): string =>
    target.kind !== 'sockets' ? NODE_LINK : target.sockets === nodeSockets ? LOOPBACK_LINK : POD_LINK;
  /** Where a packet is seen on its way through the node: as it comes in, and as it goes out. */
  const sightsOf = (flow: Flow, out: Flow, hook: SenderHook, target: Target): readonly Sight[] => {
    const isForNode = target.kind === 'sockets' && target.sockets === nodeSockets;
    return [
      ...(hook === 'prerouting' ? [sightOf(linkOf(flow.src, hook), 'in', flow)] : []),
      ...(hook === 'prerouting' && isForNode ? [] : [sightOf(linkTo(target), 'out', out)]),
    ];
  };

  const open = async (flow: Flow, hook: SenderHook, options: ForwardOptions): Promise<NetStream> => {
    if (wire === undefined || flow.proto !== 'tcp') return openUnseen(flow, hook, options, () => undefined);
    const first = hook === 'prerouting' ? sightOf(linkOf(flow.src, hook), 'in', flow) : undefined;
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
