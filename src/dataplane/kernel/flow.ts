import type { Tuple } from '../packet.js';

export type CtState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED' | 'SNAT' | 'DNAT';

/** What connection tracking makes of a packet. */
export type FlowState = Exclude<CtState, 'SNAT' | 'DNAT'>;

export interface ConntrackEntry {
  readonly id: number;
  readonly original: Tuple;
  /** What the answer's packets look like before they are translated back. */
  readonly reply: Tuple;
  readonly dnat: boolean;
  readonly snat: boolean;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly tcpState?: 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'FIN_WAIT' | 'TIME_WAIT' | 'CLOSE';
  /** Clock milliseconds at which it is forgotten. */
  readonly expiresAt: number;
}

/** A UDP service port, for the conntrack cleanup: flows to these destinations must end at a serving endpoint. */
export interface UdpServicePort {
  /** "ip port" pairs of cluster IP, external IPs and load balancer IPs. */
  readonly destinations: readonly { readonly address: string; readonly port: number }[];
  /** 0: none. */
  readonly nodePort: number;
  /** "ip:port". */
  readonly servingEndpoints: ReadonlySet<string>;
}
