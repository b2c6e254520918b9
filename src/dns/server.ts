import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import type { InformerFactory } from '../client/types.js';
import type { Clock } from '../machinery/clock.js';
import type { Forward, Transport } from './forward.js';
import { decodeQuery, encodeFailure, MessageError, MIN_UDP_SIZE, NoQuestionError, type Query } from './message.js';
import type { DnsMetrics } from './metrics.js';
import { type Answer, emptyAnswer, RCODE } from './records.js';
import { createResolver } from './resolver.js';
import { createResponseEncoder } from './response.js';
import { type ClusterState, watchCluster } from './state.js';
import { createTcpConnections, MAX_MESSAGE, type Response } from './tcp-connections.js';

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
  /** Asks upstream servers for names that are not the cluster's; default: there are none. */
  readonly forward?: Forward;
  readonly metrics?: DnsMetrics;
  readonly onError?: (error: Error) => void;
}

export interface DnsServer {
  readonly state: ClusterState;
  /** Binds both sockets and resolves to their common port. Rejects with the system's error, e.g. EADDRINUSE. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

/** 65,535 bytes less the headers of IPv4 and UDP. */
const MAX_DATAGRAM = 65_507;
/** As CoreDNS: what is longer than this is not read to its end. */
const MAX_UDP_QUERY = 512;
/** A datagram of more than this may be cut into fragments: its names are compressed. */
const FRAGMENT = { 4: 1480, 6: 1220 } as const;
/** A free UDP port may be taken for TCP. */
const BIND_ATTEMPTS = 16;

/** The cluster DNS server. It answers as soon as it listens: SERVFAIL for unknown names until the informers are synced. */
export function createDnsServer(options: DnsServerOptions): DnsServer {
  const { clock, bindAddress = '127.0.0.1', metrics, onError = () => undefined } = options;
  const state = watchCluster(options.informers, clock, seconds => metrics?.programmed(seconds));
  const resolve = createResolver({
    state,
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    self: options.self ?? { namespace: 'kube-system', name: 'kube-dns' },
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(options.forward === undefined ? {} : { forward: options.forward }),
  });
  const encode = createResponseEncoder();
  const connections = createTcpConnections({
    clock,
    respond: (message, address) => respond(message, 'tcp', address.includes('.') ? 4 : 6),
  });
  let udp: UdpSocket | undefined;
  let tcp: Server | undefined;

  /** Undefined: the message deserves no answer. Never throws and never rejects: no message may end the process. */
  function respond(message: Buffer, transport: Transport, family: 4 | 6): Response {
    const started = clock.monotonic();
    const observed = (asked: Query | undefined, rcode: number, response: Buffer | undefined): Buffer | undefined => {
      metrics?.observe({
        ...{ transport, family, query: asked, rcode },
        seconds: (clock.monotonic() - started) / 1000,
        requestBytes: message.length,
        responseBytes: response?.length ?? 0,
      });
      return response;
    };
    let query: Query;
    try {
      query = decodeQuery(message);
    } catch (error) {
      if (!(error instanceof MessageError)) return fail(error, undefined);
      return error instanceof NoQuestionError ? observed(undefined, RCODE.SERVFAIL, error.reply) : error.reply;
    }
    const finish = (answer: Answer): Buffer | undefined => {
      const limit = transport === 'tcp' ? MAX_MESSAGE : udpLimit(query);
      const response = encode(query, answer, limit, transport === 'tcp' ? Infinity : FRAGMENT[family]);
      return observed(query, answer.rcode, response);
    };
    try {
      if (query.edns !== undefined && query.edns.version !== 0)
        return encode(query, emptyAnswer(RCODE.BADVERS), MIN_UDP_SIZE);
      const answer = resolve(query, transport);
      if (!(answer instanceof Promise)) return finish(answer);
      return answer.then(finish).catch((error: unknown) => fail(error, query));
    } catch (error) {
      return fail(error, query);
    }
  }

  function fail(error: unknown, query: Query | undefined): Buffer | undefined {
    metrics?.panicked();
    onError(error instanceof Error ? error : new Error(String(error)));
    return query === undefined ? undefined : encodeFailure(query);
  }

  async function bind(port: number): Promise<number> {
    const udpSocket = createSocket({
      type: bindAddress.includes(':') ? 'udp6' : 'udp4',
      // Answers go to where questions came from: addresses, which need not be looked up.
      lookup: (address, _options, found) => found(null, address, 0),
    });
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
    const send = (response: Buffer | undefined, { port: to, address }: RemoteInfo): void => {
      // One that took its time may find the socket closed.
      if (response !== undefined && udp === udpSocket) udpSocket.send(response, to, address);
    };
    udpSocket.on('message', (message, from) => {
      const response = respond(message.subarray(0, MAX_UDP_QUERY), 'udp', from.family === 'IPv6' ? 6 : 4);
      if (response instanceof Promise) void response.then(late => send(late, from));
      else send(response, from);
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
