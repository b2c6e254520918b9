import type { Clock, WaitOptions } from '../../../machinery/clock.js';
import { createBusyness } from '../../../machinery/work-ledger.js';

/** When a Pod is looked at again. */
export interface Wakening {
  /** Looks now, or once more when a look is under way. */
  readonly kick: () => void;
  readonly kickAfter: (ms: number, wait?: WaitOptions) => void;
  /** Forgets what kickAfter has asked for. */
  readonly cancel: () => void;
}

export interface WakeningOptions {
  readonly clock: Clock;
  /** Whom it wakes, for who asks what is left to do. */
  readonly name: string;
  readonly stop: AbortSignal;
  /** One look at the Pod. One that throws is tried again. */
  readonly look: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 1_000;

/** Looks at a Pod whenever it is kicked, one look after the other. */
export function createWakening({ clock, name, stop, look, onError }: WakeningOptions): Wakening {
  /** The earliest moment to look again; whatever else waits is found then. */
  let timer: { due: number; cancel: () => void } | undefined;
  let dirty = false;
  let running = false;
  const busyness = createBusyness(clock, name);

  const cancel = (): void => {
    timer?.cancel();
    timer = undefined;
  };
  const kickAfter = (ms: number, wait?: WaitOptions): void => {
    const due = clock.monotonic() + ms;
    if (timer !== undefined && timer.due <= due) return;
    timer?.cancel();
    const cancelTimer = clock.after(
      ms,
      () => {
        timer = undefined;
        kick();
      },
      wait,
    );
    timer = { due, cancel: cancelTimer };
  };
  const kick = (): void => {
    dirty = true;
    if (running) return;
    running = true;
    busyness.set(true);
    void loop();
  };
  const loop = async (): Promise<void> => {
    while (dirty && !stop.aborted) {
      dirty = false;
      try {
        await look();
      } catch (error) {
        onError(error);
        kickAfter(RETRY_MS, { work: true });
      }
    }
    running = false;
    busyness.set(false);
  };
  return { kick, kickAfter, cancel };
}
