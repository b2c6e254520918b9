import type { Clock } from '../../machinery/clock.js';
import type { FieldRequirement } from '../../machinery/fields.js';
import type { UserInfo } from '../../api/strategy.js';
import { TooManyRequestsError } from '../pipeline/too-many-requests.js';
import type { RequestInfo } from '../pipeline/request-info.js';
import { createConfiguration, type ActiveSchema, type Configuration, type Mandatory } from './configuration.js';
import { createDroppedRequests } from './dropped-requests.js';
import { createFlowMetrics, type FlowMetrics, type FlowSeries } from './flow-metrics.js';
import type { Ticket } from './queue-set.js';
import { createWatchTracker, type WatchTracker } from './watch-tracker.js';
import { createWorkEstimator, type Stored } from './work-estimate.js';
import { maxSeats } from './types.js';

/** A request that asks to be worked on. */
export interface Asked {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly query: URLSearchParams;
  readonly fields: readonly FieldRequirement[] | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** The time that it has in all; undefined: no limit. */
  readonly limitMs: number | undefined;
}

/** Where a request belongs: told before it is decided whether there is room. */
export interface Classification {
  readonly schemaUid: string;
  readonly levelUid: string;
}

export interface FlowControl {
  /**
   * Lets a request in: at once (a function that gives its seats back), or when its turn has come. The function may be
   * called more than once. @throws TooManyRequestsError (or rejects) when there is no room
   */
  enter(asked: Asked, classified: (classification: Classification) => void): (() => void) | Promise<() => void>;
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

/** A request waits a quarter of its time at most, and never longer than a minute. */
const WAIT_PART = 4;
const MAX_WAIT_MS = 60_000;
/** Of one without a limit: a quarter of the time that others have. */
const WATCH_WAIT_MS = 15_000;

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

  const refuse = (schema: ActiveSchema): TooManyRequestsError =>
    new TooManyRequestsError(dropped.drop(schema.level.name));

  const finisher = (schema: ActiveSchema, flow: FlowSeries, asked: Asked): ((ticket: Ticket) => () => void) => {
    const kind = asked.info.verb === 'watch' ? 'watch' : 'regular';
    return ticket => {
      let finished = false;
      return () => {
        if (finished) return;
        finished = true;
        flow.executed((clock.monotonic() - ticket.startedMs) / 1000, kind);
        schema.level.queueSet.finish(ticket);
      };
    };
  };

  return {
    configuration,
    metrics,
    watching: (info, fields) => watches.register(info, fields),
    enter(asked, classified) {
      const { info, user, query, signal, limitMs } = asked;
      const schema = configuration.classify(info, user);
      const { level } = schema;
      classified({ schemaUid: schema.uid, levelUid: level.config.metadata.uid ?? '' });
      const flow = metrics.flowOf(level.name, schema.name);
      const work = estimate(info, query, level.maxSeats, flow);
      flow.estimated(maxSeats(work));
      const distinguisher = level.hands === undefined ? '' : schema.distinguish(info, user);
      const arrivedMs = clock.monotonic();
      const waited = (executes: boolean): void => {
        if (!level.exempt) flow.waited((clock.monotonic() - arrivedMs) / 1000, executes);
      };
      let dispatched = (): void => undefined;
      const outcome = level.queueSet.arrive({
        flow,
        work,
        distinguisher,
        hand: level.hands?.of(schema.name, distinguisher) ?? [],
        about: asked,
        dispatched: () => dispatched(),
      });
      if (typeof outcome === 'string') {
        flow.rejected[outcome]++;
        waited(false);
        throw refuse(schema);
      }
      const { ticket, waits } = outcome;
      const finish = finisher(schema, flow, asked);
      if (!waits) {
        waited(true);
        return finish(ticket);
      }
      return new Promise<() => void>((resolve, reject) => {
        const giveUp = (): void => {
          end();
          level.queueSet.giveUp(ticket);
          flow.rejected['time-out']++;
          waited(false);
          reject(refuse(schema));
        };
        const waitMs = limitMs === undefined ? WATCH_WAIT_MS : limitMs / WAIT_PART;
        const cancel = clock.after(Math.min(waitMs, MAX_WAIT_MS), giveUp, { unref: true });
        const end = (): void => {
          cancel();
          signal.removeEventListener('abort', giveUp);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        dispatched = () => {
          end();
          waited(true);
          resolve(finish(ticket));
        };
      });
    },
  };
}
