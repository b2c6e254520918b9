import type { Clock } from '../../machinery/clock.js';

/** Whether something may happen once more now: so many times a second, and as many at once as have not happened before, up to `burst`. */
export function createRate(clock: Pick<Clock, 'monotonic'>, perSecond: number, burst: number): () => boolean {
  let left = burst;
  let at = clock.monotonic();
  return () => {
    const now = clock.monotonic();
    left = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    at = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}
