import { histogram, readCounter, readGauge, type Family, type Labels } from '../endpoints/metric-families.js';
import type { Configuration } from './configuration.js';
import type { Level } from './level.js';
import type { Flow, FlowSeries, RejectReason } from './types.js';

export interface FlowMetrics {
  flowOf(level: string, schema: string): FlowSeries;
  readonly families: readonly Family[];
}

const PREFIX = 'apiserver_flowcontrol_';
const LENGTHS = [0, 10, 25, 50, 100, 250, 500, 1000];
const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const WATCHES = [0, 1, 10, 100, 1000, 10_000];
const SEATS = [1, 2, 4, 8, 16, 32, 64, 100];
const REASONS: readonly RejectReason[] = ['queue-full', 'concurrency-limit', 'time-out'];

/** Under upstream's names (k8s.io/apiserver pkg/util/flowcontrol/metrics). What is kept anyway is read when it is asked for. */
export function createFlowMetrics(configuration: () => Configuration): FlowMetrics {
  const flows = new Map<string, FlowSeries>();
  const lengths = histogram(
    `${PREFIX}request_queue_length_after_enqueue`,
    'Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued',
    LENGTHS,
  );
  const waits = histogram(
    `${PREFIX}request_wait_duration_seconds`,
    'Length of time a request spent waiting in its queue',
    SECONDS,
  );
  const executions = histogram(
    `${PREFIX}request_execution_seconds`,
    'Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem',
    SECONDS,
  );
  const estimates = histogram(
    `${PREFIX}work_estimated_seats`,
    'Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness',
    SEATS,
  );
  const watches = histogram(
    `${PREFIX}watch_count_samples`,
    'count of watchers for mutating requests in API Priority and Fairness',
    WATCHES,
  );
  const labelsOf = ({ level, schema }: Flow): Labels => ({ flow_schema: schema, priority_level: level });

  const create = (level: string, schema: string): FlowSeries => {
    const labels = { flow_schema: schema, priority_level: level };
    const executed = {
      regular: executions.series({ ...labels, type: 'regular' }),
      watch: executions.series({ ...labels, type: 'watch' }),
    };
    const waited = {
      true: waits.series({ execute: 'true', ...labels }),
      false: waits.series({ execute: 'false', ...labels }),
    };
    return {
      level,
      schema,
      inQueue: 0,
      seatsInQueue: 0,
      executing: 0,
      seatsExecuting: 0,
      dispatched: 0,
      noAccommodation: 0,
      rejected: { 'queue-full': 0, 'concurrency-limit': 0, 'time-out': 0 },
      queued: lengths.series(labels),
      estimated: estimates.series(labels),
      watched: watches.series(labels),
      waited: (seconds, executes) => waited[executes ? 'true' : 'false'](seconds),
      executed: (seconds, kind) => executed[kind](seconds),
    };
  };

  const perFlow = function* (of: (flow: FlowSeries) => number): Iterable<readonly [Labels, number]> {
    for (const flow of flows.values()) if (of(flow) > 0 || flow.dispatched > 0) yield [labelsOf(flow), of(flow)];
  };
  const perLevel = function* (of: (level: Level) => number): Iterable<readonly [Labels, number]> {
    for (const level of configuration().levels.values()) yield [{ priority_level: level.name }, of(level)];
  };
  const flowGauge = (name: string, help: string, of: (flow: FlowSeries) => number): Family =>
    readGauge(PREFIX + name, help, () => perFlow(of));
  const levelGauge = (name: string, help: string, of: (level: Level) => number): Family =>
    readGauge(PREFIX + name, help, () => perLevel(of));

  return {
    flowOf(level, schema) {
      const key = `${level}\0${schema}`;
      let flow = flows.get(key);
      if (flow === undefined) flows.set(key, (flow = create(level, schema)));
      return flow;
    },
    families: [
      readCounter(
        `${PREFIX}rejected_requests_total`,
        'Number of requests rejected by API Priority and Fairness subsystem',
        function* () {
          for (const flow of flows.values())
            for (const reason of REASONS)
              if (flow.rejected[reason] > 0) yield [{ ...labelsOf(flow), reason }, flow.rejected[reason]] as const;
        },
      ),
      readCounter(
        `${PREFIX}dispatched_requests_total`,
        'Number of requests executed by API Priority and Fairness subsystem',
        () => perFlow(flow => flow.dispatched),
      ),
      readCounter(
        `${PREFIX}request_dispatch_no_accommodation_total`,
        'Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats',
        function* () {
          for (const flow of flows.values())
            if (flow.noAccommodation > 0) yield [labelsOf(flow), flow.noAccommodation] as const;
        },
      ),
      flowGauge(
        'current_inqueue_requests',
        'Number of requests currently pending in queues of the API Priority and Fairness subsystem',
        flow => flow.inQueue,
      ),
      flowGauge(
        'current_inqueue_seats',
        'Number of seats currently pending in queues of the API Priority and Fairness subsystem',
        flow => flow.seatsInQueue,
      ),
      flowGauge(
        'current_executing_requests',
        'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
        flow => flow.executing,
      ),
      flowGauge(
        'current_executing_seats',
        'Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem',
        flow => flow.seatsExecuting,
      ),
      lengths,
      waits,
      executions,
      watches,
      estimates,
      levelGauge(
        'nominal_limit_seats',
        'Nominal number of execution seats configured for each priority level',
        l => l.nominal,
      ),
      levelGauge(
        'lower_limit_seats',
        'Configured lower bound on number of execution seats available to each priority level',
        l => l.lower,
      ),
      levelGauge(
        'upper_limit_seats',
        'Configured upper bound on number of execution seats available to each priority level',
        l => l.upper,
      ),
      levelGauge(
        'current_limit_seats',
        'current derived number of execution seats available to each priority level',
        l => l.current ?? 0,
      ),
      levelGauge('target_seats', 'Seat allocation targets', l => l.target),
      levelGauge(
        'demand_seats_high_watermark',
        'High watermark, over last adjustment period, of demand_seats',
        l => l.demand.highWatermark,
      ),
      levelGauge(
        'demand_seats_average',
        'Time-weighted average, over last adjustment period, of demand_seats',
        l => l.demand.average,
      ),
      levelGauge(
        'demand_seats_stdev',
        'Time-weighted standard deviation, over last adjustment period, of demand_seats',
        l => l.demand.deviation,
      ),
      levelGauge('demand_seats_smoothed', 'Smoothed seat demands', l => l.demand.smoothed),
      readGauge(
        `${PREFIX}seat_fair_frac`,
        "Fair fraction of server's concurrency to allocate to each priority level that can use it",
        () => [[{}, configuration().fairFraction()]],
      ),
    ],
  };
}
