import { canServe, type Destination, type Scheduler } from './types.js';

/** An inactive connection costs a 256th of an active one (ip_vs_dest_conn_overhead). */
export const overhead = ({ active, inactive }: Destination): number => active * 256 + inactive;

/** How long somebody waits if this connection comes too: sed and nq. */
const expectedDelay = ({ active }: Destination): number => active + 1;

/** The one with the least load for its weight; of equal ones the first. */
export function leastLoaded<D extends Destination>(list: Iterable<D>, load: (one: D) => number): D | undefined {
  let least: D | undefined;
  for (const one of list) {
    if (!canServe(one)) continue;
    if (least === undefined || load(least) * one.weight > load(one) * least.weight) least = one;
  }
  return least;
}

function choosing<D extends Destination>(choose: (list: readonly D[]) => D | undefined): Scheduler<D> {
  let list: readonly D[] = [];
  return {
    update: next => void (list = next),
    schedule: () => choose(list),
  };
}

/** lc: weights do not count, but 0 is out. */
export const leastConnection = <D extends Destination>(): Scheduler<D> =>
  choosing(list => {
    let least: D | undefined;
    for (const one of list) if (canServe(one) && (least === undefined || overhead(one) < overhead(least))) least = one;
    return least;
  });

/** wlc */
export const weightedLeastConnection = <D extends Destination>(): Scheduler<D> =>
  choosing(list => leastLoaded(list, overhead));

/** sed */
export const shortestExpectedDelay = <D extends Destination>(): Scheduler<D> =>
  choosing(list => leastLoaded(list, expectedDelay));

/** nq: an idle server at once, however slow it is, else as sed. */
export const neverQueue = <D extends Destination>(): Scheduler<D> =>
  choosing(list => list.find(one => canServe(one) && one.active === 0) ?? leastLoaded(list, expectedDelay));
