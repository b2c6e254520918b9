export type { Family } from '../machinery/ip.js';

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface Packet {
  readonly protocol: Protocol | 'icmp' | 'ipv6-icmp';
  readonly src: string;
  /** 0 for ICMP. */
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly mark: number;
  /** Bytes, for the counters. */
  readonly size: number;
  /** TCP only. Default 'syn' for the first packet of a flow, 'ack' afterwards. */
  readonly flags?: TcpFlags;
  /** ICMP errors carry the header of the packet they answer. */
  readonly embedded?: Tuple;
}

export type TcpFlags = 'syn' | 'synack' | 'ack' | 'fin' | 'rst';

export interface Tuple {
  readonly protocol: Packet['protocol'];
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
}
