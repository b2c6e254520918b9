import type { Timed } from '../../machinery/timeouts.js';
import type { Scope } from './scope.js';

const BOOKMARK_EVERY_MS = 60_000;
const BOOKMARK_BEFORE_END_MS = 2000;

/** Who has them. */
export interface Marked {
  readonly scope: Pick<Scope, 'clock' | 'timeouts'>;
  readonly stopped: boolean;
  /** Changes that it has not been told of; undefined: there are none. */
  readonly queue: readonly unknown[] | undefined;
  bookmark(): void;
}

/** When a watch that wants bookmarks has one: every minute, and shortly before its time is over. */
export class Bookmarks implements Timed {
  links: Timed['links'];
  dueMs = 0;
  private readonly deadline: number;
  private waitMs = 0;

  constructor(
    private readonly watch: Marked,
    timeoutMs: number,
  ) {
    this.deadline = watch.scope.clock.monotonic() + timeoutMs;
    this.schedule();
  }

  expired(): void {
    const { watch } = this;
    if (watch.queue === undefined) watch.bookmark();
    if (!watch.stopped) this.schedule();
  }

  stop(): void {
    this.watch.scope.timeouts.stop(this.waitMs, this);
  }

  private schedule(): void {
    const { clock, timeouts } = this.watch.scope;
    const beforeEnd = Math.ceil(this.deadline - BOOKMARK_BEFORE_END_MS - clock.monotonic());
    this.waitMs = beforeEnd > 0 ? Math.min(BOOKMARK_EVERY_MS, beforeEnd) : BOOKMARK_EVERY_MS;
    timeouts.start(this.waitMs, this);
  }
}
