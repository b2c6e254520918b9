import type { Clock } from './clock.js';

/** The reason of a deadline's signal when its time has come. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

export interface Deadline {
  /** Aborts when the time has come, with DeadlineExceeded if nothing else was said, or with the outer signal. */
  readonly signal: AbortSignal;
  /** Whether it still counts. */
  pending(): boolean;
  /** Stops counting; the outer signal still passes through until then. */
  cancel(): void;
}

export function deadline(
  clock: Clock,
  ms: number,
  outer?: AbortSignal,
  reason: () => Error = () => new DeadlineExceeded('timed out'),
): Deadline {
  const controller = new AbortController();
  const stop = (): void => controller.abort(outer?.reason);
  if (outer?.aborted === true) stop();
  outer?.addEventListener('abort', stop, { once: true });
  let pending = true;
  const cancelTimer = ms === Infinity ? () => undefined : clock.after(ms, () => controller.abort(reason()));
  return {
    signal: controller.signal,
    pending: () => pending,
    cancel() {
      pending = false;
      cancelTimer();
      outer?.removeEventListener('abort', stop);
    },
  };
}
