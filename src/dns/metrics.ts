import { Counter, Histogram, Registry } from 'prom-client';
import { RCODE, RECORD_TYPES } from './records.js';

export interface DnsMetrics {
  observe(transport: 'udp' | 'tcp', type: number, rcode: number, seconds: number): void;
  /** The Prometheus text format. */
  print(): Promise<string>;
  readonly contentType: string;
}

const TYPE_NAMES = new Map<number, string>(Object.entries(RECORD_TYPES).map(([name, type]) => [type, name]));
const RCODE_NAMES = new Map<number, string>(Object.entries(RCODE).map(([name, rcode]) => [rcode, name]));

/** The request metrics of CoreDNS, by their names. */
export function createDnsMetrics(): DnsMetrics {
  const registry = new Registry();
  const shared = { registers: [registry] };
  const requests = new Counter({
    ...shared,
    name: 'coredns_dns_requests_total',
    help: 'Counter of DNS requests made per zone, protocol and family.',
    labelNames: ['proto', 'type'],
  });
  const responses = new Counter({
    ...shared,
    name: 'coredns_dns_responses_total',
    help: 'Counter of response status codes.',
    labelNames: ['rcode'],
  });
  const duration = new Histogram({
    ...shared,
    name: 'coredns_dns_request_duration_seconds',
    help: 'Histogram of the time (in seconds) each request took per zone.',
    buckets: Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i),
  });
  return {
    observe(proto, type, rcode, seconds) {
      requests.inc({ proto, type: TYPE_NAMES.get(type) ?? 'other' });
      responses.inc({ rcode: RCODE_NAMES.get(rcode) ?? String(rcode) });
      duration.observe(seconds);
    },
    print: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
