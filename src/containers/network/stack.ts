import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Family } from '../../machinery/ip.js';
import type { CapturedPacket } from './captured-packet.js';
import type { Probe, ProbeAnswer } from './probe.js';

export interface LinkAddress {
  readonly address: string;
  readonly prefix: number;
  readonly scope: 'global' | 'host' | 'link';
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly kind: 'loopback' | 'ethernet' | 'veth' | 'bridge' | 'dummy';
  /** "02:42:0a:f4:01:05"; of a loopback all zeros. */
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  /** The index of the other end, which is in another namespace. */
  readonly peer?: number;
  /** The bridge that it hangs on. */
  readonly master?: string;
}

export interface StackRoute {
  /** CIDR; "default" for what no other route takes. */
  readonly destination: string;
  readonly link: string;
  /** The address of who takes it; absent: on the link itself. */
  readonly via?: string;
  /** The address that packets are sent from. */
  readonly source?: string;
}

export interface Neighbour {
  readonly address: string;
  readonly link: string;
  readonly mac: string;
  readonly state: 'REACHABLE' | 'STALE';
}

interface SocketEnd {
  readonly address: string;
  readonly port: number;
}

export interface StackSocket {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly state: 'LISTEN' | 'ESTABLISHED' | 'UNCONNECTED';
  readonly local: SocketEnd;
  /** Of a connection. */
  readonly remote?: SocketEnd;
}

/** What a network namespace tells the programs that look into it: ip(8), ss(8), ping(8), tcpdump(8), iptables(8). */
export interface NetworkStack {
  links(): readonly Link[];
  /** Of the main table, the longest prefix last, as ip(8) lists them. */
  routes(family: Family): readonly StackRoute[];
  neighbours(): readonly Neighbour[];
  sockets(): readonly StackSocket[];
  /** The rules and flows of the node, in its own namespace; undefined: a Pod's, into which nothing is loaded. */
  kernel(family: Family): Kernel | undefined;
  /**
   * Sends one packet that asks for an answer, and waits for it. Undefined: none came in time.
   * @throws NetworkError ENETUNREACH
   */
  probe(
    probe: Probe,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<ProbeAnswer | undefined>;
  /** Shows every packet of the namespace from now on. Returns what ends it. */
  capture(show: (packet: CapturedPacket) => void): () => void;
}
