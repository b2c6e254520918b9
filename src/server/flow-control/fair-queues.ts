import { Chain } from '../../machinery/chain.js';
import { workFor, type Queue, type Ticket } from './ticket.js';

const isEmpty = ({ waiting, executing }: Queue): boolean => waiting.size === 0 && executing.size === 0;

/**
 * The queues of a level that something is in, and how far each of them has come: its progress is the seat-milliseconds that
 * it has had. Others are not there, so that a configuration with millions of them costs nothing.
 */
export class FairQueues {
  private readonly queues = new Map<number, Queue>();
  /** The progress of the busy queue that had had the least when it was last asked for. */
  private lastR = 0;
  /** Of the queue that was last dispatched from: the next ones have the better of equals. */
  private robin = 0;
  private arrivals = 0;
  /** Requests that wait or execute, of each user or namespace that there are any of. */
  private readonly crowds = new Map<string, number>();

  get inUse(): ReadonlyMap<number, Readonly<Queue>> {
    return this.queues;
  }

  /** The progress of the busy queue that has had the least. */
  progress(): number {
    let least = Infinity;
    for (const queue of this.queues.values()) if (!isEmpty(queue)) least = Math.min(least, queue.nextDispatchR);
    if (least !== Infinity) this.lastR = least;
    return this.lastR;
  }

  /** The one of a flow's hand in which the least work waits; it need not be in use. */
  pick(hand: readonly number[]): Queue {
    // Not always from the first card on: flows that share some of their queues would all begin with the same ones.
    const offset = this.arrivals++ % hand.length;
    let best = -1;
    let leastWork = Infinity;
    for (let i = 0; i < hand.length; i++) {
      const index = hand[(offset + i) % hand.length] ?? 0;
      const work = this.queues.get(index)?.waitingWork ?? 0;
      if (work < leastWork) [best, leastWork] = [index, work];
    }
    return (
      this.queues.get(best) ?? {
        index: best,
        waiting: new Chain(),
        executing: new Chain(),
        seatsInUse: 0,
        waitingWork: 0,
        nextDispatchR: 0,
      }
    );
  }

  /** Behind all that wait in the queue. One that begins anew begins where the one is that has had the least. */
  join(queue: Queue, ticket: Ticket): void {
    if (isEmpty(queue)) queue.nextDispatchR = ticket.arrivalR;
    this.queues.set(queue.index, queue);
    ticket.queue = queue;
    queue.waiting.add(ticket);
    this.bound(queue);
    const { distinguisher } = ticket;
    this.crowds.set(distinguisher, (this.crowds.get(distinguisher) ?? 0) + 1);
  }

  /** It has been answered, or has given up. */
  leave({ distinguisher }: Ticket): void {
    const others = (this.crowds.get(distinguisher) ?? 0) - 1;
    if (others > 0) this.crowds.set(distinguisher, others);
    else this.crowds.delete(distinguisher);
  }

  /**
   * The queue whose oldest request would be through first, where one is served in so many milliseconds. Among equals the one
   * that has least under way, then whose request is of a smaller crowd: a user whose many requests fill several queues,
   * which begin anew again and again, would else be asked once for each of them before one who has a single request.
   */
  next(serviceMs: number): Queue | undefined {
    let best: Queue | undefined;
    let bestR = Infinity;
    let bestSeats = Infinity;
    let bestCrowd = Infinity;
    let bestDistance = Infinity;
    for (const queue of this.queues.values()) {
      const { first } = queue.waiting;
      if (first === undefined) continue;
      /*
       * By what is known now, and not when it came: what a request takes is learned from the last few, so one that comes
       * after a slow moment would look dearer than its like that come later, and they would pass it for as long as it waits.
       */
      const finishR = queue.nextDispatchR + workFor(first.work, serviceMs);
      // Round robin: those behind the last one come first, then those before it.
      const { index } = queue;
      const distance = index > this.robin ? index - this.robin : index - this.robin + Number.MAX_SAFE_INTEGER / 2;
      const crowd = this.crowds.get(first.distinguisher) ?? 0;
      const later = finishR - bestR || queue.seatsInUse - bestSeats || crowd - bestCrowd || distance - bestDistance;
      if (later >= 0) continue;
      best = queue;
      bestR = finishR;
      bestSeats = queue.seatsInUse;
      bestCrowd = crowd;
      bestDistance = distance;
    }
    return best;
  }

  /** The queue's turn was used for a request that is charged for so many milliseconds. */
  charge(queue: Queue, ticket: Ticket, serviceMs: number): void {
    this.robin = queue.index;
    ticket.estimatedMs = serviceMs;
    queue.nextDispatchR += workFor(ticket.work, serviceMs);
    this.bound(queue);
  }

  /** What a request really took, and not what it was thought to take. */
  correct(queue: Queue, { work, estimatedMs }: Ticket, tookMs: number): void {
    queue.nextDispatchR -= work.initialSeats * (estimatedMs - tookMs);
    this.bound(queue);
  }

  /** Dispatch must not come before arrival, or a queue that cannot use its share would save it up. */
  bound(queue: Queue): void {
    const { first } = queue.waiting;
    if (first !== undefined && queue.nextDispatchR < first.arrivalR) queue.nextDispatchR = first.arrivalR;
  }

  /** Forgets the queue when nothing is in it. */
  settle(queue: Queue): void {
    if (isEmpty(queue) && queue.seatsInUse === 0) this.queues.delete(queue.index);
  }
}
