import type { Clock } from '../../machinery/clock.js';
import { createBusyness } from '../../machinery/work-ledger.js';
import { createFrames, type Frames } from './frames.js';

/** What a watch has waiting is written in a round. Must not throw. */
export type WriteWaiting = (frames: Frames) => void;

/**
 * When watches write. A write to a socket costs about the same whatever its size, so what becomes visible while writes are
 * under way is gathered, and goes out in the next round. After a round there is a pause as long as it took: at most half
 * of the time goes into writing to watchers, however many there are, and where there are few, nothing waits.
 */
export interface Rounds {
  /** `write` has its place in the next round. Whoever is in it already must not ask again. */
  join(write: WriteWaiting): void;
  /** So much waits that it is no longer the number of writes that counts: this pause is over. */
  hurry(): void;
}

/** No pause is longer: what waits is late by no more, and the longer it waits, the more it is that goes at once. */
const MAX_PAUSE_MS = 100;
/** What a round takes of one turn of the event loop. */
const SLICE_MS = 4;
/** Writes between two looks at the time. */
const AT_ONCE = 16;

export function createRounds(clock: Pick<Clock, 'monotonic' | 'after' | 'ledger'>): Rounds {
  let waiting: WriteWaiting[] = [];
  let running = false;
  const busyness = createBusyness(clock, 'events of watches that are to be written');
  let pausedUntil = 0;
  let endPause = (): void => undefined;

  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  /** Node puts the writes of an answer off to the next tick, where nobody would see how long they take. */
  const written = (): Promise<void> => new Promise(resolve => process.nextTick(resolve));

  const round = async (): Promise<void> => {
    const now = waiting;
    waiting = [];
    const frames = createFrames();
    let spent = 0;
    for (let done = 0; done < now.length;) {
      const began = clock.monotonic();
      let took: number;
      do {
        for (const end = Math.min(done + AT_ONCE, now.length); done < end; done++) now[done]?.(frames);
        await written();
        took = clock.monotonic() - began;
      } while (done < now.length && took < SLICE_MS);
      spent += took;
      if (done < now.length) await turn();
    }
    pausedUntil = clock.monotonic() + Math.min(spent / 2, MAX_PAUSE_MS);
  };

  const pause = (ms: number): Promise<void> =>
    new Promise(resolve => {
      const cancel = clock.after(ms, resolve, { unref: true, work: true });
      endPause = () => {
        cancel();
        resolve();
      };
    });

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      // What this turn of the loop has still to tell goes along.
      await turn();
      const left = pausedUntil - clock.monotonic();
      // Timers are no finer than a millisecond.
      if (left >= 1) await pause(left);
      await round();
    }
    running = false;
    busyness.set(false);
  };

  return {
    join(write) {
      waiting.push(write);
      if (running) return;
      running = true;
      busyness.set(true);
      void run();
    },
    hurry() {
      pausedUntil = 0;
      endPause();
    },
  };
}
