import { canServe, type Destination, type Scheduler } from './types.js';

/** rr: each in turn, from the one after the last. A server that goes hands the turn to the one before it. */
export function roundRobin<D extends Destination>(): Scheduler<D> {
  let list: readonly D[] = [];
  /** Place of the one that had the last turn; -1: nobody yet. */
  let last = -1;
  return {
    update(next) {
      const places = new Map(next.map((one, i) => [one, i]));
      let place: number | undefined;
      for (; last >= 0 && place === undefined; last--) {
        const had = list[last];
        place = had && places.get(had);
      }
      last = place ?? -1;
      list = next;
    },
    schedule(_request, dryRun) {
      for (let i = 1; i <= list.length; i++) {
        const at = (last + i) % list.length;
        const found = list[at];
        if (found === undefined || !canServe(found)) continue;
        if (!dryRun) last = at;
        return found;
      }
      return undefined;
    },
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * wrr: in rounds. A round asks for a weight that falls from the greatest to the common divisor, and every server that has
 * it gets one turn.
 */
export function weightedRoundRobin<D extends Destination>(): Scheduler<D> {
  let list: readonly D[] = [];
  let last = -1;
  let wanted = 0;
  let divisor = 1;
  let greatest = 0;
  return {
    update(next) {
      list = next;
      last = -1;
      divisor = next.reduce((sum, { weight }) => (weight > 0 ? gcd(weight, sum) : sum), 0) || 1;
      const most = next.reduce((max, { weight }) => Math.max(max, weight), 0);
      greatest = most === 0 ? 0 : most - (divisor - 1);
      if (wanted > greatest || wanted === 0) wanted = greatest;
      else if (divisor > 1) wanted = Math.floor(wanted / divisor) * divisor + 1;
    },
    schedule(_request, dryRun) {
      if (greatest <= 0) return undefined;
      let level = wanted;
      let at = last;
      for (;;) {
        at++;
        if (at >= list.length) {
          at = 0;
          level -= divisor;
          if (level <= 0) level = greatest;
        }
        const found = list[at];
        if (found === undefined) return undefined;
        if (found.weight < level) continue;
        if (!dryRun) {
          last = at;
          wanted = level;
        }
        return found;
      }
    },
  };
}
