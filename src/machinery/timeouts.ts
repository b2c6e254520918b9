import { Chain, type Linked } from './chain.js';
import type { Clock } from './clock.js';

/** Somebody whose time may run out. */
export interface Timed extends Linked<Timed> {
  /** By the monotonic clock; kept by who counts it. */
  dueMs: number;
  /** Called once when it has. */
  expired(): void;
}

/**
 * Time limits of many at once. Those of the same length run out in the order in which they began, so one timer of the clock
 * is enough for all of them: a request that waits needs nothing of its own but a place in a list.
 */
export interface Timeouts {
  /** From now on `timed` has `ms`. */
  start(ms: number, timed: Timed): void;
  /** The limit of this length no longer counts; nothing when it has run out, or never began. */
  stop(ms: number, timed: Timed): void;
}

interface Group {
  /** In the order in which their time is over. */
  readonly due: Chain<Timed>;
  cancel: () => void;
}

/** Its timers do not keep a process alive. */
export function createTimeouts(clock: Pick<Clock, 'monotonic' | 'after'>): Timeouts {
  const groups = new Map<number, Group>();
  const runOut = (ms: number, group: Group): void => {
    const now = clock.monotonic();
    for (let timed = group.due.first; timed !== undefined; timed = group.due.first) {
      if (timed.dueMs > now) {
        arm(ms, group, timed.dueMs - now);
        return;
      }
      group.due.delete(timed);
      timed.expired();
    }
    if (groups.get(ms) === group) groups.delete(ms);
  };
  const arm = (ms: number, group: Group, inMs: number): void => {
    group.cancel = clock.after(inMs, () => runOut(ms, group), { unref: true });
  };
  return {
    start(ms, timed) {
      let group = groups.get(ms);
      if (group === undefined) {
        groups.set(ms, (group = { due: new Chain(), cancel: () => undefined }));
        arm(ms, group, ms);
      }
      timed.dueMs = clock.monotonic() + ms;
      group.due.add(timed);
    },
    stop(ms, timed) {
      const group = groups.get(ms);
      if (group?.due.delete(timed) !== true || group.due.size > 0) return;
      group.cancel();
      groups.delete(ms);
    },
  };
}
