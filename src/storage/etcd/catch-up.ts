import type { Clock } from '../../machinery/clock.js';

export interface CatchUpOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly observed: () => number;
  /** Has the live watch say how far it is. */
  readonly ask: () => void;
}

/** What has been told comes by itself within milliseconds, unless it was made by something that the watch does not see. */
const GRACE_MS = 10;
/** As upstream repeats its progress requests: a server that is behind itself does not answer. */
const AGAIN_MS = 100;

/** Sees to it that what was told as the newest revision is observed in time, whoever made it. */
export interface CatchUp {
  want(revision: number): void;
  stop(): void;
}

export function createCatchUp({ clock, observed, ask }: CatchUpOptions): CatchUp {
  let wanted = 0;
  let cancel: (() => void) | undefined;
  const arm = (ms: number): void => {
    const target = wanted;
    const due = (): void => {
      cancel = undefined;
      const behind = observed() < target;
      if (behind) ask();
      if (observed() < wanted) arm(behind ? AGAIN_MS : GRACE_MS);
    };
    cancel = clock.after(ms, due, { unref: true, work: true });
  };
  return {
    want(revision) {
      if (revision <= observed()) return;
      wanted = Math.max(wanted, revision);
      if (cancel === undefined) arm(GRACE_MS);
    },
    stop: () => cancel?.(),
  };
}
