import type { Clock } from '../../machinery/clock.js';
import { DeadlineError } from './call-error.js';

/** Runs `work` with a signal that aborts after `ms` with a DeadlineError, or with the outer signal. */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const cancel = clock.after(ms, () => own.abort(new DeadlineError()));
  const stop = (): void => own.abort(outer.reason);
  if (outer.aborted) stop();
  outer.addEventListener('abort', stop, { once: true });
  try {
    return await work(own.signal);
  } finally {
    cancel();
    outer.removeEventListener('abort', stop);
  }
}
