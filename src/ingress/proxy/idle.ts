import type { Clock } from '../../machinery/clock.js';

/** Calls once when nothing has moved for a while. */
export interface Idle {
  moved(): void;
  end(): void;
}

export function watchIdle(clock: Clock, ms: number, onIdle: () => void): Idle {
  let last = clock.monotonic();
  let cancel: () => void = () => undefined;
  // One timer, which looks when it rings: bytes are too many to set one for each.
  const wait = (left: number): void => {
    cancel = clock.after(
      left,
      () => {
        const rest = last + ms - clock.monotonic();
        if (rest > 0) wait(rest);
        else onIdle();
      },
      { unref: true },
    );
  };
  wait(ms);
  return { moved: () => void (last = clock.monotonic()), end: () => cancel() };
}
