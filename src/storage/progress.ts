import type { KvStore } from './kv-store.js';

/** Waits until this process has been told of a revision: one watch of the store for all who wait. */
export interface Progress {
  /** Resolves when `observed()` has reached `revision`. Rejects when the signal aborts or the store cannot be watched. */
  reached(revision: number, signal: AbortSignal): Promise<void>;
}

interface Waiter {
  readonly revision: number;
  resolve(): void;
  reject(error: unknown): void;
}

export function createProgress(store: KvStore): Progress {
  const waiters = new Set<Waiter>();
  let watching = false;

  /** Whether somebody waits still. */
  const settle = (): boolean => {
    const observed = store.observed();
    for (const waiter of waiters) if (waiter.revision <= observed) waiter.resolve();
    return waiters.size > 0;
  };

  const failAll = (error: unknown): void => {
    for (const waiter of waiters) waiter.reject(error);
  };

  const watch = async (): Promise<void> => {
    watching = true;
    try {
      while (settle()) await watchOnce();
    } catch (error) {
      failAll(error);
    } finally {
      watching = false;
    }
  };

  /** Resolves when nobody waits any more, or the watch was lost. */
  const watchOnce = async (): Promise<void> => {
    let over = (): void => undefined;
    const ended = new Promise<void>(resolve => (over = resolve));
    const check = (): void => {
      if (!settle()) over();
    };
    left = check;
    const stop = await store.watch('', store.observed(), { events: check, progress: check, lost: over });
    check();
    await ended;
    stop();
  };
  /** To be called when somebody gave up. */
  let left = (): void => undefined;

  return {
    reached(revision, signal) {
      if (store.observed() >= revision) return Promise.resolve();
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const done = (): void => {
          waiters.delete(waiter);
          signal.removeEventListener('abort', aborted);
        };
        const aborted = (): void => {
          waiter.reject(signal.reason);
          left();
        };
        const waiter: Waiter = {
          revision,
          resolve() {
            done();
            resolve();
          },
          reject(error) {
            done();
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        };
        signal.addEventListener('abort', aborted, { once: true });
        waiters.add(waiter);
        if (!watching) void watch();
      });
    },
  };
}
