import type { Clock } from '../../machinery/clock.js';
import type { ClusterEvent, ReadonlyPod } from './plugin.js';
import { createHeap } from './heap.js';

const INITIAL_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 10_000;
/** A Pod that nothing has helped for so long is tried again all the same. */
const UNSCHEDULABLE_FOR_MS = 300_000;

/** A Pod that waits to be scheduled. */
export interface QueuedPod {
  readonly id: string;
  pod: ReadonlyPod;
  attempts: number;
  /** Whose rejection keeps it from being scheduled. */
  rejectedBy: ReadonlySet<string>;
}

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  /** Why a Pod must not be tried at all, now. */
  readonly gate: (pod: ReadonlyPod) => string | undefined;
  /** Events after which it pays to try a Pod again that the plugin rejected. */
  readonly eventsOf: (plugin: string) => readonly ClusterEvent[];
  /** Called when there may be a Pod to pop. */
  readonly wake: () => void;
}

/**
 * Pods without a node: those to try, by priority and then by age, those that were tried lately, and those that wait for
 * something to happen (backend/queue/scheduling_queue.go).
 */
export interface SchedulingQueue {
  /** A new Pod, or one that has changed. */
  put(pod: ReadonlyPod, changed: boolean): void;
  remove(id: string): void;
  has(id: string): boolean;
  /** The next to try; undefined when none is ready. */
  pop(): QueuedPod | undefined;
  /** It fits nowhere: it waits for an event that its plugins asked for. */
  unschedulable(queued: QueuedPod, rejectedBy: ReadonlySet<string>): void;
  /** Something went wrong that has nothing to do with the cluster: it is tried again after its back-off. */
  failed(queued: QueuedPod): void;
  happened(event: ClusterEvent): void;
  /** What kept a Pod out may be gone. `onlyGated`: one that waits for an event still does. */
  recheck(id: string, onlyGated: boolean): void;
  /** Forgets all of them: nothing is tried later. */
  close(): void;
}

type Place = 'active' | 'backoff' | 'waiting' | 'gated' | 'popped';
interface Entry extends QueuedPod {
  place: Place;
  since: number;
  order: number;
  retryAt: number;
  cancel: () => void;
}

const priorityOf = (entry: Entry): number => entry.pod.spec?.priority ?? 0;

/** PrioritySort: the more important first, then who has waited longer. */
const isBefore = (a: Entry, b: Entry): boolean =>
  priorityOf(a) === priorityOf(b) ? a.order < b.order : priorityOf(a) > priorityOf(b);

export function createSchedulingQueue({ clock, gate, eventsOf, wake }: SchedulingQueueOptions): SchedulingQueue {
  const entries = new Map<string, Entry>();
  const active = createHeap<Entry>(isBefore);
  /** Tried lately: they go when nobody else is waiting. */
  const backoff = createHeap<Entry>((a, b) => (a.retryAt === b.retryAt ? isBefore(a, b) : a.retryAt < b.retryAt));
  const waiting = new Set<Entry>();
  let orders = 0;

  const leave = (entry: Entry): void => {
    entry.cancel();
    entry.cancel = () => undefined;
    waiting.delete(entry);
  };
  const activate = (entry: Entry): void => {
    leave(entry);
    if (gate(entry.pod) !== undefined) {
      entry.place = 'gated';
      return;
    }
    const now = clock.monotonic();
    if (entry.retryAt > now) {
      entry.place = 'backoff';
      backoff.push(entry);
    } else {
      entry.place = 'active';
      entry.order = ++orders;
      active.push(entry);
    }
    wake();
  };
  const delay = (entry: Entry): number =>
    Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** Math.max(0, Math.min(entry.attempts, 10) - 1));
  const popFrom = (heap: typeof active, place: Place): Entry | undefined => {
    // Entries that have moved on are left in the heap and passed over here.
    for (let entry = heap.pop(); entry !== undefined; entry = heap.pop())
      if (entry.place === place && entries.get(entry.id) === entry) return entry;
    return undefined;
  };
  const find = (queued: QueuedPod): Entry | undefined => {
    const entry = entries.get(queued.id);
    return entry?.place === 'popped' ? entry : undefined;
  };

  return {
    put(pod, changed) {
      const id = pod.metadata.uid ?? '';
      const entry = entries.get(id);
      if (entry === undefined) {
        const created: Entry = {
          id,
          pod,
          attempts: 0,
          rejectedBy: new Set(),
          place: 'gated',
          since: clock.monotonic(),
          order: ++orders,
          retryAt: 0,
          cancel: () => undefined,
        };
        entries.set(id, created);
        return activate(created);
      }
      entry.pod = pod;
      if (entry.place === 'gated' || (changed && entry.place === 'waiting')) activate(entry);
    },
    remove(id) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      leave(entry);
      entries.delete(id);
    },
    has: id => entries.has(id),
    pop() {
      const entry = popFrom(active, 'active') ?? popFrom(backoff, 'backoff');
      if (entry === undefined) return undefined;
      entry.place = 'popped';
      entry.attempts++;
      return entry;
    },
    unschedulable(queued, rejectedBy) {
      const entry = find(queued);
      if (entry === undefined) return;
      entry.rejectedBy = rejectedBy;
      entry.retryAt = clock.monotonic() + delay(entry);
      entry.place = 'waiting';
      waiting.add(entry);
      entry.cancel = clock.after(UNSCHEDULABLE_FOR_MS, () => activate(entry));
    },
    failed(queued) {
      const entry = find(queued);
      if (entry === undefined) return;
      entry.place = 'waiting';
      entry.rejectedBy = new Set();
      const ms = delay(entry);
      entry.retryAt = 0;
      entry.cancel = clock.after(ms, () => activate(entry), { work: true });
    },
    happened(event) {
      for (const entry of [...waiting])
        if ([...entry.rejectedBy].some(plugin => eventsOf(plugin).includes(event))) activate(entry);
      if (event === 'resource-claim/changed')
        for (const entry of entries.values()) if (entry.place === 'gated') activate(entry);
    },
    recheck(id, onlyGated) {
      const entry = entries.get(id);
      if (entry?.place === 'gated' || (entry?.place === 'waiting' && !onlyGated)) activate(entry);
    },
    close() {
      for (const entry of entries.values()) leave(entry);
      entries.clear();
    },
  };
}
