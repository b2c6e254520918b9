import type { Clock } from '../../machinery/clock.js';
import type { Stored } from './work-estimate.js';

/** The objects of a resource, as far as their number and size go. */
export interface Sizes {
  readonly count: number;
  /** Of each object's value, in bytes. */
  sizes(): Iterable<number>;
}

/** Sizes are looked at once a minute, as upstream asks etcd for them; and these many of them. */
const LOOK_EVERY_MS = 60_000;
const SAMPLE = 1_000;

/** How much is stored of a resource: counted now, its size from its average of the last minute. */
export function createStoredSizes(
  clock: Pick<Clock, 'monotonic'>,
  find: (group: string, resource: string) => Sizes | undefined,
): (group: string, resource: string) => Stored | undefined {
  const averages = new Map<string, { readonly at: number; readonly bytes: number }>();
  return (group, resource) => {
    const found = find(group, resource);
    if (found === undefined) return undefined;
    const { count } = found;
    if (count === 0) return { objects: 0, bytes: 0 };
    const key = `${resource}.${group}`;
    const now = clock.monotonic();
    let average = averages.get(key);
    if (average === undefined || now - average.at > LOOK_EVERY_MS) {
      let [seen, sum] = [0, 0];
      for (const size of found.sizes()) {
        sum += size;
        if (++seen === SAMPLE) break;
      }
      averages.set(key, (average = { at: now, bytes: seen === 0 ? 0 : sum / seen }));
    }
    return { objects: count, bytes: count * average.bytes };
  };
}
