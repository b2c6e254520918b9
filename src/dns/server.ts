import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { InformerFactory } from '../client/types.js';
import type { Clock } from '../machinery/clock.js';
import { decodeQuery, encodeHeaderOnly, encodeResponse, MessageError, MIN_UDP_SIZE, type Query } from './message.js';
import type { DnsMetrics } from './metrics.js';
import { type Answer, RCODE } from './records.js';
import { createResolver } from './resolver.js';
import { type ClusterState, watchCluster } from './state.js';

export interface DnsServerOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Default "cluster.local". */
  readonly clusterDomain?: string;
  /** Default "127.0.0.1". */
  readonly bindAddress?: string;
  /** UDP and TCP. 0 (default) takes a free one. */
  readonly port?: number;
  /** The Service whose addresses lead here. Default kube-system/kube-dns. */
  readonly self?: { readonly namespace: string; readonly name: string };
  /** Shuffles address records; default: their order in the EndpointSlices. */
  readonly random?: () => number;
  readonly metrics?: DnsMetrics;
  readonly onError?: (error: Error) => void;
}

export interface DnsServer {
  readonly state: ClusterState;
  /** Binds both sockets and resolves to their common port. Rejects with the system's error, e.g. EADDRINUSE. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

type Transport = 'udp' | 'tcp';

/** A client that sends nothing for so long is hung up on (CoreDNS: 10 s). */
const TCP_IDLE_MS = 10_000;
const MAX_MESSAGE = 65_535;
/** A free UDP port may be taken for TCP. */
const BIND_ATTEMPTS = 16;

/** The cluster DNS server. It answers as soon as it listens: SERVFAIL for unknown names until the informers are synced. */
export function createDnsServer(options: DnsServerOptions): DnsServer {
  const { clock, bindAddress = '127.0.0.1', metrics, onError = () => undefined } = options;
  const state = watchCluster(options.informers, clock);
  const resolve = createResolver({
    state,
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    self: options.self ?? { namespace: 'kube-system', name: 'kube-dns' },
    ...(options.random === undefined ? {} : { random: options.random }),
  });
  const connections = new Set<Socket>();
  let udp: UdpSocket | undefined;
  let tcp: Server | undefined;

  function answer(query: Query): Answer {
    if (query.edns !== undefined && query.edns.version !== 0) return emptyAnswer(RCODE.BADVERS);
    try {
      return resolve(query);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
      return emptyAnswer(RCODE.SERVFAIL);
    }
  }

  /** Undefined: the message deserves no answer. */
  function respond(message: Buffer, transport: Transport): Buffer | undefined {
    const started = clock.monotonic();
    let query: Query;
    try {
      query = decodeQuery(message);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return error.id === undefined ? undefined : encodeHeaderOnly(error.id, error.rcode);
    }
    const result = answer(query);
    const limit = transport === 'tcp' ? MAX_MESSAGE : Math.max(MIN_UDP_SIZE, query.edns?.udpSize ?? 0);
    const response = encodeResponse(query, result, limit);
    metrics?.observe(transport, query.type, result.rcode, (clock.monotonic() - started) / 1000);
    return response;
  }

  function onConnection(socket: Socket): void {
    connections.add(socket);
    let pending: Buffer = Buffer.alloc(0);
    let cancelIdle = clock.after(TCP_IDLE_MS, () => socket.destroy());
    socket.on('close', () => {
      cancelIdle();
      connections.delete(socket);
    });
    // A client may vanish at any time; the close handler cleans up.
    socket.on('error', () => socket.destroy());
    socket.on('data', chunk => {
      cancelIdle();
      cancelIdle = clock.after(TCP_IDLE_MS, () => socket.destroy());
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        if (pending.length < 2) return;
        const end = 2 + pending.readUInt16BE(0);
        if (pending.length < end) return;
        const response = respond(pending.subarray(2, end), 'tcp');
        pending = pending.subarray(end);
        if (response === undefined) return void socket.destroy();
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        // A client that asks without reading is not buffered for without end.
        if (!socket.write(Buffer.concat([length, response])) && socket.writableLength > MAX_MESSAGE * 4) {
          return void socket.destroy();
        }
      }
    });
  }

  async function bind(port: number): Promise<number> {
    const udpSocket = createSocket({ type: bindAddress.includes(':') ? 'udp6' : 'udp4' });
    await new Promise<void>((done, failed) => {
      udpSocket.once('error', failed);
      udpSocket.bind(port, bindAddress, () => {
        udpSocket.off('error', failed);
        done();
      });
    });
    const bound = udpSocket.address().port;
    const tcpServer = createServer(onConnection);
    try {
      await new Promise<void>((done, failed) => {
        tcpServer.once('error', failed);
        tcpServer.listen(bound, bindAddress, () => {
          tcpServer.off('error', failed);
          done();
        });
      });
    } catch (error) {
      udpSocket.close();
      throw error;
    }
    udpSocket.on('error', onError);
    tcpServer.on('error', onError);
    udpSocket.on('message', (message, from) => {
      const response = respond(message, 'udp');
      if (response !== undefined) udpSocket.send(response, from.port, from.address);
    });
    udp = udpSocket;
    tcp = tcpServer;
    return bound;
  }

  return {
    state,
    async listen() {
      const port = options.port ?? 0;
      for (let attempt = 1; ; attempt++) {
        try {
          return await bind(port);
        } catch (error) {
          const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
          if (port !== 0 || !busy || attempt === BIND_ATTEMPTS) throw error;
        }
      }
    },
    async close() {
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>(done => (udp === undefined ? done() : udp.close(done))),
        new Promise<void>(done => (tcp === undefined ? done() : tcp.close(() => done()))),
      ]);
      udp = undefined;
      tcp = undefined;
    },
  };
}

const emptyAnswer = (rcode: Answer['rcode']): Answer => ({
  rcode,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});
