import type { TcpFlags } from '../../dataplane/packet.js';

/** One packet as tcpdump(8) reads it from an interface. */
export interface CapturedPacket {
  /** Clock milliseconds. */
  readonly at: number;
  readonly link: string;
  readonly direction: 'in' | 'out';
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp' | 'ipv6-icmp';
  readonly src: string;
  /** 0 where there are no ports. */
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly ttl: number;
  readonly payload: Buffer;
  readonly tcp?: TcpSegment;
  readonly icmp?: IcmpMessage;
}

export interface TcpSegment {
  readonly flags: TcpFlags | 'psh';
  /** Whether it acknowledges: all but the first of a connection do. */
  readonly acks: boolean;
  /** Absolute, from 0 to 2^32-1. */
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  /** Milliseconds of the sender's clock, and the last of the other's that it has seen: the TCP timestamps. */
  readonly stamp: number;
  readonly echo: number;
}

export type IcmpMessage =
  | { readonly kind: 'echo-request' | 'echo-reply'; readonly id: number; readonly seq: number }
  | { readonly kind: 'time-exceeded' }
  | { readonly kind: 'unreachable'; readonly what: 'net' | 'host' | 'port' | 'admin'; readonly of: IcmpSubject };

/** The packet that an ICMP error is about. */
export interface IcmpSubject {
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp' | 'ipv6-icmp';
  readonly dst: string;
  readonly dstPort: number;
}
