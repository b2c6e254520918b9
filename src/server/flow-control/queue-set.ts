import type { Clock } from '../../machinery/clock.js';
import { maxSeats, type Flow, type Work } from './types.js';

/** How a level limits its requests. */
export type Queuing =
  /** Not at all. */
  | { readonly kind: 'exempt' }
  /** What has no seat is refused. */
  | { readonly kind: 'reject' }
  | { readonly kind: 'queue'; readonly queues: number; readonly queueLengthLimit: number };

/** A request in a level, from its arrival until its last seat is free. */
export interface Ticket {
  readonly flow: Flow;
  readonly work: Work;
  readonly seats: number;
  /** What its flow is told from others by, and what it asks for: for those who look. */
  readonly distinguisher: string;
  readonly about: unknown;
  /** By the wall clock. */
  readonly arrivedAt: number;
  startedAt: number;
  /** Called once when it leaves its queue for a seat. */
  dispatched: () => void;
  readonly arrivalR: number;
  readonly totalWork: number;
  queue: Queue | undefined;
  startedMs: number;
}

interface Queue {
  readonly index: number;
  /** In order of arrival. */
  readonly waiting: Set<Ticket>;
  readonly executing: Set<Ticket>;
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
  readonly about: unknown;
  readonly dispatched: () => void;
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
  readonly unqueued: ReadonlySet<Ticket>;
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

/** What a request is thought to take before it is known; the queue's progress is put right when it is. */
const ESTIMATED_SERVICE_MS = 3;

/**
 * Fair queuing for the requests of a level (k8s.io/apiserver pkg/util/flowcontrol/fairqueuing/queueset/doc.go): each busy
 * queue is due as many seat-milliseconds as any other, and the oldest request of the one that has had the least is next. `r` is
 * what each busy queue has been due since the start. Queues are there only while something is in them, so that a
 * configuration with millions of them costs nothing; and it is counted, never summed up, what all of them hold.
 */
export function createQueueSet(options: {
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
  /** Seats in use and waited for, whenever they change. */
  readonly onDemand: (seats: number) => void;
  readonly onIdle: () => void;
}): QueueSet {
  const { clock, onDemand, onIdle } = options;
  const queues = new Map<number, Queue>();
  const unqueued = new Set<Ticket>();
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
  let r = 0;
  let lastMs = clock.monotonic();
  /** Queues with requests; seats of theirs. */
  let busy = 0;
  let queuedSeats = 0;
  /** Of the queue that was last dispatched from: the next ones have the better of equals. */
  let robin = 0;
  let arrivals = 0;

  /** Brings `r` up to date; before anything changes. */
  const sync = (): number => {
    const now = clock.monotonic();
    if (busy > 0) r += (Math.min(queuedSeats + totals.seatsWaiting, limit) / busy) * (now - lastMs);
    lastMs = now;
    return now;
  };
  const demand = (): void => onDemand(totals.seatsInUse + totals.seatsWaiting);
  const isEmpty = ({ waiting, executing }: Queue): boolean => waiting.size === 0 && executing.size === 0;
  const oldest = ({ waiting }: Queue): Ticket | undefined => {
    for (const ticket of waiting) return ticket;
    return undefined;
  };
  /** Dispatch must not come before arrival, or a queue that cannot use its share would save it up. */
  const bound = (queue: Queue): void => {
    const first = oldest(queue);
    if (first !== undefined && queue.nextDispatchR < first.arrivalR) queue.nextDispatchR = first.arrivalR;
  };
  const settle = (queue: Queue, wasEmpty: boolean): void => {
    const empty = isEmpty(queue);
    if (empty !== wasEmpty) busy += empty ? -1 : 1;
    if (empty && queue.seatsInUse === 0) queues.delete(queue.index);
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
    queuedSeats += seats;
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

  /** The queue whose oldest request would be through first. */
  const nextQueue = (): Queue | undefined => {
    let best: Queue | undefined;
    let bestR = Infinity;
    let bestDistance = Infinity;
    for (const queue of queues.values()) {
      const first = oldest(queue);
      if (first === undefined) continue;
      const finishR = queue.nextDispatchR + first.totalWork;
      // Round robin: those behind the last one come first, then those before it.
      const distance = queue.index > robin ? queue.index - robin : queue.index - robin + Number.MAX_SAFE_INTEGER / 2;
      if (finishR > bestR || (finishR === bestR && distance >= bestDistance)) continue;
      [best, bestR, bestDistance] = [queue, finishR, distance];
    }
    return best;
  };
  const dispatchOne = (now: number): boolean => {
    const queue = nextQueue();
    const ticket = queue === undefined ? undefined : oldest(queue);
    if (queue === undefined || ticket === undefined) return false;
    if (!hasRoomFor(ticket.seats)) {
      ticket.flow.noAccommodation++;
      return false;
    }
    robin = queue.index;
    queue.waiting.delete(ticket);
    leave(ticket);
    execute(ticket, now);
    queue.nextDispatchR += ticket.totalWork;
    bound(queue);
    ticket.dispatched();
    return true;
  };
  const dispatch = (now: number): void => {
    while (totals.waiting > 0 && totals.seatsInUse < limit && dispatchOne(now));
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
        waiting: new Set(),
        executing: new Set(),
        seatsInUse: 0,
        waitingWork: 0,
        nextDispatchR: r,
      }
    );
  };

  const release = (ticket: Ticket): void => {
    const { flow, seats, queue } = ticket;
    totals.seatsInUse -= seats;
    flow.seatsExecuting -= seats;
    if (queue !== undefined) {
      queue.seatsInUse -= seats;
      queuedSeats -= seats;
      if (isEmpty(queue) && queue.seatsInUse === 0) queues.delete(queue.index);
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
      const now = sync();
      queuing = next;
      limit = nextLimit;
      dispatch(now);
    },
    arrive({ flow, work, hand, distinguisher, about, dispatched }) {
      const now = sync();
      const seats = maxSeats(work);
      const totalWork = work.initialSeats * ESTIMATED_SERVICE_MS + work.finalSeats * work.lingerMs;
      const ticket: Ticket = {
        flow,
        work,
        seats,
        distinguisher,
        about,
        arrivedAt: clock.now(),
        startedAt: 0,
        dispatched,
        arrivalR: r,
        totalWork,
        queue: undefined,
        startedMs: 0,
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
      const wasEmpty = isEmpty(queue);
      if (wasEmpty) queue.nextDispatchR = r;
      queues.set(queue.index, queue);
      ticket.queue = queue;
      queue.waiting.add(ticket);
      queue.waitingWork += totalWork;
      totals.waiting++;
      totals.seatsWaiting += seats;
      flow.inQueue++;
      flow.seatsInQueue += seats;
      flow.queued(queue.waiting.size);
      settle(queue, wasEmpty);
      bound(queue);
      let waits = true;
      ticket.dispatched = () => {
        waits = false;
      };
      dispatch(now);
      ticket.dispatched = dispatched;
      demand();
      return { ticket, waits };
    },
    finish(ticket) {
      const now = sync();
      const { flow, queue, work } = ticket;
      totals.executing--;
      flow.executing--;
      if (queue === undefined) {
        unqueued.delete(ticket);
      } else {
        queue.executing.delete(ticket);
        // What it really took, and not what it was thought to take.
        queue.nextDispatchR -= work.initialSeats * (ESTIMATED_SERVICE_MS - (now - ticket.startedMs));
        bound(queue);
      }
      if (work.lingerMs > 0) {
        const free = (): void => {
          const later = sync();
          release(ticket);
          dispatch(later);
        };
        clock.after(work.lingerMs, free, { unref: true });
      } else {
        release(ticket);
      }
      if (queue !== undefined) settle(queue, false);
      dispatch(now);
      if (isIdle()) onIdle();
    },
    giveUp(ticket) {
      const { queue } = ticket;
      if (queue?.waiting.has(ticket) !== true) return;
      sync();
      queue.waiting.delete(ticket);
      leave(ticket);
      totals.rejected++;
      totals.cancelled++;
      bound(queue);
      settle(queue, false);
      demand();
      if (isIdle()) onIdle();
    },
  };
}
