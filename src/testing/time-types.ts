import type { Duration } from './types.js';

/** The time of a cluster. */
export interface ClusterClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Time passes: timers fire in order, and what each of them causes comes to rest before the next.
   * @throws RangeError for a duration that is none; Error where the clock is the real one
   */
  advance(duration: Duration): Promise<void>;
}

export interface SettledOptions {
  readonly signal?: AbortSignal;
  /** Whether who pauses in the middle of some work is waited for, as a proxy that loads rules together, a retry. Default true. */
  readonly pauses?: boolean;
}

export interface ResetOptions {
  /**
   * What watches of clients see: each deletion and change ('events', the default), or their end and a 410 when they come
   * back ('expired'), after which clients list anew.
   */
  readonly watches?: 'events' | 'expired';
}
