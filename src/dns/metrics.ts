import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CacheMetrics } from './cache.js';
import type { ForwardMetrics } from './forward.js';
import { BLOCK, createRequestMetrics, exponential, type Observation, rcodeName, TIMES } from './request-metrics.js';

export interface DnsMetrics extends ForwardMetrics, CacheMetrics {
  observe(observation: Observation): void;
  /** An answer could not be made. */
  panicked(): void;
  /** How long a change of a headless Service's endpoints took to get here. */
  programmed(seconds: number): void;
  /** The Prometheus text format. */
  print(): Promise<string>;
  readonly contentType: string;
}

/** The version whose answers these are. */
const VERSION = '1.13.1';
const CACHE = { server: BLOCK.server, zones: '.', view: '' } as const;
const PLUGINS = ['cache', 'errors', 'forward', 'kubernetes', 'loadbalance', 'prometheus'];

/** CoreDNS's metrics of what there is here, by their names and labels. */
export function createDnsMetrics(): DnsMetrics {
  const registry = new Registry();
  const of = (name: string, help: string, labelNames: string[]) => ({
    registers: [registry],
    name: `coredns_${name}`,
    help,
    labelNames,
  });
  const block = ['server', 'zone', 'view'];
  const observe = createRequestMetrics(registry);
  const programming = new Histogram({
    ...of(
      'kubernetes_dns_programming_duration_seconds',
      'Histogram of the time (in seconds) it took to program a dns instance.',
      ['service_kind'],
    ),
    buckets: exponential(0.001, 2, 20),
  });
  const proxied = new Histogram({
    ...of('proxy_request_duration_seconds', 'Histogram of the time each request took.', ['proxy_name', 'to', 'rcode']),
    buckets: TIMES,
  });
  const rejects = new Counter(
    of(
      'forward_max_concurrent_rejects_total',
      'Counter of the number of queries rejected because the concurrent queries were at maximum.',
      [],
    ),
  );
  const cached = ['server', 'zones', 'view'];
  const lookups = new Counter(of('cache_requests_total', 'The count of cache requests.', cached));
  const hits = new Counter(of('cache_hits_total', 'The count of cache hits.', [...cached, 'type']));
  const misses = new Counter(
    of(
      'cache_misses_total',
      'The count of cache misses. Deprecated, derive misses from cache hits/requests counters.',
      cached,
    ),
  );
  const entries = new Gauge(of('cache_entries', 'The number of elements in the cache.', [...cached, 'type']));
  const panics = new Counter(of('panics_total', 'A metrics that counts the number of panics.', []));
  new Gauge(
    of(
      'build_info',
      "A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.",
      [...['goversion', 'revision', 'version']],
    ),
  ).set({ goversion: '', revision: '', version: VERSION }, 1);
  const enabled = new Gauge(
    of('plugin_enabled', 'A metric that indicates whether a plugin is enabled on per server and zone basis.', [
      ...block,
      'name',
    ]),
  );
  for (const name of PLUGINS) enabled.set({ ...BLOCK, name }, 1);

  return {
    observe,
    panicked: () => panics.inc(),
    programmed: seconds => programming.observe({ service_kind: 'headless_with_selector' }, seconds),
    forwarded: (to, rcode, seconds) => proxied.observe({ proxy_name: 'forward', to, rcode: rcodeName(rcode) }, seconds),
    rejected: () => rejects.inc(),
    looked(hit) {
      lookups.inc(CACHE);
      if (hit === undefined) misses.inc(CACHE);
      else hits.inc({ ...CACHE, type: hit });
    },
    kept: (type, count) => entries.set({ ...CACHE, type }, count),
    print: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
