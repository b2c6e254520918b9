/** What a number was over a time: its average by time, how far it strayed, and its highest. */
export interface Statistics {
  readonly durationMs: number;
  readonly average: number;
  /** NaN when nothing was measured. */
  readonly deviation: number;
  readonly max: number;
}

export interface Integrator {
  set(value: number): void;
  /** What it was since the last reset. */
  reset(): Statistics;
}

/** k8s.io/apiserver pkg/util/flowcontrol/fairqueuing/integrator.go. */
export function createIntegrator(now: () => number): Integrator {
  let value = 0;
  let last = now();
  let [duration, sum, squares, max] = [0, 0, 0, 0];
  const advance = (): void => {
    const at = now();
    const passed = at - last;
    last = at;
    duration += passed;
    sum += value * passed;
    squares += value * value * passed;
  };
  return {
    set(next) {
      advance();
      value = next;
      if (next > max) max = next;
    },
    reset() {
      advance();
      const average = duration <= 0 ? NaN : sum / duration;
      const variance = duration <= 0 ? NaN : squares / duration - average * average;
      // Rounding may leave a little less than nothing.
      const result = { durationMs: duration, average, deviation: variance < 0 ? 0 : Math.sqrt(variance), max };
      [duration, sum, squares, max] = [0, 0, 0, value];
      return result;
    },
  };
}
