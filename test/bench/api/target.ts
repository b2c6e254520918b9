import type { Endpoint } from './endpoint.js';

/** How long the event loop was held up, in milliseconds, since it was asked before. */
export interface Lag {
  readonly p99: number;
  readonly max: number;
}

export interface Server {
  readonly endpoint: Endpoint;
  /** Its processes, where they are on this machine: all of them count as its time and its memory. */
  readonly pids: readonly number[];
  /** Milliseconds from its start until it said to be ready. */
  readonly tookMs: number;
  lag?(): Promise<Lag>;
  stop(): Promise<void>;
}

/** An API server that the rows are measured of. */
export interface Target {
  readonly name: string;
  readonly server: Server;
  /** Another one beside it, on a folder of its own; absent: it was not started by this suite. */
  start?(folder: string): Promise<Server>;
}
