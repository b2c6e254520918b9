import type { Clock } from '../../machinery/clock.js';
import type { Claim } from './allocation.js';
import { createIntegrator } from './integrator.js';
import { createQueueSet, type QueueSet, type Queuing } from './queue-set.js';
import { createHands, type Hands } from './shuffle-shard.js';
import type { PriorityLevel } from './types.js';

export interface Demand {
  average: number;
  deviation: number;
  highWatermark: number;
  smoothed: number;
}

/** One priority level at work. */
export interface Level {
  readonly name: string;
  config: PriorityLevel;
  readonly exempt: boolean;
  readonly queueSet: QueueSet;
  /** undefined: it has no queues, or they have just changed. */
  hands: Hands | undefined;
  /** It is no longer wanted, and goes when it is idle. */
  quiescing: boolean;
  readonly demand: Demand;
  /** Seats: what it is configured to have, what it keeps of that when it lends, what it has when it borrows all it may. */
  nominal: number;
  lower: number;
  upper: number;
  /** What it has now; undefined: it has only just begun. */
  current: number | undefined;
  target: number;
  /** What a request may take at most; 0: no rule. */
  maxSeats: number;
}

/** How much of the last demand a level is still thought to have, period by period, when it falls. */
const SMOOTHING = 0.977;
/** A request takes no more than this part of its level. */
const MAX_SEATS_PART = 0.15;

const queuingOf = ({ spec }: PriorityLevel): Queuing => {
  if (spec?.limited === undefined) return { kind: 'exempt' };
  const { queuing } = spec.limited.limitResponse ?? {};
  if (queuing === undefined) return { kind: 'reject' };
  return { kind: 'queue', queues: queuing.queues ?? 64, queueLengthLimit: queuing.queueLengthLimit ?? 50 };
};

export const sharesOf = ({ spec }: PriorityLevel): number =>
  (spec?.limited ?? spec?.exempt)?.nominalConcurrencyShares ?? 0;

/** What upstream does not work with, if ever it was stored: a level that is not what its type says. */
export function isBroken({ metadata, spec }: PriorityLevel): boolean {
  const { type, limited, exempt } = spec ?? {};
  if ((type === 'Limited') !== (limited !== undefined) || (type === 'Exempt') !== (exempt !== undefined)) return true;
  if ((type === 'Exempt') !== (metadata.name === 'exempt')) return true;
  const response = limited?.limitResponse;
  return limited !== undefined && (response?.type === 'Reject') !== (response?.queuing === undefined);
}

export interface LevelOptions {
  readonly clock: Clock;
  /** Calls back in another turn of the event loop. */
  readonly soon: (callback: () => void) => void;
  readonly onIdle: (level: Level) => void;
}

export function createLevel(
  config: PriorityLevel,
  { clock, soon, onIdle }: LevelOptions,
): Level & { readonly measure: () => void } {
  const integrator = createIntegrator(() => clock.monotonic());
  const demand: Demand = { average: 0, deviation: 0, highWatermark: 0, smoothed: 0 };
  const level: Level & { measure: () => void } = {
    name: config.metadata.name ?? '',
    config,
    exempt: config.spec?.type === 'Exempt',
    queueSet: createQueueSet({ clock, soon, onDemand: seats => integrator.set(seats), onIdle: () => onIdle(level) }),
    hands: undefined,
    quiescing: false,
    demand,
    nominal: 0,
    lower: 0,
    upper: 0,
    current: undefined,
    target: 0,
    maxSeats: 0,
    measure() {
      const { durationMs, average, deviation, max } = integrator.reset();
      demand.highWatermark = Math.round(max);
      if (durationMs <= 0) return;
      demand.average = average;
      demand.deviation = deviation;
      const envelope = average + deviation;
      demand.smoothed = Math.max(envelope, SMOOTHING * demand.smoothed + (1 - SMOOTHING) * envelope);
    },
  };
  return level;
}

/** Gives a level its part of all seats, by its shares of all shares. */
export function setNominal(level: Level, serverLimit: number, allShares: number): void {
  const { limited, exempt } = level.config.spec ?? {};
  const nominal = allShares === 0 ? 0 : Math.ceil((serverLimit * sharesOf(level.config)) / allShares);
  const lendable = Math.round((nominal * ((limited ?? exempt)?.lendablePercent ?? 0)) / 100);
  const borrowing = limited?.borrowingLimitPercent;
  level.nominal = nominal;
  level.lower = nominal - lendable;
  level.upper = nominal + (borrowing === undefined ? serverLimit : Math.round((nominal * borrowing) / 100));
  level.current ??= nominal - Math.floor(lendable / 2);
  const queuing = limited?.limitResponse?.queuing;
  level.maxSeats =
    queuing === undefined
      ? 0
      : Math.max(1, Math.min(Math.ceil(nominal * MAX_SEATS_PART), Math.floor(nominal / (queuing.handSize ?? 8))));
}

/** What a level that is not exempt claims of the seats, from what it lately needed. */
export function claimOf({ nominal, lower, upper, demand }: Level): Claim {
  const lowerBound = Math.max(lower, Math.min(nominal, demand.highWatermark));
  return { lowerBound, upperBound: upper, target: Math.max(lowerBound, demand.smoothed) };
}

/** Takes the level's queues and its limit into use. */
export function applyLimit(level: Level): void {
  const queuing = queuingOf(level.config);
  if (queuing.kind === 'queue') {
    const { handSize = 8 } = level.config.spec?.limited?.limitResponse?.queuing ?? {};
    level.hands ??= createHands(queuing.queues, handSize);
  }
  level.queueSet.configure(queuing, level.current ?? 0);
}
