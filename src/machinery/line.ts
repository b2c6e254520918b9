import type { Turns } from './turns.js';

/** Small pieces of work of which there may be thousands at once. They take one place among those that wait for turns. */
export interface Line {
  /** Whether a piece may be done at once: few have been in this turn of the loop, or they took no time. */
  hasRoom(): boolean;
  /** Does a piece in a later turn, in order, as many in one as it has time for. It must not throw. */
  stand(work: () => void): void;
}

/** Pieces of one turn before anybody looks at the time. */
const FREE = 256;

export function createLine(turns: Turns): Line {
  let waiting: (() => void)[] = [];
  let taken = 0;

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      await turns.next();
      let done = 0;
      do waiting[done++]?.();
      while (done < waiting.length && !turns.isOver());
      waiting = waiting.slice(done);
    }
  };
  return {
    hasRoom() {
      if (waiting.length > 0) return false;
      if (taken++ === 0) setImmediate(() => (taken = 0));
      // Asked from the first on, so that the turn begins with them.
      const over = turns.isOver();
      return taken <= FREE || !over;
    },
    stand(work) {
      waiting.push(work);
      if (waiting.length === 1) void run();
    },
  };
}
