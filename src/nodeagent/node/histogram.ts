import type { Sample } from './prometheus-text.js';

/** Counts observations by size. */
export interface Histogram {
  observe(seconds: number): void;
  /** Empty while nothing was observed. */
  samples(labels: Readonly<Record<string, string>>): Sample[];
}

/** Seconds: 1 ms and up, each twice the one before (kube-proxy's buckets of a sync). */
const BOUNDS: readonly number[] = Array.from({ length: 15 }, (_, i) => 2 ** i / 1000);

export function createHistogram(): Histogram {
  const counts = BOUNDS.map(() => 0);
  let count = 0;
  let sum = 0;
  return {
    observe(seconds) {
      count++;
      sum += seconds;
      // As Prometheus has it, every bucket counts what the smaller ones do.
      for (const [i, bound] of BOUNDS.entries()) if (seconds <= bound) counts[i] = (counts[i] ?? 0) + 1;
    },
    samples: labels =>
      count === 0
        ? []
        : [
            ...BOUNDS.map((bound, i) => ({
              suffix: '_bucket' as const,
              labels: { ...labels, le: String(bound) },
              value: counts[i] ?? 0,
            })),
            { suffix: '_bucket' as const, labels: { ...labels, le: '+Inf' }, value: count },
            { suffix: '_sum' as const, labels, value: sum },
            { suffix: '_count' as const, labels, value: count },
          ],
  };
}
