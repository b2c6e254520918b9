import type { Clock } from '../../../machinery/clock.js';
import { compareText } from '../../../machinery/compare-text.js';

/** Chains of earlier programs that nothing uses any more. */
export interface StaleChains {
  add(chains: Iterable<string>): void;
  /** They are in use again. */
  remove(chains: Iterable<string>): void;
  /** Chains to delete now. Large clusters look for them only once in a sync period. */
  take(largeCluster: boolean): readonly string[];
}

export function createStaleChains(clock: Clock, syncPeriodMs: number): StaleChains {
  const stale = new Set<string>();
  let lastCleanup = Number.NEGATIVE_INFINITY;
  return {
    add(chains) {
      for (const chain of chains) stale.add(chain);
    },
    remove(chains) {
      for (const chain of chains) stale.delete(chain);
    },
    take(largeCluster) {
      const now = clock.monotonic();
      if (now - lastCleanup < (largeCluster ? syncPeriodMs : 0)) return [];
      lastCleanup = now;
      const chains = [...stale].sort(compareText);
      stale.clear();
      return chains;
    },
  };
}
