import type { Clock } from '../../../machinery/clock.js';

/**
 * Chains that nothing uses any more. An older kernel may hold on to a chain for a moment after the last map element that
 * named it is gone, so that it is emptied at once and deleted a second later at the earliest.
 */
export interface StaleChains {
  /** To be emptied in this sync. */
  add(chains: Iterable<string>): void;
  /** Empty ones, of a proxy before this one. */
  addEmpty(chains: Iterable<string>): void;
  /** They are in use again. */
  remove(chains: Iterable<string>): void;
  /** Those that have become stale since it was asked last: to be emptied. */
  takeNew(): readonly string[];
  /** Those that can be deleted now. */
  takeOld(): readonly string[];
  clear(): void;
}

const WAIT_MS = 1_000;

export function createStaleChains(clock: Clock): StaleChains {
  /** Clock milliseconds at which they became stale. */
  const stale = new Map<string, number>();
  const fresh = new Set<string>();
  return {
    add(chains) {
      for (const chain of chains) {
        stale.set(chain, clock.monotonic());
        fresh.add(chain);
      }
    },
    addEmpty(chains) {
      for (const chain of chains) stale.set(chain, clock.monotonic());
    },
    remove(chains) {
      for (const chain of chains) {
        stale.delete(chain);
        fresh.delete(chain);
      }
    },
    takeNew() {
      const chains = [...fresh];
      fresh.clear();
      return chains;
    },
    takeOld() {
      const now = clock.monotonic();
      const old = [...stale].filter(([, since]) => now - since > WAIT_MS).map(([chain]) => chain);
      for (const chain of old) stale.delete(chain);
      return old;
    },
    clear() {
      stale.clear();
      fresh.clear();
    },
  };
}
