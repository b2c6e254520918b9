import type { MetricFamily } from './prometheus-text.js';

/** Things that the kubelet counts from its start. */
const COUNTED = {
  kubelet_admission_rejections_total: '[ALPHA] Cumulative number pod admission rejections by the Kubelet.',
  kubelet_evictions: '[ALPHA] Cumulative number of pod evictions by eviction signal',
  kubelet_preemptions: '[ALPHA] Cumulative number of pod preemptions by preemption resource',
  kubelet_started_containers_errors_total: '[BETA] Cumulative number of errors when starting containers',
  kubelet_started_containers_total: '[BETA] Cumulative number of containers started',
  kubelet_started_pods_total: '[BETA] Cumulative number of pods started',
  prober_probe_total: '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.',
} as const;

export type CounterName = keyof typeof COUNTED;
type Labels = Readonly<Record<string, string>>;

export interface Counters {
  increment(name: CounterName, labels?: Labels): void;
  /** Forgets every series with this label: a Pod is gone. */
  forget(label: string, value: string): void;
  families(): MetricFamily[];
}

export function createCounters(): Counters {
  const counts = new Map<CounterName, Map<string, { labels: Labels; value: number }>>();
  return {
    increment(name, labels = {}) {
      const series = counts.get(name) ?? new Map<string, { labels: Labels; value: number }>();
      counts.set(name, series);
      const key = JSON.stringify(labels);
      const known = series.get(key);
      if (known === undefined) series.set(key, { labels, value: 1 });
      else known.value++;
    },
    forget(label, value) {
      for (const series of counts.values())
        for (const [key, { labels }] of series) if (labels[label] === value) series.delete(key);
    },
    families: () =>
      [...counts].map(([name, series]) => ({
        name,
        help: COUNTED[name],
        type: 'counter',
        samples: [...series.values()],
      })),
  };
}
