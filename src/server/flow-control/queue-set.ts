import { Chain, type Linked } from '../../machinery/chain.js';
import type { Clock } from '../../machinery/clock.js';
import { maxSeats, type Flow, type Work } from './types.js';

/** How a level limits its requests. */
export type Queuing =
  /** Not at all. */
  | { readonly kind: 'exempt' }
  /** What has no seat is refused. */
  | { readonly kind: 'reject' }
  | { readonly kind: 'queue'; readonly queues: number; readonly queueLengthLimit: number };

/** Whose ticket it is. */
export interface Holder {
  /** Called once when it leaves its queue for a seat. */
  dispatched(): void;
}

/** A request in a level, from its arrival until its last seat is free. */
export interface Ticket extends Linked<Ticket> {
  readonly flow: Flow;
  readonly work: Work;
  readonly seats: number;
  /** What its flow is told from others by: for those who look. */
  readonly distinguisher: string;
  readonly holder: Holder;
  /** By the wall clock. */
  readonly arrivedAt: number;
  startedAt: number;
  readonly arrivalR: number;
  /** What it was charged for when it left its queue. */
  estimatedMs: number;
  /** As it was thought of on arrival. */
  readonly totalWork: number;
  queue: Queue | undefined;
  startedMs: number;
}

interface Queue {
  readonly index: number;
  /** In order of arrival. */
  readonly waiting: Chain<Ticket>;
  readonly executing: Chain<Ticket>;
  /** Of all that execute or linger. */
  seatsInUse: number;
  /** Of all that wait. */
  waitingWork: number;
  /** Progress (see `r`) at which the oldest one is due. */
  nextDispatchR: number;
}

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

interface Totals {
  waiting: number;
  executing: number;
  seatsInUse: number;
  seatsWaiting: number;
  dispatched: number;
  rejected: number;
  cancelled: number;
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
 * goes by what was done, and what a request takes is learned. Queues are there only while something is in them, so that a
 * configuration with millions of them costs nothing.
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
  const queues = new Map<number, Queue>();
  const unqueued = new Chain<Ticket>();
  const totals: Totals = {
    waiting: 0,
    executing: 0,
    seatsInUse: 0,
    seatsWaiting: 0,
    dispatched: 0,
    rejected: 0,
    cancelled: 0,
  };
  let queuing: Queuing = { kind: 'exempt' };
  let limit = 0;
  let lastR = 0;
  let serviceMs = FIRST_SERVICE_MS;
  /** Of the queue that was last dispatched from: the next ones have the better of equals. */
  let robin = 0;
  let arrivals = 0;

  /** The progress of the busy queue that has had the least. */
  const progress = (): number => {
    let least = Infinity;
    for (const queue of queues.values()) if (!isEmpty(queue)) least = Math.min(least, queue.nextDispatchR);
    if (least !== Infinity) lastR = least;
    return lastR;
  };
  const demand = (): void => onDemand(totals.seatsInUse + totals.seatsWaiting);
  const isEmpty = ({ waiting, executing }: Queue): boolean => waiting.size === 0 && executing.size === 0;
  const oldest = ({ waiting }: Queue): Ticket | undefined => waiting.first;
  /** Dispatch must not come before arrival, or a queue that cannot use its share would save it up. */
  const bound = (queue: Queue): void => {
    const first = oldest(queue);
    if (first !== undefined && queue.nextDispatchR < first.arrivalR) queue.nextDispatchR = first.arrivalR;
  };
  const settle = (queue: Queue): void => {
    if (isEmpty(queue) && queue.seatsInUse === 0) queues.delete(queue.index);
  };

  const execute = (ticket: Ticket, now: number): void => {
    const { flow, seats, queue } = ticket;
    ticket.startedMs = now;
    ticket.startedAt = clock.now();
    totals.executing++;
    totals.dispatched++;
    totals.seatsInUse += seats;
    flow.executing++;
    flow.dispatched++;
    flow.seatsExecuting += seats;
    if (queue === undefined) return void unqueued.add(ticket);
    queue.executing.add(ticket);
    queue.seatsInUse += seats;
  };
  const leave = ({ flow, seats, queue, totalWork }: Ticket): void => {
    totals.waiting--;
    totals.seatsWaiting -= seats;
    flow.inQueue--;
    flow.seatsInQueue -= seats;
    if (queue !== undefined) queue.waitingWork -= totalWork;
  };
  const hasRoomFor = (seats: number): boolean => {
    if (queuing.kind === 'exempt') return true;
    // One that is wider than the whole level has it for itself.
    if (seats > limit) return totals.executing === 0;
    return totals.seatsInUse + seats <= limit;
  };

  /**
   * By what is known now, and not when it came: what a request takes is learned from the last few, so one that comes after a
   * slow moment would look dearer than its like that come later, and they would pass it for as long as it waits.
   */
  const workOf = ({ work }: Ticket): number => work.initialSeats * serviceMs + work.finalSeats * work.lingerMs;
  /** The queue whose oldest request would be through first; among equals the one that has least under way. */
  const nextQueue = (): Queue | undefined => {
    let best: Queue | undefined;
    let bestR = Infinity;
    let bestSeats = Infinity;
    let bestDistance = Infinity;
    for (const queue of queues.values()) {
      const first = oldest(queue);
      if (first === undefined) continue;
      const finishR = queue.nextDispatchR + workOf(first);
      // Round robin: those behind the last one come first, then those before it.
      const distance = queue.index > robin ? queue.index - robin : queue.index - robin + Number.MAX_SAFE_INTEGER / 2;
      const later = finishR - bestR || queue.seatsInUse - bestSeats || distance - bestDistance;
      if (later >= 0) continue;
      best = queue;
      bestR = finishR;
      bestSeats = queue.seatsInUse;
      bestDistance = distance;
    }
    return best;
  };
  /** Gives a seat to the one whose turn it is, who is not told. */
  const dispatchOne = (now: number): Ticket | undefined => {
    const queue = nextQueue();
    const ticket = queue === undefined ? undefined : oldest(queue);
    if (queue === undefined || ticket === undefined) return undefined;
    if (!hasRoomFor(ticket.seats)) {
      ticket.flow.noAccommodation++;
      return undefined;
    }
    robin = queue.index;
    queue.waiting.delete(ticket);
    leave(ticket);
    execute(ticket, now);
    ticket.estimatedMs = serviceMs;
    queue.nextDispatchR += workOf(ticket);
    bound(queue);
    return ticket;
  };
  let planned = false;
  const dispatchSoon = (): void => {
    if (planned || totals.waiting === 0 || totals.seatsInUse >= limit) return;
    planned = true;
    soon(() => {
      planned = false;
      if (totals.waiting === 0 || totals.seatsInUse >= limit) return;
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

  const pickQueue = (hand: readonly number[]): Queue => {
    // Not always from the first card on: flows that share some of their queues would all begin with the same ones.
    const offset = arrivals++ % hand.length;
    let best = -1;
    let leastWork = Infinity;
    for (let i = 0; i < hand.length; i++) {
      const index = hand[(offset + i) % hand.length] ?? 0;
      const work = queues.get(index)?.waitingWork ?? 0;
      if (work < leastWork) [best, leastWork] = [index, work];
    }
    return (
      queues.get(best) ?? {
        index: best,
        waiting: new Chain(),
        executing: new Chain(),
        seatsInUse: 0,
        waitingWork: 0,
        nextDispatchR: 0,
      }
    );
  };

  const release = (ticket: Ticket): void => {
    const { flow, seats, queue } = ticket;
    totals.seatsInUse -= seats;
    flow.seatsExecuting -= seats;
    if (queue !== undefined) {
      queue.seatsInUse -= seats;
      settle(queue);
    }
    demand();
  };
  const isIdle = (): boolean => totals.waiting === 0 && totals.executing === 0;

  return {
    queues,
    unqueued,
    totals,
    isIdle,
    configure(next, nextLimit) {
      queuing = next;
      limit = nextLimit;
      dispatchSoon();
    },
    arrive({ flow, work, hand, distinguisher, holder }) {
      const now = clock.monotonic();
      const seats = maxSeats(work);
      const totalWork = work.initialSeats * serviceMs + work.finalSeats * work.lingerMs;
      const arrivalR = progress();
      const ticket: Ticket = {
        flow,
        work,
        seats,
        distinguisher,
        holder,
        arrivedAt: clock.now(),
        startedAt: 0,
        arrivalR,
        estimatedMs: serviceMs,
        totalWork,
        queue: undefined,
        startedMs: 0,
        links: undefined,
      };
      if (queuing.kind !== 'queue') {
        if (!hasRoomFor(seats)) {
          totals.rejected++;
          return 'concurrency-limit';
        }
        execute(ticket, now);
        demand();
        return { ticket, waits: false };
      }
      const queue = pickQueue(hand);
      if (totals.seatsInUse >= limit && queue.waiting.size >= queuing.queueLengthLimit) {
        totals.rejected++;
        return 'queue-full';
      }
      if (isEmpty(queue)) queue.nextDispatchR = arrivalR;
      queues.set(queue.index, queue);
      ticket.queue = queue;
      queue.waiting.add(ticket);
      queue.waitingWork += totalWork;
      totals.waiting++;
      totals.seatsWaiting += seats;
      flow.inQueue++;
      flow.seatsInQueue += seats;
      flow.queued(queue.waiting.size);
      bound(queue);
      // Nobody is before it.
      const goesOn = totals.waiting === 1 && totals.seatsInUse < limit && !isTurnOver(now);
      const waits = !goesOn || dispatchOne(now) === undefined;
      demand();
      if (waits) dispatchSoon();
      return { ticket, waits };
    },
    finish(ticket) {
      const tookMs = clock.monotonic() - ticket.startedMs;
      serviceMs = Math.min(serviceMs + (tookMs - serviceMs) / SERVICES, MAX_SERVICE_MS);
      const { flow, queue, work } = ticket;
      totals.executing--;
      flow.executing--;
      if (queue === undefined) {
        unqueued.delete(ticket);
      } else {
        queue.executing.delete(ticket);
        // What it really took, and not what it was thought to take.
        queue.nextDispatchR -= work.initialSeats * (ticket.estimatedMs - tookMs);
        bound(queue);
      }
      if (work.lingerMs > 0) {
        const free = (): void => {
          release(ticket);
          dispatchSoon();
        };
        clock.after(work.lingerMs, free, { unref: true });
      } else {
        release(ticket);
      }
      if (queue !== undefined) settle(queue);
      dispatchSoon();
      if (isIdle()) onIdle();
    },
    giveUp(ticket) {
      const { queue } = ticket;
      if (queue?.waiting.has(ticket) !== true) return;
      queue.waiting.delete(ticket);
      leave(ticket);
      totals.rejected++;
      totals.cancelled++;
      bound(queue);
      settle(queue);
      demand();
      if (isIdle()) onIdle();
    },
  };
}
