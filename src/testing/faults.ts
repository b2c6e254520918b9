import type { ServerResponse } from 'node:http';
import type { Clock } from '../machinery/clock.js';
import type { Random } from '../machinery/random.js';
import type { Exchange } from '../server/pipeline/exchange.js';
import { milliseconds } from './duration.js';
import { faultStatus } from './fault-status.js';
import { holdWrites } from './held-writes.js';
import type { Fault, FaultFilter, Faults } from './fault-types.js';
import type { RequestFilter } from './request-types.js';
import { filterMatches, type Asked } from './requests.js';
import type { SlowStore } from './slow-store.js';
import type { Duration } from './types.js';

export interface FaultPlan {
  readonly faults: Faults;
  /** To be asked for each request. */
  interpose(exchange: Exchange): Promise<void> | void;
}

export interface FaultPlanOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: () => SlowStore;
}

type Act = (exchange: Exchange) => Promise<void> | void;

interface Active {
  readonly filter: FaultFilter;
  readonly act: Act;
  left: number;
  hits: number;
}

interface OpenWatch {
  readonly asked: Asked;
  readonly response: ServerResponse;
}

const askedOf = ({ info, user, request }: Exchange): Asked => ({
  user: user.name,
  userAgent: request.raw.headers['user-agent'] ?? '',
  verb: info.verb,
  group: info.group,
  resource: info.resource,
  subresource: info.subresource,
  namespace: info.namespace,
  name: info.name,
});

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];

export function createFaultPlan({ clock, random, store }: FaultPlanOptions): FaultPlan {
  const active = new Set<Active>();
  const watches = new Set<OpenWatch>();
  /** How what stands still goes on. */
  const endings = new Set<() => void>();

  const add = (filter: FaultFilter, times: number, act: Act): Fault => {
    const fault: Active = { filter, act, left: filter.times ?? times, hits: 0 };
    active.add(fault);
    return {
      get hits() {
        return fault.hits;
      },
      end: () => void active.delete(fault),
    };
  };
  const isHit = (fault: Active, asked: Asked): boolean => {
    if (!active.has(fault) || !filterMatches(fault.filter, asked)) return false;
    const { probability = 1 } = fault.filter;
    if (probability < 1 && random.number() >= probability) return false;
    fault.hits++;
    if (--fault.left <= 0) active.delete(fault);
    return true;
  };
  const watched = (exchange: Exchange, asked: Asked): void => {
    const watch = { asked, response: exchange.request.response };
    watches.add(watch);
    watch.response.once('close', () => watches.delete(watch));
  };
  const openWatches = (filter: RequestFilter): OpenWatch[] =>
    [...watches].filter(({ asked }) => filterMatches(filter, asked));
  const cut = (filter: RequestFilter): number => {
    const open = openWatches(filter);
    for (const { response } of open) response.destroy();
    return open.length;
  };

  const faults: Faults = {
    next({ status, message, retryAfterSeconds, ...filter }) {
      if (status !== 'reset' && (!Number.isInteger(status) || status < 400 || status > 599))
        throw new RangeError(`${status} is no status of an error: want 400 to 599, or 'reset'`);
      return add(filter, 1, ({ request, info }) => {
        if (status !== 'reset') throw faultStatus(status, info, message, retryAfterSeconds);
        request.response.destroy();
        throw faultStatus(503, info);
      });
    },
    conflict: (filter = {}) =>
      add({ verb: WRITES, ...filter }, 1, ({ info }) => {
        throw faultStatus(409, info);
      }),
    latency({ delay, ...filter }) {
      const [least, most] = isPair(delay) ? delay.map(milliseconds) : [milliseconds(delay), milliseconds(delay)];
      const [from = 0, to = 0] = [least, most];
      return add(filter, Infinity, ({ request }) => clock.sleep(from + (to - from) * random.number(), request.signal));
    },
    cut: (filter = {}) => cut({ ...filter, verb: 'watch' }),
    gone(filter = {}) {
      const ofWatches = { ...filter, verb: 'watch' };
      // Each of those that are cut is told once.
      const fault = add(ofWatches, Math.max(1, openWatches(ofWatches).length), expire);
      cut(ofWatches);
      return fault;
    },
    stale(filter = {}) {
      const revision = store().observed();
      const held = openWatches({ verb: 'watch', ...filter }).map(({ response }) => holdWrites(response));
      const fault = add(filter, Infinity, exchange => {
        if (exchange.info.verb === 'watch') held.push(holdWrites(exchange.request.response));
        else if (exchange.info.verb === 'get' || exchange.info.verb === 'list') exchange.asOf = revision;
      });
      const end = (): void => {
        endings.delete(end);
        fault.end();
        for (const release of held) release();
      };
      endings.add(end);
      return {
        get hits() {
          return fault.hits;
        },
        end,
      };
    },
    slowDisk: delay => void (store().delayMs = milliseconds(delay)),
    clear() {
      active.clear();
      for (const end of endings) end();
      store().delayMs = 0;
    },
  };

  const run = async (hit: Iterable<Active>, asked: Asked, exchange: Exchange): Promise<void> => {
    for (const fault of hit) if (isHit(fault, asked)) await fault.act(exchange);
  };
  return {
    faults,
    interpose(exchange) {
      const isWatch = exchange.info.verb === 'watch';
      if (active.size === 0 && !isWatch) return undefined;
      const asked = askedOf(exchange);
      if (isWatch) watched(exchange, asked);
      return active.size === 0 ? undefined : run([...active], asked, exchange);
    },
  };
}

const isPair = (delay: Duration | readonly [Duration, Duration]): delay is readonly [Duration, Duration] =>
  Array.isArray(delay);

/** A watch that goes on where another has ended asks for a state that nobody remembers. */
function expire({ request: { query } }: Exchange): void {
  const from = query.get('resourceVersion');
  if (from !== null && from !== '' && from !== '0') query.set('resourceVersion', '1');
}
