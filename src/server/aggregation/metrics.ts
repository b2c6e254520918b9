import type { Objects } from '../../api/strategy.js';
import { counter, readGauge, type Family } from '../endpoints/metric-families.js';
import { API_SERVICES, isAvailable, type ReadonlyApiService } from './api-service.js';

/** What is counted about aggregated APIs, under kube-aggregator's names (pkg/controllers/status/metrics). */
export interface AggregationMetrics {
  readonly families: readonly Family[];
  /** An APIService that was there is so no longer. */
  lost(name: string, reason: string): void;
}

export function createAggregationMetrics(objects: Pick<Objects, 'list'>): AggregationMetrics {
  const losses = counter(
    'aggregator_unavailable_apiservice_total',
    'Counter of APIServices which are marked as unavailable broken down by APIService name and reason.',
  );
  const unavailable = readGauge(
    'aggregator_unavailable_apiservice',
    'Gauge of APIServices which are marked as unavailable broken down by APIService name.',
    function* () {
      for (const service of objects.list(API_SERVICES) as Iterable<ReadonlyApiService>)
        yield [{ name: service.metadata.name ?? '' }, isAvailable(service) ? 0 : 1] as const;
    },
  );
  return { families: [losses, unavailable], lost: (name, reason) => losses.add({ name, reason }) };
}
