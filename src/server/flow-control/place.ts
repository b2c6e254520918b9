import type { Clock } from '../../machinery/clock.js';
import type { Timed, Timeouts } from '../../machinery/timeouts.js';
import type { ActiveSchema } from './configuration.js';
import type { Arrival } from './queue-set.js';
import type { Holder, Ticket } from './ticket.js';
import type { Asked, Seat } from './types.js';

/** A request waits a quarter of its time at most, and never longer than a minute. */
const WAIT_PART = 4;
const MAX_WAIT_MS = 60_000;
/** Of one without a limit: a quarter of the time that others have. */
const WATCH_WAIT_MS = 15_000;

/** What all places have. */
export interface House {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly timeouts: Timeouts;
  /** Counts a refusal, and says what is thrown. */
  refusal(schema: ActiveSchema): Error;
}

/** Where a request is in its level: in a queue first, if it has to wait, then on its seats. */
export class Place implements Seat, Holder, Timed {
  turn: Promise<void> | undefined;
  links: Timed['links'];
  dueMs = 0;
  private readonly arrivedMs: number;
  private ticket: Ticket | undefined;
  /** While it waits. */
  private resolve: (() => void) | undefined;
  private reject: ((error: Error) => void) | undefined;

  constructor(
    private readonly house: House,
    private readonly schema: ActiveSchema,
    readonly asked: Asked,
  ) {
    this.arrivedMs = house.clock.monotonic();
  }

  /** @throws Error when it can neither begin nor wait */
  arrive(arrival: Arrival): void {
    const { schema, house } = this;
    const outcome = schema.level.queueSet.arrive(arrival);
    if (typeof outcome === 'string') {
      schema.flow.rejected[outcome]++;
      this.waited(false);
      throw house.refusal(schema);
    }
    this.ticket = outcome.ticket;
    if (!outcome.waits) {
      this.waited(true);
      return;
    }
    this.turn = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    house.timeouts.start(this.waitMs, this);
  }

  dispatched(): void {
    const { resolve } = this;
    this.house.timeouts.stop(this.waitMs, this);
    this.resolve = this.reject = undefined;
    this.waited(true);
    resolve?.();
  }

  expired(): void {
    this.giveUp();
  }

  release(): void {
    const { ticket, schema, house } = this;
    if (ticket === undefined) return;
    if (this.reject !== undefined) {
      house.timeouts.stop(this.waitMs, this);
      this.giveUp();
      return;
    }
    this.ticket = undefined;
    const kind = this.asked.info.verb === 'watch' ? 'watch' : 'regular';
    schema.flow.executed((house.clock.monotonic() - ticket.startedMs) / 1000, kind);
    schema.level.queueSet.finish(ticket);
  }

  private giveUp(): void {
    const { ticket, reject, schema } = this;
    this.ticket = this.resolve = this.reject = undefined;
    if (ticket !== undefined) schema.level.queueSet.giveUp(ticket);
    schema.flow.rejected['time-out']++;
    this.waited(false);
    reject?.(this.house.refusal(schema));
  }

  private get waitMs(): number {
    const { limitMs } = this.asked;
    return Math.min(limitMs === undefined ? WATCH_WAIT_MS : limitMs / WAIT_PART, MAX_WAIT_MS);
  }

  private waited(executes: boolean): void {
    if (this.schema.level.exempt) return;
    this.schema.flow.waited((this.house.clock.monotonic() - this.arrivedMs) / 1000, executes);
  }
}
