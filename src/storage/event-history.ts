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
  /** Bytes of the objects it holds on to. */
  bytes(): number;
  /** `at`: monotonic milliseconds. */
  push(event: CacheEvent, at: number): void;
  /** Events with a revision above `revision`; undefined when some of them are gone. */
  since(revision: number): readonly CacheEvent[] | undefined;
  /** Forgets events up to and including `revision`. */
  forget(revision: number): void;
  /** Forgets the oldest commit. */
  forgetOldest(): void;
}

/** How much history a resource keeps: the first bound that is reached holds. */
export interface HistoryBounds {
  readonly events: number;
  readonly bytes: number;
  /** Events that are older go, but for the newest few of a quiet resource. */
  readonly ageMs: number;
}

/** Upstream's watch cache keeps what is fresh for 75 s, and never fewer than 100 events. */
const DEFAULT_BOUNDS: HistoryBounds = { events: 20_000, bytes: 32 << 20, ageMs: 75_000 };
const FEW_EVENTS = 100;
const FEW_BYTES = 1 << 20;
/** What an event takes beside the bytes of its objects. */
const EVENT_BYTES = 512;

interface Entry {
  readonly event: CacheEvent;
  readonly at: number;
  readonly bytes: number;
}

/** `start` is the revision from which history is complete. */
export function createEventHistory(start: number, given: Partial<HistoryBounds> = {}): EventHistory {
  const bounds = { ...DEFAULT_BOUNDS, ...given };
  let entries: (Entry | undefined)[] = [];
  let head = 0;
  let oldest = start;
  let bytes = 0;

  const firstAbove = (revision: number): number => {
    let low = head;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle] as Entry).event.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const dropBefore = (index: number): void => {
    for (let i = head; i < index; i++) bytes -= entries[i]?.bytes ?? 0;
    // Copying on every push would make a full history quadratic; what is dropped must not be held, though.
    entries.fill(undefined, head, index);
    head = index;
    if (head > 1024 && head * 2 > entries.length) {
      entries = entries.slice(head);
      head = 0;
    }
  };

  const forgetOldest = (): void => {
    const first = entries[head];
    if (first === undefined) return;
    // A commit of several events leaves as a whole: half of it would be a gap.
    oldest = first.event.revision;
    dropBefore(firstAbove(oldest));
  };

  const isOver = (now: number): boolean => {
    const count = entries.length - head;
    if (count > bounds.events || bytes > bounds.bytes) return count > 0;
    const old = entries[head] !== undefined && (entries[head]?.at ?? now) < now - bounds.ageMs;
    return old && (count > FEW_EVENTS || bytes > FEW_BYTES);
  };

  return {
    oldest: () => oldest,
    bytes: () => bytes,
    push(event, at) {
      // The state before is nearly always the object of an earlier event, and counted there.
      const cost = event.object.size + EVENT_BYTES;
      entries.push({ event, at, bytes: cost });
      bytes += cost;
      while (isOver(at)) forgetOldest();
    },
    since(revision) {
      return revision < oldest ? undefined : entries.slice(firstAbove(revision)).map(entry => (entry as Entry).event);
    },
    forget(revision) {
      if (revision <= oldest) return;
      oldest = revision;
      dropBefore(firstAbove(revision));
    },
    forgetOldest,
  };
}
