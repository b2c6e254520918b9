import type { Protocol } from '../../packet.js';
import type { Origin } from '../../trace.js';

/** Where clients connect to. */
export interface VirtualService {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

export const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'sed', 'nq', 'mh'] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** A server behind it. All are reached by masquerading (NAT), as kube-proxy has them. */
export interface RealServer {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
}

/** What `ipvsadm -A` and `-a` say of one service. */
export interface VirtualServer extends VirtualService {
  readonly scheduler: SchedulerName;
  /** A client stays with its server until it was away for so many seconds. Undefined: it does not. */
  readonly persistentSeconds?: number;
  /** The scheduler's hash takes the client's port too (sh-port, mh-port). */
  readonly hashesPort?: boolean;
  readonly realServers: readonly RealServer[];
  readonly origin?: Origin;
}

export const virtualKey = ({ protocol, address, port }: VirtualService): string => `${protocol} ${address} ${port}`;
