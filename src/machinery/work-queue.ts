import type { Clock, WaitOptions } from './clock.js';
import { createBusyness, queued } from './work-ledger.js';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Whose queue it is, for who asks what is left to do. */
  readonly name?: string;
  /** First retry delay after a failure; doubles per failure. Upstream: 5 ms to 1000 s. */
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
}

/**
 * A queue of keys, as client-go util/workqueue. Fair: keys are processed in the order added. Stingy: a key added many
 * times before it is processed is processed once; one added while it is being processed is processed once more after.
 */
export interface WorkQueue {
  add(key: string): void;
  /** Adds the key after a delay; the earliest of several delays holds. */
  addAfter(key: string, delayMs: number, wait?: WaitOptions): void;
  /** Adds the key after its back-off, which grows until `forget`. */
  addRateLimited(key: string): void;
  forget(key: string): void;
  retries(key: string): number;
  readonly length: number;
  /**
   * Runs `work` for every key with at most `workers` at a time until the signal aborts; resolves when the last one is
   * done. A rejected `work` is reported to `onError` and its key retried with back-off; a resolved one is forgotten.
   */
  run(
    workers: number,
    work: (key: string) => Promise<void>,
    onError: (key: string, error: Error) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, name = 'a queue', baseDelayMs = 5, maxDelayMs = 1_000_000 } = options;
  /** Keys waiting, in order: a Set keeps insertion order. */
  const dirty = new Set<string>();
  const processing = new Set<string>();
  const delayed = new Map<string, { due: number; cancel: () => void }>();
  const failures = new Map<string, number>();
  let wake: () => void = () => undefined;
  const atWork = createBusyness(clock, name);
  const waiting = createBusyness(clock, name, queued);
  let stopped = false;
  let held = false;
  /** Whether nobody is to begin with anything; whoever says so calls when it is over. */
  const isHeld = (): boolean => {
    const { ledger } = clock;
    if (ledger?.held !== true) return false;
    if (!held)
      ledger.onRelease(() => {
        held = false;
        wake();
      });
    held = true;
    return true;
  };
  const note = (): void => {
    atWork.set(processing.size > 0);
    waiting.set(dirty.size > 0 && !stopped);
  };

  const add = (key: string): void => {
    dirty.add(key);
    note();
    wake();
  };
  const addAfter = (key: string, delayMs: number, wait?: WaitOptions): void => {
    if (delayMs <= 0) return add(key);
    const due = clock.monotonic() + delayMs;
    const earlier = delayed.get(key);
    if (earlier !== undefined && earlier.due <= due) return;
    earlier?.cancel();
    const cancel = clock.after(
      delayMs,
      () => {
        delayed.delete(key);
        add(key);
      },
      wait,
    );
    delayed.set(key, { due, cancel });
  };
  const addRateLimited = (key: string): void => {
    const count = failures.get(key) ?? 0;
    failures.set(key, count + 1);
    addAfter(key, Math.min(maxDelayMs, baseDelayMs * 2 ** count), { work: true });
  };
  const forget = (key: string): void => {
    failures.delete(key);
  };
  const nextReady = (): string | undefined => {
    for (const key of dirty) if (!processing.has(key)) return key;
    return undefined;
  };

  return {
    add,
    addAfter,
    addRateLimited,
    forget,
    retries: key => failures.get(key) ?? 0,
    get length() {
      return dirty.size;
    },
    run(workers, work, onError, signal) {
      return new Promise(resolve => {
        const process = async (key: string): Promise<void> => {
          try {
            await work(key);
            forget(key);
          } catch (error) {
            if (!signal.aborted) {
              onError(key, error as Error);
              addRateLimited(key);
            }
          } finally {
            processing.delete(key);
            wake();
            note();
          }
        };
        wake = () => {
          if (signal.aborted) {
            if (processing.size === 0) resolve();
            return;
          }
          if (isHeld()) return;
          for (let key = nextReady(); key !== undefined && processing.size < workers; key = nextReady()) {
            dirty.delete(key);
            processing.add(key);
            void process(key);
          }
          note();
        };
        const stop = (): void => {
          stopped = true;
          note();
          for (const { cancel } of delayed.values()) cancel();
          delayed.clear();
          wake();
        };
        if (signal.aborted) return stop();
        signal.addEventListener('abort', stop, { once: true });
        wake();
      });
    },
  };
}
