import { sleepOn, type Clock, type WaitOptions } from '../machinery/clock.js';
import type { Ledger } from './ledger.js';

/** A wait that is a part of some work is one of a moment; after many failures, it is time that passes. */
export const LONGEST_WORK_MS = 1_000;

/** Whether somebody's work goes on by itself after the wait. */
export const isWork = (ms: number, { work, unref }: WaitOptions = {}): boolean =>
  work === true && unref !== true && ms <= LONGEST_WORK_MS;

/** A clock that tells a ledger of the waits that are a part of some work. */
export function createCountedClock(clock: Clock, ledger: Ledger): Clock {
  const counted: Clock = {
    ledger,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(ms, callback, options) {
      if (!isWork(ms, options)) return clock.after(ms, callback, options);
      const ended = ledger.wait(`a pause of ${Math.round(ms)} ms`);
      const cancel = clock.after(
        ms,
        () => {
          // What it does then is noted before its end is.
          try {
            callback();
          } finally {
            ended();
          }
        },
        options,
      );
      return () => {
        cancel();
        ended();
      };
    },
    sleep: (ms, signal, options) => sleepOn(counted, ms, signal, options),
  };
  return counted;
}
