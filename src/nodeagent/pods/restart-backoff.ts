import type { Clock } from '../../machinery/clock.js';

const INITIAL_MS = 10_000;
const MAX_MS = 300_000;

/** The kubelet's back-off (client-go util/flowcontrol.Backoff): 10 s doubling to 5 min, forgotten after twice that. */
export interface RestartBackoff {
  /** Milliseconds still to wait after something that happened at `since`, by the wall's clock; 0: go ahead. */
  remaining(key: string, since: number): number;
  /** The whole delay now in force. */
  current(key: string): number;
  /** Another try starts: the next delay is longer. */
  next(key: string, since: number): void;
  forget(keyPrefix: string): void;
}

interface Entry {
  readonly delay: number;
  readonly updated: number;
  /** What was asked for last, and when it is over by the monotonic clock. */
  asked?: { readonly since: number; readonly until: number };
}

export function createRestartBackoff(clock: Clock): RestartBackoff {
  const entries = new Map<string, Entry>();
  const valid = (key: string, since: number): Entry | undefined => {
    const entry = entries.get(key);
    return entry === undefined || since - entry.updated > 2 * MAX_MS ? undefined : entry;
  };
  return {
    remaining(key, since) {
      const entry = valid(key, since);
      if (entry === undefined) return 0;
      // From the first question on, time is what passes: a clock that is set back would hold a container for as long.
      if (entry.asked?.since !== since) {
        const passed = Math.min(entry.delay, Math.max(0, clock.now() - since));
        entry.asked = { since, until: clock.monotonic() + entry.delay - passed };
      }
      return Math.max(0, entry.asked.until - clock.monotonic());
    },
    current: key => entries.get(key)?.delay ?? 0,
    next(key, since) {
      const entry = valid(key, since);
      const delay = entry === undefined ? INITIAL_MS : Math.min(MAX_MS, entry.delay * 2);
      entries.set(key, { delay, updated: clock.now() });
    },
    forget(keyPrefix) {
      for (const key of [...entries.keys()]) if (key.startsWith(keyPrefix)) entries.delete(key);
    },
  };
}
