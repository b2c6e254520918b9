import type { Clock } from '../machinery/clock.js';

const LOOK_MS = 1_000;
/** Of one processor. Somebody's few objects take less; a rollout of hundreds of Pods takes all of it. */
const BUSY_SHARE = 0.5;
/** So often in a row: a start takes as much for a moment. */
const LOOKS = 3;

/**
 * Tells once that a process has much to do.
 * @param used milliseconds of processor time that it has used so far
 */
export function whenBusy(clock: Pick<Clock, 'after' | 'monotonic'>, used: () => number, tell: () => void): void {
  let before = { at: clock.monotonic(), used: used() };
  let busy = 0;
  const look = (): void => {
    const now = { at: clock.monotonic(), used: used() };
    busy = now.used - before.used > BUSY_SHARE * (now.at - before.at) ? busy + 1 : 0;
    before = now;
    if (busy === LOOKS) tell();
    else next();
  };
  const next = (): void => void clock.after(LOOK_MS, look, { unref: true });
  next();
}

/** Of this process, in milliseconds. */
export const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
