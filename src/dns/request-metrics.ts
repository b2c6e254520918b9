import type { Registry } from 'prom-client';
import { DNSSEC_OK } from './edns.js';
import type { Transport } from './forward.js';
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

/** Of kubeadm's Corefile; "server" is the address that its Service leads to. */
export const BLOCK = { server: 'dns://:53', zone: '.', view: '' } as const;
/** For a question that no plugin saw. */
const DROPPED = { ...BLOCK, zone: 'dropped' } as const;

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
export const rcodeName = (rcode: number): string => RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;

export const exponential = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start * factor ** i);
export const TIMES = exponential(0.00025, 2, 16);
const SIZES = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];

type Labels = Readonly<Record<string, string>>;

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Counts by name; the labels are put together when somebody looks. */
const bump = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

interface Distribution {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

const distribution = (labels: Labels, bounds: readonly number[]): Distribution => ({
  labels,
  counts: bounds.map(() => 0),
  sum: 0,
  count: 0,
});

function add(to: Distribution, bounds: readonly number[], value: number): void {
  to.sum += value;
  to.count++;
  for (let i = 0; i < bounds.length; i++)
    if (value <= (bounds[i] ?? 0)) {
      to.counts[i] = (to.counts[i] ?? 0) + 1;
      return;
    }
}

function valuesOf(name: string, bounds: readonly number[], { labels, counts, sum, count }: Distribution): Value[] {
  if (count === 0) return [];
  let below = 0;
  return [
    ...bounds.map((le, i) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value: (below += counts[i] ?? 0),
    })),
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

/** Labels that a query can have are few and known: each has its counters, so that a query costs no lookup by labels. */
function createGroup(block: Labels) {
  const protocols = {
    udp: sizes(block, 'udp'),
    tcp: sizes(block, 'tcp'),
  };
  return {
    block,
    protocols,
    rcodes: new Map<string, number>(),
    seconds: distribution(block, TIMES),
    dnssec: 0,
  };
}

const sizes = (block: Labels, proto: Transport) => ({
  types: { 4: new Map<string, number>(), 6: new Map<string, number>() },
  request: distribution({ ...block, proto }, SIZES),
  response: distribution({ ...block, proto }, SIZES),
});

/** What CoreDNS counts of each request. */
export function createRequestMetrics(registry: Registry): (observation: Observation) => void {
  const asked = createGroup(BLOCK);
  const dropped = createGroup(DROPPED);
  const groups = [asked, dropped];
  const protocols = ['udp', 'tcp'] as const;

  const register = (name: string, type: 'counter' | 'histogram', help: string, values: () => Value[]): void =>
    // A metric of one's own: prom-client asks it for its values when it prints.
    registry.registerMetric({ name, get: async () => ({ name, help, type, values: values() }) } as never);
  const histogram = (name: string, help: string, bounds: readonly number[], pick: () => Distribution[]): void =>
    register(name, 'histogram', help, () => pick().flatMap(of => valuesOf(name, bounds, of)));
  const counts = (counted: Map<string, number>, labels: (name: string) => Labels): Value[] =>
    [...counted].map(([name, value]) => ({ labels: labels(name), value }));

  register('coredns_dns_requests_total', 'counter', 'Counter of DNS requests made per zone, protocol and family.', () =>
    groups.flatMap(({ block, protocols: of }) =>
      protocols.flatMap(proto => [
        ...counts(of[proto].types[4], type => ({ ...block, proto, family: '1', type })),
        ...counts(of[proto].types[6], type => ({ ...block, proto, family: '2', type })),
      ]),
    ),
  );
  register('coredns_dns_responses_total', 'counter', 'Counter of response status codes.', () =>
    groups.flatMap(({ block, rcodes }) =>
      counts(rcodes, rcode => ({
        ...block,
        rcode,
        // Upstream names the first plugin an answer came through; a refusal comes from none.
        plugin: block === DROPPED || rcode === 'REFUSED' ? '' : 'loadbalance',
      })),
    ),
  );
  register('coredns_dns_do_requests_total', 'counter', 'Counter of DNS requests with DO bit set per zone.', () =>
    groups.flatMap(({ block, dnssec }) => (dnssec === 0 ? [] : [{ labels: block, value: dnssec }])),
  );
  histogram(
    'coredns_dns_request_duration_seconds',
    'Histogram of the time (in seconds) each request took per zone.',
    TIMES,
    () => groups.map(group => group.seconds),
  );
  histogram(
    'coredns_dns_request_size_bytes',
    'Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.',
    SIZES,
    () => groups.flatMap(group => protocols.map(proto => group.protocols[proto].request)),
  );
  histogram('coredns_dns_response_size_bytes', 'Size of the returned response in bytes.', SIZES, () =>
    groups.flatMap(group => protocols.map(proto => group.protocols[proto].response)),
  );

  return ({ transport, family, query, rcode, seconds, requestBytes, responseBytes }) => {
    const group = query === undefined ? dropped : asked;
    const { types, request, response } = group.protocols[transport];
    bump(types[family], TYPE_NAMES.get(query?.type ?? 0) ?? 'other');
    bump(group.rcodes, rcodeName(rcode));
    if (((query?.edns?.flags ?? 0) & DNSSEC_OK) !== 0) group.dnssec++;
    add(group.seconds, TIMES, seconds);
    add(request, SIZES, requestBytes);
    add(response, SIZES, responseBytes);
  };
}
