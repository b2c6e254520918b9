import { realClock, sleepOn, type Clock, type WaitOptions } from '../machinery/clock.js';
import { isWork } from './counted-clock.js';
import type { Ledger } from './ledger.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
  readonly unref: boolean;
  /** It fires by itself while time stands. */
  readonly free: boolean;
  /** It fires no longer by itself. */
  unpace: () => void;
  /** Its end is noted. */
  readonly ended: () => void;
}

const nothing = (): void => undefined;

/**
 * Time that somebody moves by hand. It runs as real time does until `freeze`; from then on it stands, and
 *
 * - a wait that is a part of some work (`WaitOptions.work`, at most a second) takes as long as it really would, and time
 *   is afterwards where the wait ends: what a cluster does at once it does without anybody's help;
 * - housekeeping (`work` and `unref`) happens after as long as it really would, and moves no time;
 * - all else waits until `advance` comes to it. Timers fire in order of their time, those of one moment in the order in which
 *   they were set, and whatever has been caused has come to rest before the next one fires that somebody waits for
 *   (`unref` says that nobody does).
 *
 * By itself it is never further than real time would be.
 */
export interface VirtualClock extends Clock {
  /** Time stands from now on. */
  freeze(): void;
  /** Time runs from now on as real time does, as before the first `freeze`. */
  thaw(): void;
  /** Moves time, with `rest` between its moments. One call after the other. @throws Error when time runs by itself */
  advance(ms: number, rest: () => Promise<void>): Promise<void>;
  /** When the next timer that waits for `advance` fires, in clock milliseconds; undefined: there is none. */
  next(): number | undefined;
}

/** @param options.startMs milliseconds since the epoch; default: now */
export function createVirtualClock(options: { readonly ledger: Ledger; readonly startMs?: number }): VirtualClock {
  const { ledger } = options;
  const epoch = options.startMs ?? realClock.now();
  /** In order of their time. */
  const timers: Timer[] = [];
  /** Milliseconds since the epoch of this clock; where it runs, at `since` of the real one. */
  let at = 0;
  let since: number | undefined = realClock.monotonic();
  let advancing: Promise<void> = Promise.resolve();

  const elapsed = (): number => (since === undefined ? at : at + realClock.monotonic() - since);
  const moveTo = (time: number): void => {
    if (since !== undefined || time <= at) return;
    at = time;
  };
  const remove = (timer: Timer): boolean => {
    const index = timers.indexOf(timer);
    if (index >= 0) timers.splice(index, 1);
    return index >= 0;
  };
  const insert = (timer: Timer): void => {
    let index = timers.length;
    while (index > 0 && (timers[index - 1]?.due ?? 0) > timer.due) index--;
    timers.splice(index, 0, timer);
  };
  const fire = (timer: Timer): void => {
    timer.unpace();
    // What it does then is noted before its end is.
    try {
      timer.callback();
    } finally {
      timer.ended();
    }
  };
  /** Fires all that is due by then, in order. */
  const fireUntil = (time: number): void => {
    for (let [first] = timers; first !== undefined && first.due <= time; [first] = timers) {
      timers.shift();
      moveTo(first.due);
      fire(first);
    }
    moveTo(time);
  };
  /** The timer fires by itself, after as long as it really would. */
  const pace = (timer: Timer, fired: () => void): void => {
    timer.unpace();
    timer.unpace = realClock.after(Math.max(0, timer.due - elapsed()), fired, { unref: timer.unref });
  };
  const paceAsItGoes = (timer: Timer): void => {
    if (since !== undefined || (timer.free && !timer.unref)) pace(timer, () => fireUntil(timer.due));
    else if (timer.free)
      pace(timer, () => {
        if (remove(timer)) fire(timer);
      });
    else timer.unpace();
  };

  const after = (ms: number, callback: () => void, wait: WaitOptions = {}): (() => void) => {
    const length = Math.max(0, ms);
    const { work = false, unref = false } = wait;
    const counts = isWork(length, wait);
    const ended = counts ? ledger.wait(`a pause of ${Math.round(length)} ms`) : nothing;
    const free = counts || length === 0 || (work && unref);
    const timer: Timer = { due: elapsed() + length, callback, unref, free, unpace: nothing, ended };
    insert(timer);
    paceAsItGoes(timer);
    return () => {
      if (!remove(timer)) return;
      timer.unpace();
      timer.ended();
    };
  };

  const clock: VirtualClock = {
    ledger,
    now: () => Math.floor(epoch + elapsed()),
    monotonic: elapsed,
    after,
    sleep: (ms, signal, wait) => sleepOn(clock, ms, signal, wait),
    next: () => (timers[0] === undefined ? undefined : Math.ceil(epoch + timers[0].due)),
    freeze() {
      if (since === undefined) return;
      // Whole milliseconds, so that those who read it can say when something is due.
      at = Math.ceil(elapsed());
      since = undefined;
      timers.forEach(paceAsItGoes);
    },
    thaw() {
      if (since !== undefined) return;
      since = realClock.monotonic();
      timers.forEach(paceAsItGoes);
    },
    advance(ms, rest) {
      const run = async (): Promise<void> => {
        if (since !== undefined) throw new Error('time runs by itself: freeze the clock before it is moved');
        const until = at + ms;
        let rested = false;
        let moment = at - 1;
        for (;;) {
          const [first] = timers;
          const due = first !== undefined && first.due <= until ? first : undefined;
          if (!rested && due?.unref !== true && due?.due !== moment) {
            // What comes to rest may set and cancel timers.
            await rest();
            rested = true;
          } else if (due === undefined) break;
          else {
            rested = false;
            moment = due.due;
            timers.shift();
            moveTo(moment);
            fire(due);
          }
        }
        moveTo(until);
        await rest();
      };
      advancing = advancing.catch(() => undefined).then(run);
      return advancing;
    },
  };
  return clock;
}
