import type { Chain, Linked } from '../../machinery/chain.js';
import type { Flow, Work } from './types.js';

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

export interface Queue {
  readonly index: number;
  /** In order of arrival. */
  readonly waiting: Chain<Ticket>;
  readonly executing: Chain<Ticket>;
  /** Of all that execute or linger. */
  seatsInUse: number;
  /** Of all that wait. */
  waitingWork: number;
  /** Progress (see `FairQueues`) at which the oldest one is due. */
  nextDispatchR: number;
}

/** In seat-milliseconds, for one that is served in so many milliseconds. */
export const workFor = ({ initialSeats, finalSeats, lingerMs }: Work, serviceMs: number): number =>
  initialSeats * serviceMs + finalSeats * lingerMs;
