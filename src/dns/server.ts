import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import type { InformerFactory } from '../client/types.js';
import type { Clock } from '../machinery/clock.js';
import { decodeQuery, encodeHeaderOnly, encodeResponse, MessageError, MIN_UDP_SIZE, type Query } from './message.js';
import type { DnsMetrics } from './metrics.js';
import { type Answer, RCODE } from './records.js';
import { createResolver } from './resolver.js';
import { type ClusterState, watchCluster } from './state.js';
import { createTcpConnections, MAX_MESSAGE } from './tcp-connections.js';

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

/** 65,535 bytes less the headers of IPv4 and UDP. */
const MAX_DATAGRAM = 65_507;
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
  const connections = createTcpConnections({ clock, respond: message => respond(message, 'tcp') });
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

  /** Undefined: the message deserves no answer. Never throws: no message may end the process. */
  function respond(message: Buffer, transport: Transport): Buffer | undefined {
    const started = clock.monotonic();
    let query: Query | undefined;
    try {
      query = decodeQuery(message);
      const result = answer(query);
      const limit = transport === 'tcp' ? MAX_MESSAGE : udpLimit(query);
      const response = encodeResponse(query, result, limit);
      metrics?.observe(transport, query.type, result.rcode, (clock.monotonic() - started) / 1000);
      return response;
    } catch (error) {
      if (error instanceof MessageError)
        return error.id === undefined ? undefined : encodeHeaderOnly(error.id, error.rcode);
      onError(error instanceof Error ? error : new Error(String(error)));
      return query === undefined ? undefined : encodeHeaderOnly(query.id, RCODE.SERVFAIL);
    }
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
    const tcpServer = createServer({ allowHalfOpen: true }, connections.accept);
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
      connections.close();
      await Promise.all([
        new Promise<void>(done => (udp === undefined ? done() : udp.close(done))),
        new Promise<void>(done => (tcp === undefined ? done() : tcp.close(() => done()))),
      ]);
      udp = undefined;
      tcp = undefined;
    },
  };
}

/** What the client takes, and what fits into a datagram at all. */
const udpLimit = ({ edns }: Query): number => Math.min(MAX_DATAGRAM, Math.max(MIN_UDP_SIZE, edns?.udpSize ?? 0));

const emptyAnswer = (rcode: Answer['rcode']): Answer => ({
  rcode,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});
