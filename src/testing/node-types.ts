import type { Duration } from './types.js';

/** A node of a cluster, and what may befall it. Its Node object stays, whatever does. */
export interface TestNode {
  /** "node-1" */
  readonly name: string;
  /** Where its node ports are opened on this machine, e.g. "127.71.3.1". */
  readonly hostAddress: string;
  /**
   * Pulls its network cable: it reaches neither the API server nor other nodes, and is not reached. What runs on it goes on.
   * After the controllers' grace period (50 s of the cluster's clock) it is NotReady, later its Pods are evicted.
   * Connections between Pods stand still and go on after `heal`; those to the API server are lost.
   */
  partition(): Promise<void>;
  /** Plugs it in again. */
  heal(): Promise<void>;
  /** It loses its power: all that runs on it is gone, and nobody is told. */
  kill(): Promise<void>;
  /** It comes up again, as the same node: Pods that are bound to it are started anew. A node that runs is left alone. */
  start(): Promise<void>;
  /** From now on its clock is ahead of the cluster's by so much, or behind ("-5m"): what it writes has times of that clock. 0: as the others'. */
  clockSkew(skew: Duration): void;
}
