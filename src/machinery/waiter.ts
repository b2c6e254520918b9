/** Who waits for something, until they give up. */
export interface Waiter {
  /** To be asked for where there is something to wait for: making one costs more than most requests take otherwise. */
  readonly signal: AbortSignal;
  /** The same as `signal.throwIfAborted()`, of those who know without a signal. */
  throwIfAborted?(): void;
  /** The same as listening to it once, of those who need no signal for that; what is returned takes it back. */
  onAbort?(listener: () => void): () => void;
}

/** @throws what the signal was aborted with */
export function throwIfAborted(waiter: Waiter): void {
  if (waiter.throwIfAborted === undefined) waiter.signal.throwIfAborted();
  else waiter.throwIfAborted();
}

export function isAborted(waiter: Waiter): boolean {
  try {
    throwIfAborted(waiter);
    return false;
  } catch {
    return true;
  }
}

/** Calls once when it is aborted, not if it is already; what is returned takes that back. */
export function whenAborted(waiter: Waiter, listener: () => void): () => void {
  if (waiter.onAbort !== undefined) return waiter.onAbort(listener);
  const { signal } = waiter;
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
