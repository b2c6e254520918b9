import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CacheMetrics } from './cache.js';
import { DNSSEC_OK } from './edns.js';
import type { ForwardMetrics, Transport } from './forward.js';
import type { Query } from './message.js';
import { RCODE, RECORD_TYPES } from './records.js';

export interface Observation {
  readonly transport: Transport;
  readonly family: 4 | 6;
  /** Undefined: the message had no question. */
  readonly query: Query | undefined;
  readonly rcode: number;
  readonly seconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

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
/** Of kubeadm's Corefile; "server" is the address that its Service leads to. */
const BLOCK = { server: 'dns://:53', zone: '.', view: '' } as const;
const CACHE = { server: BLOCK.server, zones: '.', view: '' } as const;
/** For a question that no plugin saw. */
const DROPPED = { ...BLOCK, zone: 'dropped' } as const;
const PLUGINS = ['cache', 'errors', 'forward', 'kubernetes', 'loadbalance', 'prometheus'];

/** Types that have a label of their own. */
const TYPE_NAMES = new Map<number, string>([
  ...Object.entries(RECORD_TYPES).map(([name, type]): [number, string] => [type, name]),
  [43, 'DS'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [50, 'NSEC3'],
  [65, 'HTTPS'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
]);
const RCODE_NAMES = new Map<number, string>(Object.entries(RCODE).map(([name, rcode]) => [rcode, name]));
const rcodeName = (rcode: number): string => RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;

const exponential = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start * factor ** i);
const TIMES = exponential(0.00025, 2, 16);
const SIZES = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];

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
  const requests = new Counter(
    of('dns_requests_total', 'Counter of DNS requests made per zone, protocol and family.', [
      ...block,
      ...['proto', 'family', 'type'],
    ]),
  );
  const responses = new Counter(
    of('dns_responses_total', 'Counter of response status codes.', [...block, 'rcode', 'plugin']),
  );
  const dnssec = new Counter(of('dns_do_requests_total', 'Counter of DNS requests with DO bit set per zone.', block));
  const duration = new Histogram({
    ...of('dns_request_duration_seconds', 'Histogram of the time (in seconds) each request took per zone.', block),
    buckets: TIMES,
  });
  const requestSize = new Histogram({
    ...of('dns_request_size_bytes', 'Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.', [
      ...block,
      'proto',
    ]),
    buckets: SIZES,
  });
  const responseSize = new Histogram({
    ...of('dns_response_size_bytes', 'Size of the returned response in bytes.', [...block, 'proto']),
    buckets: SIZES,
  });
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
    observe({ transport: proto, family, query, rcode, seconds, requestBytes, responseBytes }) {
      const labels = query === undefined ? DROPPED : BLOCK;
      const type = TYPE_NAMES.get(query?.type ?? 0) ?? 'other';
      requests.inc({ ...labels, proto, family: family === 4 ? '1' : '2', type });
      // Upstream names the first plugin an answer came through; a refusal comes from none.
      const plugin = query === undefined || rcode === RCODE.REFUSED ? '' : 'loadbalance';
      responses.inc({ ...labels, rcode: rcodeName(rcode), plugin });
      if (((query?.edns?.flags ?? 0) & DNSSEC_OK) !== 0) dnssec.inc(labels);
      duration.observe(labels, seconds);
      requestSize.observe({ ...labels, proto }, requestBytes);
      responseSize.observe({ ...labels, proto }, responseBytes);
    },
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
