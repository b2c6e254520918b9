import { Chain } from '../../machinery/chain.js';
import type { Clock } from '../../machinery/clock.js';
import { Accounts, type Totals } from './accounts.js';
import { FairQueues } from './fair-queues.js';
import { workFor, type Holder, type Queue, type Ticket } from './ticket.js';
import { maxSeats, type Flow, type Work } from './types.js';

/** How a level limits its requests. */
export type Queuing =
  /** Not at all. */
  | { readonly kind: 'exempt' }
  /** What has no seat is refused. */
  | { readonly kind: 'reject' }
  | { readonly kind: 'queue'; readonly queues: number; readonly queueLengthLimit: number };

export interface Arrival {
  readonly flow: Flow;
  readonly work: Work;
  readonly hand: readonly number[];
  readonly distinguisher: string;
  readonly holder: Holder;
}

export interface QueueSet {
  configure(queuing: Queuing, limit: number): void;
  /** The ticket executes or waits by `queue-full`'s rules; a string: why it is refused. `dispatched` is only called later. */
  arrive(arrival: Arrival): { readonly ticket: Ticket; readonly waits: boolean } | 'queue-full' | 'concurrency-limit';
  /** One that executes has been answered. */
  finish(ticket: Ticket): void;
  /** One that waits has waited too long, or nobody waits for it any more. */
  giveUp(ticket: Ticket): void;
  isIdle(): boolean;
  /** For those who look: queues in use by index, and what executes without a queue. */
  readonly queues: ReadonlyMap<number, Readonly<Queue>>;
  readonly unqueued: Iterable<Ticket>;
  readonly totals: Readonly<Totals>;
}

/** What a request is thought to take until some have been seen: as upstream always thinks. */
const FIRST_SERVICE_MS = 3;
/** What it takes is an average of about so many, and never thought to be longer than this. */
const SERVICES = 16;
const MAX_SERVICE_MS = 100;
/**
 * Requests that need not wait are begun where they are read, for so long in one turn of the event loop: a turn reads from as
 * many connections as have sent something, and what is answered at once gives its seat to the next, so that seats alone are
 * no limit.
 */
const AT_ONCE_MS = 0.3;

/**
 * Fair queuing for the requests of a level, after k8s.io/apiserver pkg/util/flowcontrol/fairqueuing/queueset/doc.go: the queue
 * that has had the fewest seat-milliseconds is next, and one that begins anew begins where the one is that has had the
 * least. Upstream's progress goes by the clock, as if all seats worked at once; here one thread works for all of them, so it
 * goes by what was done, and what a request takes is learned.
 */
export function createQueueSet(options: {
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
  /**
   * Calls back in another turn of the event loop. One request leaves its queue per turn: most are answered within theirs, and
   * what has come meanwhile is seen before the next one is chosen, so that a queue of thousands delays nobody else.
   */
  readonly soon: (callback: () => void) => void;
  /** Seats in use and waited for, whenever they change. */
  readonly onDemand: (seats: number) => void;
  readonly onIdle: () => void;
}): QueueSet {
  const { clock, soon, onDemand, onIdle } = options;
  const queues = new FairQueues();
  const unqueued = new Chain<Ticket>();
  const accounts = new Accounts();
  const { totals } = accounts;
  let queuing: Queuing = { kind: 'exempt' };
  let limit = 0;
  let serviceMs = FIRST_SERVICE_MS;

  const demand = (): void => onDemand(accounts.demand());
  const hasFreeSeats = (): boolean => totals.seatsInUse < limit;
  const hasRoomFor = (seats: number): boolean => {
    if (queuing.kind === 'exempt') return true;
    // One that is wider than the whole level has it for itself.
    if (seats > limit) return totals.executing === 0;
    return totals.seatsInUse + seats <= limit;
  };

  const execute = (ticket: Ticket, now: number): void => {
    ticket.startedMs = now;
    ticket.startedAt = clock.now();
    accounts.started(ticket);
    (ticket.queue?.executing ?? unqueued).add(ticket);
  };
  /** Gives a seat to the one whose turn it is, who is not told. */
  const dispatchOne = (now: number): Ticket | undefined => {
    const queue = queues.next(serviceMs);
    const ticket = queue?.waiting.first;
    if (queue === undefined || ticket === undefined) return undefined;
    if (!hasRoomFor(ticket.seats)) {
      ticket.flow.noAccommodation++;
      return undefined;
    }
    queue.waiting.delete(ticket);
    accounts.left(ticket);
    execute(ticket, now);
    queues.charge(queue, ticket, serviceMs);
    return ticket;
  };
  let planned = false;
  const dispatchSoon = (): void => {
    if (planned || totals.waiting === 0 || !hasFreeSeats()) return;
    planned = true;
    soon(() => {
      planned = false;
      if (totals.waiting === 0 || !hasFreeSeats()) return;
      const ticket = dispatchOne(clock.monotonic());
      if (ticket === undefined) return;
      ticket.holder.dispatched();
      dispatchSoon();
    });
  };

  /** When the first one was begun at once in this turn. */
  let turnMs: number | undefined;
  const isTurnOver = (now: number): boolean => {
    if (turnMs !== undefined) return now - turnMs >= AT_ONCE_MS;
    turnMs = now;
    soon(() => {
      turnMs = undefined;
    });
    return false;
  };

  const release = (ticket: Ticket): void => {
    accounts.released(ticket);
    if (ticket.queue !== undefined) queues.settle(ticket.queue);
    demand();
  };

  return {
    queues: queues.inUse,
    unqueued,
    totals,
    isIdle: () => accounts.isIdle(),
    configure(next, nextLimit) {
      queuing = next;
      limit = nextLimit;
      dispatchSoon();
    },
    arrive({ flow, work, hand, distinguisher, holder }) {
      const now = clock.monotonic();
      const seats = maxSeats(work);
      const ticket: Ticket = {
        flow,
        work,
        seats,
        distinguisher,
        holder,
        arrivedAt: clock.now(),
        startedAt: 0,
        arrivalR: queues.progress(),
        estimatedMs: serviceMs,
        totalWork: workFor(work, serviceMs),
        queue: undefined,
        startedMs: 0,
        links: undefined,
      };
      if (queuing.kind !== 'queue') {
        if (!hasRoomFor(seats)) {
          accounts.refused();
          return 'concurrency-limit';
        }
        execute(ticket, now);
        demand();
        return { ticket, waits: false };
      }
      const queue = queues.pick(hand);
      if (!hasFreeSeats() && queue.waiting.size >= queuing.queueLengthLimit) {
        accounts.refused();
        return 'queue-full';
      }
      queues.join(queue, ticket);
      accounts.joined(ticket);
      flow.queued(queue.waiting.size);
      // Nobody is before it.
      const goesOn = totals.waiting === 1 && hasFreeSeats() && !isTurnOver(now);
      const waits = !goesOn || dispatchOne(now) === undefined;
      demand();
      if (waits) dispatchSoon();
      return { ticket, waits };
    },
    finish(ticket) {
      const tookMs = clock.monotonic() - ticket.startedMs;
      serviceMs = Math.min(serviceMs + (tookMs - serviceMs) / SERVICES, MAX_SERVICE_MS);
      const { queue, work } = ticket;
      accounts.ended(ticket);
      if (queue === undefined) {
        unqueued.delete(ticket);
      } else {
        queue.executing.delete(ticket);
        queues.leave(ticket);
        queues.correct(queue, ticket, tookMs);
      }
      if (work.lingerMs > 0) {
        const free = (): void => {
          release(ticket);
          dispatchSoon();
        };
        clock.after(work.lingerMs, free, { unref: true, work: true });
      } else {
        release(ticket);
      }
      if (queue !== undefined) queues.settle(queue);
      dispatchSoon();
      if (accounts.isIdle()) onIdle();
    },
    giveUp(ticket) {
      const { queue } = ticket;
      if (queue?.waiting.has(ticket) !== true) return;
      queue.waiting.delete(ticket);
      queues.leave(ticket);
      accounts.left(ticket);
      accounts.gaveUp();
      queues.bound(queue);
      queues.settle(queue);
      demand();
      if (accounts.isIdle()) onIdle();
    },
  };
}
