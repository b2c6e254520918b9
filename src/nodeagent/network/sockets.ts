import { NetworkError } from './errors.js';
import { streamPair } from './stream-pair.js';
import type { Flow, NetStream, TcpHandler, UdpHandler } from './types.js';

/** The listening sockets of one network namespace. */
export interface Sockets {
  /** Who is behind them, for traces: "pod default/my-app" or "node node-1". */
  readonly owner: string;
  listen(port: number, handler: TcpHandler, loopbackOnly: boolean): () => void;
  listenUdp(port: number, handler: UdpHandler): () => void;
  /** Connects to a listener. `dialled` is the address the client asked for. @throws NetworkError ECONNREFUSED */
  accept(flow: Flow, dialled: Flow, loopback: boolean): NetStream;
  /** Hands a datagram to a listener. @throws NetworkError ECONNREFUSED */
  receive(flow: Flow, payload: Buffer): Promise<Buffer | undefined>;
  ports(): { tcp: number[]; udp: number[] };
  /** Ends every listener and connection. */
  close(): void;
}

export function createSockets(owner: string): Sockets {
  const tcp = new Map<number, { handler: TcpHandler; loopbackOnly: boolean }>();
  const udp = new Map<number, UdpHandler>();
  const open = new Set<NetStream>();

  function bind<T>(table: Map<number, T>, port: number, value: T): () => void {
    if (table.has(port)) throw new NetworkError('EADDRINUSE', `port ${port}`);
    table.set(port, value);
    return () => {
      if (table.get(port) === value) table.delete(port);
    };
  }

  return {
    owner,
    listen: (port, handler, loopbackOnly) => bind(tcp, port, { handler, loopbackOnly }),
    listenUdp: (port, handler) => bind(udp, port, handler),
    accept(flow, dialled, loopback) {
      const listener = tcp.get(flow.dstPort);
      if (listener === undefined || (listener.loopbackOnly && !loopback)) throw new NetworkError('ECONNREFUSED');
      const { client, server } = streamPair(
        { address: dialled.src, port: dialled.srcPort },
        { address: flow.dst, port: flow.dstPort },
        { address: flow.src, port: flow.srcPort },
        { address: dialled.dst, port: dialled.dstPort },
      );
      open.add(server);
      server.on('close', () => open.delete(server));
      // A reset by the client is the handler's to notice or not; unobserved it must not end the agent.
      server.on('error', () => server.destroy());
      listener.handler(server);
      return client;
    },
    async receive(flow, payload) {
      const handler = udp.get(flow.dstPort);
      if (handler === undefined) throw new NetworkError('ECONNREFUSED');
      return handler(payload, {
        client: { address: flow.src, port: flow.srcPort },
        server: { address: flow.dst, port: flow.dstPort },
      });
    },
    ports: () => ({ tcp: [...tcp.keys()], udp: [...udp.keys()] }),
    close() {
      tcp.clear();
      udp.clear();
      for (const stream of open) stream.destroy(new NetworkError('ECONNRESET'));
    },
  };
}
