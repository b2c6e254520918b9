import type { DocumentRoute, Exchange } from '../pipeline/exchange.js';
import { Place } from './place.js';
import type { Configuration } from './configuration.js';
import type { Ticket } from './ticket.js';

/** Rows as Go's text/tabwriter lays them out with upstream's settings: a column is as wide as its widest cell, and one more. */
function table(rows: readonly (readonly string[])[]): string {
  // The cells of a row but the last end in a comma.
  const cells = rows.map(row => row.map((cell, i) => (i + 1 < row.length ? `${cell},` : cell)));
  const widths = (cells[0] ?? []).map((_, i) =>
    cells.reduce((widest, row) => Math.max(widest, (row[i] ?? '').length + 1), 8),
  );
  return cells
    .map(row => `${row.map((cell, i) => (i + 1 < row.length ? cell.padEnd(widths[i] ?? 0) : cell)).join('')}\n`)
    .join('');
}

const levelsOf = (configuration: Configuration): string[][] =>
  [...configuration.levels.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, queueSet, quiescing }) => {
      const { waiting, executing, dispatched, rejected, cancelled } = queueSet.totals;
      const active = [...queueSet.queues.values()].filter(queue => queue.waiting.size > 0).length;
      const counts = [waiting, executing, dispatched, rejected, 0, cancelled].map(String);
      return [name, String(active), String(queueSet.isIdle()), String(quiescing), ...counts];
    });

const LEVEL_COLUMNS = [
  'PriorityLevelName',
  'ActiveQueues',
  'IsIdle',
  'IsQuiescing',
  'WaitingRequests',
  'ExecutingRequests',
  'DispatchedRequests',
  'RejectedRequests',
  'TimedoutRequests',
  'CancelledRequests',
];

const QUEUE_COLUMNS = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'InitialSeatsSum',
  'MaxSeatsSum',
  'TotalWorkSum',
];

/** Seat-seconds as Go prints them. */
const seatSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(8)}ss`;

/** Only queues in use: there may be millions. */
function* queuesOf(configuration: Configuration): Generator<string[]> {
  for (const { name, queueSet } of configuration.levels.values())
    for (const [index, queue] of [...queueSet.queues].sort(([a], [b]) => a - b)) {
      const waiting = [...queue.waiting];
      const sum = (of: (ticket: Ticket) => number): string => String(waiting.reduce((all, one) => all + of(one), 0));
      yield [
        name,
        String(index),
        String(waiting.length),
        String(queue.executing.size),
        String(queue.seatsInUse),
        seatSeconds(queue.nextDispatchR),
        sum(({ work }) => work.initialSeats),
        sum(({ seats }) => seats),
        seatSeconds(queue.waitingWork),
      ];
    }
}

/** 0: not yet, Go's zero time. */
const timeText = (ms: number): string => (ms === 0 ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString());

const REQUEST_COLUMNS = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
];

const DETAIL_COLUMNS = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource'];

function detailsOf({ holder }: Ticket): string[] {
  if (!(holder instanceof Place)) return [];
  const { info, user } = holder.asked;
  const version = info.group === '' ? info.version : `${info.group}/${info.version}`;
  const all = [user.name, info.verb, info.path, info.namespace, info.name, version, info.resource, info.subresource];
  // One row each: what a client sends must not make another.
  return all.map(text => text.replace(/[\0-\x1f\x7f]/g, '?'));
}

function* requestsOf(configuration: Configuration, detailed: boolean): Generator<string[]> {
  const row = (level: string, ticket: Ticket, queue: number, at: number): string[] => [
    level,
    ticket.flow.schema,
    String(queue),
    String(at),
    ticket.distinguisher.replace(/[\0-\x1f\x7f]/g, '?'),
    timeText(ticket.arrivedAt),
    String(ticket.work.initialSeats),
    String(ticket.work.finalSeats),
    `${ticket.work.lingerMs / 1000}s`,
    timeText(ticket.startedAt),
    ...(detailed ? detailsOf(ticket) : []),
  ];
  for (const { name, queueSet } of configuration.levels.values()) {
    for (const [index, { waiting, executing }] of [...queueSet.queues].sort(([a], [b]) => a - b)) {
      let at = 0;
      for (const ticket of waiting) yield row(name, ticket, index, at++);
      for (const ticket of executing) yield row(name, ticket, index, -1);
    }
    for (const ticket of queueSet.unqueued) yield row(name, ticket, -1, -1);
  }
}

const PREFIX = '/debug/api_priority_and_fairness/dump_';

/** What the queues hold now (k8s.io/apiserver pkg/util/flowcontrol/apf_controller_debug.go); undefined for other paths. */
export function dumpRoute(path: string, configuration: Configuration): DocumentRoute | undefined {
  const tables: Readonly<Record<string, (exchange: Exchange) => (readonly string[])[]>> = {
    priority_levels: () => [LEVEL_COLUMNS, ...levelsOf(configuration)],
    queues: () => [QUEUE_COLUMNS, ...queuesOf(configuration)],
    requests({ request }) {
      const detailed = (request.query.get('includeRequestDetails') ?? '') !== '';
      return [[...REQUEST_COLUMNS, ...(detailed ? DETAIL_COLUMNS : [])], ...requestsOf(configuration, detailed)];
    },
  };
  const name = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : '';
  const rows = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (rows === undefined) return undefined;
  return {
    kind: 'document',
    negotiated: false,
    handle(exchange) {
      return {
        kind: 'raw',
        code: 200,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
        body: table(rows(exchange)),
      };
    },
  };
}
