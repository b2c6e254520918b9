import type { Protocol } from '../../../packet.js';

/** What a scheduler sees of a real server. Connections of a persistent client's template do not count. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  /** 0: takes no new connections. */
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
}

/** The first packet of the connection that needs a server. */
export interface Request {
  readonly protocol: Protocol;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
}

/** Chooses for one virtual server. The generic parameter keeps what the caller put in. */
export interface Scheduler<D extends Destination> {
  /** Real servers came or went, or a weight changed. In the kernel's order: the newest first. */
  update(destinations: readonly D[]): void;
  /** Undefined: none can take it. `dryRun`: nothing is remembered. */
  schedule(request: Request, dryRun: boolean): D | undefined;
}

export interface SchedulerOptions {
  /** Clock milliseconds. */
  readonly now: () => number;
  /** The hash takes the client's port too. */
  readonly hashesPort: boolean;
}

export const canServe = ({ weight }: Destination): boolean => weight > 0;
