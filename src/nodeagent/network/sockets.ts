import { NetworkError } from '../../containers/network/errors.js';
import { type Wire, sightOf } from './capture/wire.js';
import { streamPair } from './stream-pair.js';
import { isLoopback, isUnspecified } from './links.js';
import type { IcmpMessage } from '../../containers/network/captured-packet.js';
import type {
  Ends,
  Flow,
  NetStream,
  Observe,
  SocketProtocol,
  StreamProtocol,
  TcpHandler,
  UdpHandler,
} from '../../containers/network/types.js';

/** The listening sockets of one network namespace. */
export interface Sockets {
  /** Who is behind them, for traces: "pod default/my-app" or "node node-1". */
  readonly owner: string;
  /** Where its packets are seen. */
  readonly wire?: Wire | undefined;
  /** On one local address, or on all when none is given; the more specific listener is found first. */
  listen(
    port: number,
    handler: TcpHandler,
    loopbackOnly: boolean,
    address?: string,
    protocol?: StreamProtocol,
  ): () => void;
  listenUdp(port: number, handler: UdpHandler, address?: string): () => void;
  /** Whether somebody listens at the port, on any address. */
  isTaken(proto: SocketProtocol, port: number): boolean;
  /**
   * Connects to a listener. `dialled` is the address the client asked for, `run` gives the listener its end, which `take`
   * makes: without it there is a pair of streams, of which the client's is returned. `opened` has it before the listener has.
   * @throws NetworkError ECONNREFUSED
   */
  accept(
    flow: Flow,
    dialled: Flow,
    loopback: boolean,
    run?: (handler: TcpHandler, stream: NetStream) => void,
    take?: (ends: Ends) => NetStream,
    opened?: (client: NetStream) => void,
  ): NetStream;
  /** Hands a datagram to a listener. @throws NetworkError ECONNREFUSED */
  receive(flow: Flow, payload: Buffer, observe?: Observe): Promise<Buffer | undefined>;
  /** `loopback`: those of TCP that nobody reaches from outside of the namespace. */
  ports(): { tcp: number[]; udp: number[]; sctp: number[]; loopback: number[] };
  /** Addresses and ports that somebody listens at; "*": on all addresses. */
  listening(): readonly { readonly protocol: SocketProtocol; readonly address: string; readonly port: number }[];
  /** The ends of open connections that listeners have. */
  accepted(): Iterable<NetStream>;
  /** Ends every listener and connection. */
  close(): void;
}

/** What a namespace says of a datagram that nobody takes. */
export const refusalOf = ({ proto, dst, dstPort }: Flow): IcmpMessage => ({
  kind: 'unreachable',
  what: 'port',
  of: { protocol: proto, dst, dstPort },
});

/** A listener on all addresses of its namespace. */
export const ANY = '*';
/** Streams are memory of the agent: one Pod's clients may not take all of it. */
export const MAX_ACCEPTED = 4096;

interface Listener {
  readonly handler: TcpHandler;
  readonly loopbackOnly: boolean;
}

/** Whether a listener of the port takes connections of others. */
const isReachable = (listeners: ReadonlyMap<string, Listener>, port: number): boolean =>
  [...listeners].some(([key, { loopbackOnly }]) => {
    const colon = key.lastIndexOf(':');
    return Number(key.slice(colon + 1)) === port && !loopbackOnly && !isLoopback(key.slice(0, colon));
  });

/** `wire`: where connections from outside are seen, on which link. */
export function createSockets(owner: string, wire?: Wire, link = 'eth0'): Sockets {
  const tcp = new Map<string, Listener>();
  const sctp = new Map<string, Listener>();
  const udp = new Map<string, UdpHandler>();
  const open = new Set<NetStream>();
  const tables = [
    ['tcp', tcp],
    ['udp', udp],
    ['sctp', sctp],
  ] as const;
  /** How many listeners a port has, by protocol. */
  const taken = { tcp: new Map<number, number>(), udp: new Map<number, number>(), sctp: new Map<number, number>() };

  function bind<T>(table: Map<string, T>, proto: SocketProtocol, port: number, address: string, value: T): () => void {
    const key = `${isUnspecified(address) ? ANY : address}:${port}`;
    if (table.has(key)) throw new NetworkError('EADDRINUSE', `port ${port}`);
    table.set(key, value);
    const counts = taken[proto];
    counts.set(port, (counts.get(port) ?? 0) + 1);
    return () => {
      if (table.get(key) !== value) return;
      table.delete(key);
      const left = (counts.get(port) ?? 1) - 1;
      if (left > 0) counts.set(port, left);
      else counts.delete(port);
    };
  }
  const find = <T>(table: ReadonlyMap<string, T>, { dst, dstPort }: Flow): T | undefined =>
    table.get(`${dst}:${dstPort}`) ?? table.get(`${ANY}:${dstPort}`);

  return {
    owner,
    wire,
    listen: (port, handler, loopbackOnly, address = ANY, protocol = 'tcp') =>
      bind(protocol === 'sctp' ? sctp : tcp, protocol, port, address, { handler, loopbackOnly }),
    listenUdp: (port, handler, address = ANY) => bind(udp, 'udp', port, address, handler),
    isTaken: (proto, port) => taken[proto].has(port),
    accept(flow, dialled, loopback, run = (handler, stream) => handler(stream), take, opened) {
      const protocol = flow.proto === 'sctp' ? 'sctp' : 'tcp';
      const listener = find(protocol === 'sctp' ? sctp : tcp, flow);
      if (listener === undefined || (listener.loopbackOnly && !loopback)) {
        if (!loopback && flow.proto === 'tcp') wire?.opening(sightOf(link, 'in', flow))?.failed(false);
        throw new NetworkError('ECONNREFUSED');
      }
      if (open.size >= MAX_ACCEPTED)
        throw new NetworkError('ECONNREFUSED', `${owner} has ${MAX_ACCEPTED} open connections`);
      const local = { address: flow.dst, port: flow.dstPort };
      const remote = { address: flow.src, port: flow.srcPort };
      const { client, server } =
        take === undefined
          ? streamPair(
              { address: dialled.src, port: dialled.srcPort },
              local,
              remote,
              { address: dialled.dst, port: dialled.dstPort },
              protocol,
            )
          : both(take({ local, remote }));
      open.add(server);
      if (!loopback) wire?.met(flow.src);
      if (wire !== undefined && flow.proto === 'tcp' && !loopback) {
        const sight = sightOf(link, 'in', flow);
        wire.carries(server, 'server', [sight], wire.opening(sight));
      }
      server.on('close', () => open.delete(server));
      // A reset by the client is the handler's to notice or not; unobserved it must not end the agent.
      server.on('error', () => server.destroy());
      opened?.(client);
      run(listener.handler, server);
      return client;
    },
    async receive(flow, payload, observe) {
      const handler = find(udp, flow);
      const sight = wire?.active === true && flow.src !== flow.dst ? sightOf(link, 'in', flow) : undefined;
      if (flow.src !== flow.dst) wire?.met(flow.src);
      if (sight !== undefined) wire?.datagram(sight, 'client', payload);
      if (handler === undefined) {
        if (sight !== undefined) wire?.icmp(link, 'out', flow.dst, flow.src, 64, refusalOf(flow), 36);
        throw new NetworkError('ECONNREFUSED');
      }
      const ends = {
        client: { address: flow.src, port: flow.srcPort },
        server: { address: flow.dst, port: flow.dstPort },
      };
      const answer = await handler(payload, ends, observe);
      if (sight !== undefined && answer !== undefined) wire?.datagram(sight, 'server', answer);
      return answer;
    },
    ports: () => ({
      tcp: [...taken.tcp.keys()],
      udp: [...taken.udp.keys()],
      sctp: [...taken.sctp.keys()],
      loopback: [...taken.tcp.keys()].filter(port => !isReachable(tcp, port)),
    }),
    listening: () =>
      tables.flatMap(([protocol, table]) =>
        [...table.keys()].map(key => {
          const colon = key.lastIndexOf(':');
          return { protocol, address: key.slice(0, colon), port: Number(key.slice(colon + 1)) };
        }),
      ),
    accepted: () => open,
    close() {
      for (const table of [tcp, udp, sctp, taken.tcp, taken.udp, taken.sctp]) table.clear();
      for (const stream of open) stream.destroy(new NetworkError('ECONNRESET'));
    },
  };
}

const both = (stream: NetStream): { client: NetStream; server: NetStream } => ({ client: stream, server: stream });
