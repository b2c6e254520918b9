import type { Clock } from '../../machinery/clock.js';

const INITIAL_MS = 1000;
const MAX_MS = 15 * 60_000;

/** How often failed Pods of one key may be replaced: flowcontrol.Backoff as the daemon controller uses it. */
export interface FailedPodBackoff {
  /** 0 when one may be replaced now, which counts; else the milliseconds to wait. */
  take(key: string): number;
}

export function createFailedPodBackoff(clock: Clock): FailedPodBackoff {
  const entries = new Map<string, { delayMs: number; since: number }>();
  return {
    take(key) {
      const now = clock.monotonic();
      for (const [other, entry] of entries) if (now - entry.since > 2 * MAX_MS) entries.delete(other);
      const entry = entries.get(key);
      if (entry !== undefined && now - entry.since < entry.delayMs) return entry.delayMs - (now - entry.since);
      // After twice the longest delay without a failure all is forgiven.
      entries.set(key, { delayMs: entry === undefined ? INITIAL_MS : Math.min(entry.delayMs * 2, MAX_MS), since: now });
      return 0;
    },
  };
}
