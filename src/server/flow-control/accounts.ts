import type { Ticket } from './ticket.js';

/** What a level counts of its requests. */
export interface Totals {
  waiting: number;
  executing: number;
  seatsInUse: number;
  seatsWaiting: number;
  dispatched: number;
  rejected: number;
  cancelled: number;
}

/** A request counts in its level, in its flow and in its queue: each step of its way is noted in all three. */
export class Accounts {
  readonly totals: Totals = {
    waiting: 0,
    executing: 0,
    seatsInUse: 0,
    seatsWaiting: 0,
    dispatched: 0,
    rejected: 0,
    cancelled: 0,
  };

  isIdle(): boolean {
    return this.totals.waiting === 0 && this.totals.executing === 0;
  }

  /** Seats in use and waited for. */
  demand(): number {
    return this.totals.seatsInUse + this.totals.seatsWaiting;
  }

  joined({ flow, seats, queue, totalWork }: Ticket): void {
    this.totals.waiting++;
    this.totals.seatsWaiting += seats;
    flow.inQueue++;
    flow.seatsInQueue += seats;
    if (queue !== undefined) queue.waitingWork += totalWork;
  }

  left({ flow, seats, queue, totalWork }: Ticket): void {
    this.totals.waiting--;
    this.totals.seatsWaiting -= seats;
    flow.inQueue--;
    flow.seatsInQueue -= seats;
    if (queue !== undefined) queue.waitingWork -= totalWork;
  }

  started({ flow, seats, queue }: Ticket): void {
    this.totals.executing++;
    this.totals.dispatched++;
    this.totals.seatsInUse += seats;
    flow.executing++;
    flow.dispatched++;
    flow.seatsExecuting += seats;
    if (queue !== undefined) queue.seatsInUse += seats;
  }

  /** It has been answered; its seats may be held for a while. */
  ended({ flow }: Ticket): void {
    this.totals.executing--;
    flow.executing--;
  }

  /** Its seats are free. */
  released({ flow, seats, queue }: Ticket): void {
    this.totals.seatsInUse -= seats;
    flow.seatsExecuting -= seats;
    if (queue !== undefined) queue.seatsInUse -= seats;
  }

  refused(): void {
    this.totals.rejected++;
  }

  gaveUp(): void {
    this.totals.rejected++;
    this.totals.cancelled++;
  }
}
