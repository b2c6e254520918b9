import type { ClientRequest, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OwnEndpoint } from './kubelet-address.js';
import type { KubeletConnection } from './kubelet-connection.js';

/** Whom the API server wants to talk to. */
export type DialTarget =
  /** What a URL names: a host as this machine knows it. */
  | { readonly kind: 'host'; readonly host: string; readonly port: number }
  /** A Service of the cluster, by the number of one of its ports. */
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port: number }
  | AddressTarget;

/** An address of the cluster's network. */
export interface AddressTarget {
  readonly kind: 'address';
  /** Where the connection starts. */
  readonly node: string;
  readonly address: string;
  readonly port: number;
  /** What the client asked for, by which an unknown node is refused: "pods". */
  readonly asked: string;
  /** Where the client reached the API server. */
  readonly own: OwnEndpoint;
}

/** Who is believed to be at the other end, and as whom the API server shows itself there. */
export interface TlsSettings {
  /** PEM. Absent: the authorities that this machine trusts. */
  readonly ca?: string;
  /** Whoever answers is believed. */
  readonly insecure?: boolean;
  /** The name that its certificate has to be for: a DNS name or an address. */
  readonly serverName: string;
  /** PEM. */
  readonly identity?: { readonly cert: string; readonly key: string };
}

export interface ConnectOptions {
  /** Absent: no TLS. */
  readonly tls?: TlsSettings | undefined;
  readonly signal: AbortSignal;
}

/** One HTTP request. Its head is what stands here and nothing else. */
export interface OutgoingRequest extends ConnectOptions {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** With `host`. */
  readonly headers: OutgoingHttpHeaders;
}

export interface FetchRequest extends OutgoingRequest {
  readonly body?: Buffer;
  /** How long a body may be that is read to its end, decompressed. */
  readonly maxBytes: number;
}

export interface FetchAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * The one way from the API server to anybody else: node agents, Services, Pods, URLs. Whatever fails on the way is thrown as
 * a DialError, in the words of Go's net and crypto/tls; or it is the signal's reason, once that has aborted.
 */
export interface Dialer {
  /** Node agents: their own API, and from them into the cluster's network. */
  readonly kubelet: KubeletConnection;
  /** @throws DialError */
  connect(target: DialTarget, options: ConnectOptions): Promise<Duplex>;
  /**
   * A request over a connection of its own, not yet sent: for what streams, or switches protocols. Nothing but the caller
   * writes on that connection, and it ends with the request. @throws DialError
   */
  open(target: DialTarget, request: OutgoingRequest): Promise<ClientRequest>;
  /**
   * A request and its whole answer. A connection may be kept for the next request, to the same target with the same TLS
   * settings. Redirects are the caller's. @throws DialError, BodyError for what goes wrong after the head of the answer
   */
  fetch(target: DialTarget, request: FetchRequest): Promise<FetchAnswer>;
  /** Ends what is kept. */
  close(): void;
}
