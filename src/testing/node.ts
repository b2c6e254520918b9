import type { RunningNode } from '../cluster/start-nodes.js';
import type { HandledCable } from '../machinery/cable.js';
import type { Clock } from '../machinery/clock.js';
import { signedMilliseconds } from './duration.js';
import type { TestNode } from './node-types.js';

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
