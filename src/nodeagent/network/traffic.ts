import type { Clock } from '../../machinery/clock.js';

/** So many within a second are more than probes and a person make. */
export const BUSY = 200;
const SPAN_MS = 1_000;

/** Is told of first packets of connections and of what links carry, and tells once that there are many. */
export function watchTraffic(clock: Pick<Clock, 'monotonic'>, onBusy: () => void): () => void {
  let began = clock.monotonic();
  let seen = 0;
  let told = false;
  return () => {
    if (told || ++seen < BUSY) return;
    const now = clock.monotonic();
    told = now - began <= SPAN_MS;
    began = now;
    seen = 0;
    if (told) onBusy();
  };
}
