import type { Duplex } from 'node:stream';
import type { TraceStep } from '../../dataplane/trace.js';
import type { Probe, ProbeAnswer } from './probe.js';
import type { NetworkStack } from './stack.js';

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** One connection as a process sees it: a byte stream with the addresses node:net would report. */
export interface NetStream extends Duplex {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Told of what passes; set while somebody looks. */
  tap?: StreamTap | undefined;
}

/** Sees what passes through an end of a connection. `mine`: it comes from this end. */
export interface StreamTap {
  data(mine: boolean, bytes: Buffer): void;
  /** No more comes from there. */
  end(mine: boolean): void;
  reset(mine: boolean): void;
}

/** The addresses of one network namespace, one of each family at most; the first is the primary one. */
export type Addresses = readonly [string, ...string[]];

/** What connections are made with. Of an association of SCTP each chunk that is read or written is one message. */
export type StreamProtocol = 'tcp' | 'sctp';
/** What there are sockets for. */
export type SocketProtocol = StreamProtocol | 'udp';

export interface Flow {
  readonly proto: SocketProtocol;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
}

export type Observe = (step: NetworkStep) => void;

/** Somebody traces a connection: for whoever goes on with it elsewhere. */
export interface ConnectionTrace {
  readonly observe: Observe;
  /** The connection counts as opened when this is done, so that no step comes too late. */
  waitFor(done: Promise<void>): void;
}

export type TcpHandler = (stream: NetStream, trace?: ConnectionTrace) => void;
/** Answers one datagram; undefined sends nothing back. */
export type UdpHandler = (
  payload: Buffer,
  flow: { readonly client: SocketAddress; readonly server: SocketAddress },
  observe?: Observe,
) => Promise<Buffer | undefined> | Buffer | undefined;

/** What happened to a flow, in order, on every node it crossed. `node` is the node's name. */
export type NetworkStep =
  | {
      readonly kind: 'netfilter';
      readonly node: string;
      readonly direction: 'request' | 'reply';
      readonly hook: 'prerouting' | 'output';
      readonly in: Flow;
      readonly out: Flow;
      readonly verdict: 'accept' | 'drop' | 'reject';
      readonly rules: readonly TraceStep[];
    }
  | { readonly kind: 'route'; readonly node: string; readonly destination: string; readonly via: string }
  | { readonly kind: 'deliver'; readonly node: string; readonly to: string; readonly flow: Flow }
  /** A process of the node goes on with the connection: it opens another one to the endpoint. */
  | {
      readonly kind: 'relay';
      readonly node: string;
      readonly service: string;
      readonly endpoint: string;
      readonly why: string;
    }
  | { readonly kind: 'fail'; readonly node: string; readonly code: string; readonly message: string };

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until a packet nobody answers is given up. Default: Linux's 127 s for TCP, 5 s for UDP. */
  readonly timeoutMs?: number;
  readonly observe?: Observe;
  /** Of a connection. Default: tcp. */
  readonly protocol?: StreamProtocol;
  /** The port it is sent from; by default an ephemeral one. */
  readonly localPort?: number;
  /** Called with the connection before anything can come through it. */
  readonly opened?: (stream: NetStream) => void;
  /** In [0, 1): decides what chance decides on the node that it is sent from. */
  readonly random?: () => number;
}

/** The addresses of a connection's two ends, as one of them knows them. */
export interface Ends {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export interface ForwardOptions extends ConnectOptions {
  /**
   * Makes the end of the connection that a listener of this node is given, when there is one: whoever carries the bytes
   * saves a stream. The connection that is opened is then this end.
   */
  readonly take?: (ends: Ends) => NetStream;
  /** Times the packet may still be forwarded. */
  readonly ttl?: number;
}

/** Takes packets that reach a node from outside: from another agent or the real host. */
export interface PacketReceiver {
  /** @throws NetworkError */
  acceptTcp(flow: Flow, options: ForwardOptions): Promise<NetStream>;
  acceptUdp(flow: Flow, payload: Buffer, options: ForwardOptions): Promise<Buffer | undefined>;
  /** An association: each chunk is a message. @throws NetworkError */
  acceptSctp(flow: Flow, options: ForwardOptions): Promise<NetStream>;
  /** A packet that asks who is there. Absent: nobody answers. @throws NetworkError */
  acceptProbe?(probe: Probe & { readonly src: string }, options: ProbeOptions): Promise<ProbeAnswer | undefined>;
}

export interface ProbeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ListenOptions {
  readonly loopbackOnly?: boolean;
  readonly address?: string;
  /** Default: tcp. */
  readonly protocol?: StreamProtocol;
}

/** A network namespace: the sockets of one Pod, or of the node itself. */
export interface NetNamespace {
  readonly addresses: Addresses;
  /** @throws NetworkError */
  connect(to: SocketAddress, options?: ConnectOptions): Promise<NetStream>;
  /** Sends one datagram and waits for its answer. @throws NetworkError */
  exchange(to: SocketAddress, payload: Buffer, options?: ConnectOptions): Promise<Buffer>;
  /** Listens on all addresses of the namespace, or on loopback only. Returns the closer. @throws NetworkError EADDRINUSE */
  listen(port: number, handler: TcpHandler, options?: ListenOptions): () => void;
  listenUdp(port: number, handler: UdpHandler, options?: { address?: string }): () => void;
  /** What listens in it. */
  readonly ports?: () => {
    readonly tcp: readonly number[];
    readonly udp: readonly number[];
    readonly sctp?: readonly number[];
    /** Those of TCP that nobody reaches from outside. */
    readonly loopback?: readonly number[];
  };
  /** What programs that look into a network are told. */
  readonly stack?: NetworkStack;
}
