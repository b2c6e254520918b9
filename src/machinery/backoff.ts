import { realRandom } from './random.js';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Up to this share is added at random, so that many clients do not come back together. */
  readonly jitter?: number;
  /** In [0, 1). Default: real chance. */
  readonly random?: () => number;
}

export interface Backoff {
  /** The next delay in milliseconds; grows with every call. */
  next(): number;
  reset(): void;
}

/** Exponential back-off (apimachinery wait.Backoff). */
export function createBackoff({
  initialMs,
  factor,
  maxMs,
  jitter = 0,
  random = () => realRandom.number(),
}: BackoffOptions): Backoff {
  let current = initialMs;
  return {
    next() {
      const delay = current * (1 + jitter * random());
      current = Math.min(maxMs, current * factor);
      return delay;
    },
    reset() {
      current = initialMs;
    },
  };
}
