import type { Accountable } from './work-ledger.js';

/** What a wait is for. */
export interface WaitOptions {
  /** It does not keep the process alive: nobody waits for what comes then. */
  readonly unref?: boolean;
  /**
   * It is a part of some work, as a pause between two attempts or a moment in which more may come that is done at once:
   * nobody means the time that passes. A clock that is moved by hand does not make anybody wait for its hand then.
   */
  readonly work?: boolean;
}

/**
 * Time is a parameter. Every process makes one real clock in `cmd` and passes it down; tests pass a FakeClock and step it.
 */
export interface Clock extends Accountable {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, for durations. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels. The timer does not keep the process alive if `unref`. */
  after(ms: number, callback: () => void, options?: WaitOptions): () => void;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal, options?: WaitOptions): Promise<void>;
}

/** What a clock's `sleep` is, where there is its `after`. */
export function sleepOn(
  clock: Pick<Clock, 'after'>,
  ms: number,
  signal?: AbortSignal,
  options?: WaitOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(
      ms,
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      options,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** setTimeout overflows above this and would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, options) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS));
    if (options?.unref === true) timer.unref();
    return () => clearTimeout(timer);
  },
  sleep: (ms, signal, options) => sleepOn(realClock, ms, signal, options),
};

/** A clock that moves only when stepped. Timers due within a step fire in order of their time. */
export class FakeClock implements Clock {
  private timers: { at: number; callback: () => void }[] = [];
  /** How far the wall's clock was set away from the time that has passed. */
  private offset = 0;

  constructor(private time = Date.parse('2026-01-01T00:00:00Z')) {}

  now(): number {
    return this.time + this.offset;
  }
  monotonic(): number {
    return this.time;
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter(t => t !== timer);
    };
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }
  /** Sets the wall's clock, ahead or back, as somebody may do with a machine's: no time passes. */
  jump(ms: number): void {
    this.offset += ms;
  }
  /** How many timers wait: lets a test know that the code under test has reached its sleep. */
  get waiting(): number {
    return this.timers.length;
  }
  step(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const next = this.timers.filter(t => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter(t => t !== next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = until;
  }
  /** As step, for what waits for I/O between its timers: whatever is under way gets its turns before the next timer. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    await settle();
    for (;;) {
      const next = this.timers.filter(t => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.step(Math.max(0, next.at - this.time));
      await settle();
    }
    this.time = Math.max(this.time, until);
  }
}

/** Turns of the event loop in which local I/O comes to rest. */
const SETTLING_TURNS = 50;

async function settle(): Promise<void> {
  for (let i = 0; i < SETTLING_TURNS; i++) await new Promise<void>(resolve => setImmediate(resolve));
}

/** metav1.Time: RFC 3339, whole seconds, UTC. */
export const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
/** metav1.MicroTime: six digits of fraction. */
export const formatMicroTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`;
