import type { Clock } from '../../machinery/clock.js';
import { createTimeouts } from '../../machinery/timeouts.js';
import type { FieldRequirement } from '../../machinery/fields.js';
import { TooManyRequestsError } from '../pipeline/too-many-requests.js';
import type { RequestInfo } from '../pipeline/request-info.js';
import { createConfiguration, type ActiveSchema, type Configuration, type Mandatory } from './configuration.js';
import { createDroppedRequests } from './dropped-requests.js';
import { createFlowMetrics, type FlowMetrics } from './flow-metrics.js';
import { Place } from './place.js';
import { createWatchTracker, type WatchTracker } from './watch-tracker.js';
import { createWorkEstimator, type Stored } from './work-estimate.js';
import { maxSeats, type Asked, type Seat } from './types.js';

export interface FlowControl {
  /** Lets a request in, or into a queue. Who gives the seat up while it waits has left. @throws TooManyRequestsError */
  enter(asked: Asked): Seat;
  /** A watch is served from now on; the returned function ends it. */
  watching(info: RequestInfo, fields: readonly FieldRequirement[] | undefined): () => void;
  readonly configuration: Configuration;
  readonly metrics: FlowMetrics;
}

export interface FlowControlOptions {
  readonly clock: Clock;
  /** Calls back in another turn of the event loop; default setImmediate. */
  readonly soon?: (callback: () => void) => void;
  /** Requests that are worked on at a time, in all: seats. */
  readonly serverLimit: number;
  readonly mandatory: Mandatory;
  stored(group: string, resource: string): Stored | undefined;
  /** The configuration should be read again: a level has been waited for and is idle. */
  onQuiet(): void;
}

/** API Priority and Fairness (k8s.io/apiserver pkg/util/flowcontrol/apf_filter.go, pkg/server/filters/priority-and-fairness.go). */
export function createFlowControl(options: FlowControlOptions): FlowControl {
  const { clock, serverLimit, mandatory } = options;
  const watches: WatchTracker = createWatchTracker();
  const estimate = createWorkEstimator({ stored: (group, resource) => options.stored(group, resource), watches });
  const dropped = createDroppedRequests(() => clock.now());
  const metrics = createFlowMetrics(() => configuration);
  const configuration = createConfiguration({
    clock,
    soon: options.soon ?? (callback => void setImmediate(callback)),
    serverLimit,
    mandatory,
    flowOf: (level, name) => metrics.flowOf(level, name),
    onQuiet: () => options.onQuiet(),
  });
  configuration.digest([], []);

  const house = {
    clock,
    timeouts: createTimeouts(clock),
    refusal: (schema: ActiveSchema) => new TooManyRequestsError(dropped.drop(schema.level.name)),
  };

  return {
    configuration,
    metrics,
    watching: (info, fields) => watches.register(info, fields),
    enter(asked) {
      const { info, user, request } = asked;
      const schema = configuration.classify(info, user);
      const { level, flow } = schema;
      asked.classification = schema.classification;
      const work = estimate(info, request.query, level.maxSeats, flow);
      flow.estimated(maxSeats(work));
      const distinguisher = level.hands === undefined ? '' : schema.distinguish(info, user);
      const hand = level.hands?.of(schema.name, distinguisher) ?? [];
      const place = new Place(house, schema, asked);
      place.arrive({ flow, work, distinguisher, hand, holder: place });
      return place;
    },
  };
}
