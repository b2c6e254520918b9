import type { Clock } from '../../machinery/clock.js';

/** One container's part of the node's processor. */
export interface Cpu {
  /**
   * Counts work, about a simple command or 4 KiB copied per unit. Undefined: go on. A promise: this turn is used up; wait
   * for the next one.
   */
  spend(work?: number): Promise<void> | undefined;
  /** Milliseconds that it has had in all. */
  readonly spentMs: number;
}

/** The processor of a simulated node: the agent's event loop, which its containers share with everything else. */
export interface Processor {
  share(): Cpu;
}

/** How long the containers may hold the event loop before timers, sockets and probes have their turn. */
const SLICE_MS = 3;
/** For clocks that stand still, and as a bound where the time is not looked at. */
const SLICE_WORK = 1024;
/** Work between two looks at the clock. */
const WORK_PER_LOOK = 4;
/** What a container that was idle has ahead of those that were not. */
const CREDIT_MS = 20;

interface Share extends Cpu {
  /** Milliseconds used, kept near the others' for one that was idle: who has least goes first. */
  used: number;
  spentMs: number;
  readonly waiting: (() => void)[];
}

export function createProcessor(clock: Pick<Clock, 'monotonic'>): Processor {
  const queued = new Set<Share>();
  /** When the containers began to work in this turn of the event loop; undefined: not yet. */
  let began: number | undefined;
  let work = 0;
  let sinceLook = 0;
  let mark = 0;
  /** Of the container that had its turn last. */
  let floor = 0;
  let scheduled = false;

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(nextTurn);
  };
  const begin = (): void => {
    began = mark = clock.monotonic();
    work = sinceLook = 0;
    schedule();
  };
  /** One waiting process a turn, of the container that has had least. */
  const nextTurn = (): void => {
    scheduled = false;
    began = undefined;
    let chosen: Share | undefined;
    for (const share of queued) if (chosen === undefined || share.used < chosen.used) chosen = share;
    if (chosen === undefined) return;
    const wake = chosen.waiting.shift();
    if (chosen.waiting.length === 0) queued.delete(chosen);
    floor = Math.max(floor, chosen.used);
    begin();
    wake?.();
  };
  const spend = (share: Share, amount: number): Promise<void> | undefined => {
    if (began === undefined) begin();
    work += amount;
    sinceLook += amount;
    if (sinceLook >= WORK_PER_LOOK) {
      sinceLook = 0;
      const now = clock.monotonic();
      const had = now - mark + amount / SLICE_WORK;
      share.used += had;
      share.spentMs += had;
      mark = now;
      if (now - (began ?? now) < SLICE_MS && work < SLICE_WORK) return undefined;
    } else if (work < SLICE_WORK) return undefined;
    return new Promise(resolve => {
      if (!queued.has(share)) {
        share.used = Math.max(share.used, floor - CREDIT_MS);
        queued.add(share);
      }
      share.waiting.push(resolve);
      schedule();
    });
  };
  return {
    share() {
      const share: Share = { used: floor, spentMs: 0, waiting: [], spend: (amount = 1) => spend(share, amount) };
      return share;
    },
  };
}
