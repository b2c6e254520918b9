import type { RunningNode } from '../cluster/start-nodes.js';
import type { HandledCable } from '../machinery/cable.js';
import type { Clock } from '../machinery/clock.js';
import type { Duration } from './types.js';
import { signedMilliseconds } from './duration.js';

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

/** A clock that is set wrong. Timers run as the other's do. */
export interface SkewedClock extends Clock {
  skewMs: number;
}

export function createSkewedClock(clock: Clock): SkewedClock {
  return {
    ...(clock.ledger === undefined ? {} : { ledger: clock.ledger }),
    skewMs: 0,
    now() {
      return clock.now() + this.skewMs;
    },
    monotonic: () => clock.monotonic(),
    after: (ms, callback, options) => clock.after(ms, callback, options),
    sleep: (ms, signal, options) => clock.sleep(ms, signal, options),
  };
}

export function createTestNode(node: RunningNode, cable: HandledCable, clock: SkewedClock): TestNode {
  return {
    name: node.name,
    hostAddress: node.bindAddress,
    partition: () => Promise.resolve(cable.pull()),
    heal: () => Promise.resolve(cable.plug()),
    async kill() {
      // What it would say while it ends is not heard.
      const { plugged } = cable;
      cable.pull();
      await node.stop();
      if (plugged) cable.plug();
    },
    start: () => node.start(),
    clockSkew: skew => void (clock.skewMs = signedMilliseconds(skew)),
  };
}
