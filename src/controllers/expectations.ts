import type { Clock } from '../machinery/clock.js';

/** A watch that has not shown what was written after this long will not; upstream controller.ExpectationsTimeout. */
const TIMEOUT_MS = 5 * 60_000;

/**
 * What a controller has written but not yet seen through its watch. Until it is seen, the cache undercounts and
 * reconciling again would create or delete too much (controller_utils.go ControllerExpectations).
 */
export interface Expectations {
  expectCreations(key: string, count: number): void;
  expectDeletions(key: string, uids: readonly string[]): void;
  creationObserved(key: string): void;
  deletionObserved(key: string, uid: string): void;
  satisfied(key: string): boolean;
  forget(key: string): void;
}

export function createExpectations(clock: Clock): Expectations {
  const pending = new Map<string, { creations: number; deletions: Set<string>; since: number }>();
  const of = (key: string): { creations: number; deletions: Set<string>; since: number } => {
    let entry = pending.get(key);
    if (entry === undefined) {
      entry = { creations: 0, deletions: new Set(), since: clock.monotonic() };
      pending.set(key, entry);
    }
    entry.since = clock.monotonic();
    return entry;
  };
  return {
    expectCreations: (key, count) => void (of(key).creations += count),
    expectDeletions: (key, uids) => uids.forEach(uid => of(key).deletions.add(uid)),
    creationObserved(key) {
      const entry = pending.get(key);
      if (entry !== undefined && entry.creations > 0) entry.creations--;
    },
    deletionObserved: (key, uid) => void pending.get(key)?.deletions.delete(uid),
    satisfied(key) {
      const entry = pending.get(key);
      if (entry === undefined) return true;
      return (entry.creations === 0 && entry.deletions.size === 0) || clock.monotonic() - entry.since > TIMEOUT_MS;
    },
    forget: key => void pending.delete(key),
  };
}
