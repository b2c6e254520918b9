import type { CachedObject } from './cached-object.js';

/** One change of one object, as every watcher of the resource sees it. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  /** The state after the change; of a deletion the last state, at the revision of the deletion. */
  readonly object: CachedObject;
  /** The state before the change (MODIFIED, DELETED). */
  readonly previous?: CachedObject;
}

/** The recent events of a resource, oldest first, for watches that start in the past. */
export interface EventHistory {
  /** Watches may start at this revision or later. */
  oldest(): number;
  push(event: CacheEvent): void;
  /** Events with a revision above `revision`; undefined when some of them are gone. */
  since(revision: number): readonly CacheEvent[] | undefined;
  /** Forgets events up to and including `revision`. */
  forget(revision: number): void;
}

/** Keeps at most `capacity` events; `start` is the revision from which history is complete. */
export function createEventHistory(start: number, capacity: number): EventHistory {
  let events: CacheEvent[] = [];
  let head = 0;
  let oldest = start;

  const firstAbove = (revision: number): number => {
    let low = head;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const dropBefore = (index: number): void => {
    head = index;
    // Copying on every push would make a full history quadratic.
    if (head > 1024 && head * 2 > events.length) {
      events = events.slice(head);
      head = 0;
    }
  };

  return {
    oldest: () => oldest,
    push(event) {
      events.push(event);
      if (events.length - head <= capacity) return;
      // A commit of several events leaves as a whole: half of it would be a gap.
      oldest = (events[head] as CacheEvent).revision;
      dropBefore(firstAbove(oldest));
    },
    since(revision) {
      return revision < oldest ? undefined : events.slice(firstAbove(revision));
    },
    forget(revision) {
      if (revision <= oldest) return;
      oldest = revision;
      dropBefore(firstAbove(revision));
    },
  };
}
