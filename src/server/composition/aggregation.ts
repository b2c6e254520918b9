import type { Turns } from '../../machinery/turns.js';
import type { Objects } from '../../api/strategy.js';
import { createAggregation, type Aggregation } from '../aggregation/create-aggregation.js';
import { createAggregationMetrics } from '../aggregation/metrics.js';
import type { Dialer } from '../dial/types.js';
import { counter, type Family } from '../endpoints/metric-families.js';
import type { Settings } from './settings.js';

export interface AggregationParts {
  readonly objects: Objects;
  readonly dialer: Dialer;
  readonly turns: Turns;
  readonly signal: AbortSignal;
}

export interface ComposedAggregation extends Aggregation {
  /** Discovery of all servers has been put together. */
  readonly aggregated: () => void;
  readonly families: readonly Family[];
}

/** APIs that other servers serve. */
export function composeAggregation(
  { proxyClient, aggregatorRouting, clock, log }: Settings,
  { objects, dialer, turns, signal }: AggregationParts,
): ComposedAggregation {
  const metrics = createAggregationMetrics(objects);
  const aggregations = counter(
    'aggregator_discovery_aggregation_count_total',
    'Counter of number of times discovery was aggregated',
  );
  const aggregation = createAggregation({
    objects,
    dialer,
    identity: proxyClient,
    toEndpoints: aggregatorRouting,
    clock,
    log,
    signal,
    turns,
    metrics,
  });
  return {
    ...aggregation,
    aggregated: () => aggregations.add({}),
    families: [...metrics.families, aggregations],
  };
}
