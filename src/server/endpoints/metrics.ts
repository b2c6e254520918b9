import type { Clock } from '../../machinery/clock.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { Exchange } from '../pipeline/exchange.js';
import { counter, histogram, readGauge, type Family, type Labels } from './metric-families.js';

/** What the server counts about itself, under kube-apiserver's names. */
export interface Metrics {
  requestStarted(exchange: Exchange): void;
  /** Its answer is out, or its client is gone. */
  requestEnded(exchange: Exchange): void;
  watchStarted(info: ResourceInfo): void;
  watchEnded(info: ResourceInfo): void;
  watchEvents(info: ResourceInfo, count: number): void;
  /** Prometheus' text form. */
  render(): string;
}

const DURATION_BOUNDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

const gvr = (info: ResourceInfo): Labels => ({ group: info.group, version: info.version, resource: info.plural });

/** One of three: a client must not be able to make series (upstream's cleanDryRun). */
function dryRunLabel(query: URLSearchParams): string {
  const values = query.getAll('dryRun');
  if (values.length === 0) return '';
  return values.every(value => value === 'All') ? 'All' : 'invalid';
}

const requestKind = ({ method }: Exchange['request']): string => (method === 'GET' ? 'readOnly' : 'mutating');

/** `objects` counts what is stored, by resourceId; `more` is what others count. */
export function createMetrics(
  clock: Clock,
  objects: () => Iterable<readonly [string, number]>,
  more: readonly Family[] = [],
): Metrics {
  const requests = counter(
    'apiserver_request_total',
    'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
  );
  const durations = histogram(
    'apiserver_request_duration_seconds',
    'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    DURATION_BOUNDS,
  );
  const inflight = counter(
    'apiserver_current_inflight_requests',
    'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
    'gauge',
  );
  const longRunning = counter(
    'apiserver_longrunning_requests',
    'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
    'gauge',
  );
  const events = counter('apiserver_watch_events_total', 'Number of events sent in watch clients');
  const families: Family[] = [
    requests,
    durations,
    inflight,
    longRunning,
    events,
    ...more,
    readGauge(
      'apiserver_storage_objects',
      'Number of stored objects at the time of last check split by kind.',
      function* () {
        for (const [resource, count] of objects()) yield [{ resource }, count] as const;
      },
    ),
    readGauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => [
      [{}, process.memoryUsage.rss()],
    ]),
    readGauge('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    }),
  ];
  return {
    requestStarted({ request }) {
      inflight.add({ request_kind: requestKind(request) });
    },
    requestEnded(exchange) {
      const { route, info, request, startedMs } = exchange;
      inflight.add({ request_kind: requestKind(request) }, -1);
      // Only served resources make series: a client must not be able to fill the memory with names.
      const isResource = route.kind === 'resource';
      const labels = {
        verb: isResource ? info.verb.toUpperCase() : info.isResource ? 'other' : request.method,
        dry_run: dryRunLabel(request.query),
        group: isResource ? info.group : '',
        version: isResource ? info.version : '',
        resource: isResource ? info.resource : '',
        subresource: isResource ? info.subresource : '',
        scope: !isResource ? '' : route.name !== '' ? 'resource' : info.namespace === '' ? 'cluster' : 'namespace',
        component: 'apiserver',
      };
      // No spread: V8 keeps what that makes through many more collections, and with it what it points to.
      const { verb, dry_run, group, version, resource, subresource, scope, component } = labels;
      const code = request.response.statusCode;
      requests.add({ verb, dry_run, group, version, resource, subresource, scope, component, code });
      if (!exchange.longRunning) durations.observe(labels, (clock.monotonic() - startedMs) / 1000);
    },
    watchStarted: info => longRunning.add({ verb: 'WATCH', ...gvr(info), component: 'apiserver' }),
    watchEnded: info => longRunning.add({ verb: 'WATCH', ...gvr(info), component: 'apiserver' }, -1),
    watchEvents: (info, count) => events.add(gvr(info), count),
    render: () => families.map(f => f.render()).join(''),
  };
}
