/** Who waits for something, until they give up. */
export interface Waiter {
  /** To be asked for where there is something to wait for: making one costs more than most requests take otherwise. */
  readonly signal: AbortSignal;
  /** The same as `signal.throwIfAborted()`, of those who know without a signal. */
  throwIfAborted?(): void;
}

/** @throws what the signal was aborted with */
export function throwIfAborted(waiter: Waiter): void {
  if (waiter.throwIfAborted === undefined) waiter.signal.throwIfAborted();
  else waiter.throwIfAborted();
}
