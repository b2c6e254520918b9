import type { Clock } from './clock.js';

/**
 * Shares the event loop among long pieces of work: each asks now and then whether this turn has been long enough, and
 * waits for another one. However many there are, one of them goes on per turn, and what is short goes in between.
 */
export interface Turns {
  /** This turn of the loop has been long enough. */
  isOver(): boolean;
  /** Resolves in a turn of its own. */
  next(): Promise<void>;
}

const TURN_MS = 3;

export function createTurns(clock: Pick<Clock, 'monotonic'>, turnMs = TURN_MS): Turns {
  let startedAt: number | undefined;
  let waiting: (() => void)[] = [];
  let scheduled = false;

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      startedAt = undefined;
      const [first, ...others] = waiting;
      waiting = others;
      if (first === undefined) return;
      // Its work begins now: were it noted at its first question, what it did before would not count.
      startedAt = clock.monotonic();
      schedule();
      first();
    });
  };

  return {
    isOver() {
      const now = clock.monotonic();
      if (startedAt === undefined) {
        startedAt = now;
        schedule();
        return false;
      }
      return now - startedAt >= turnMs;
    },
    next: () =>
      new Promise(resolve => {
        waiting.push(resolve);
        schedule();
      }),
  };
}
