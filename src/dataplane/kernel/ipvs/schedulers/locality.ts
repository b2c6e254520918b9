import { leastLoaded, overhead } from './least-connection.js';
import { canServe, type Destination, type Request, type Scheduler, type SchedulerOptions } from './types.js';

/** Defaults of sysctl net.ipv4.vs.lblc_expiration and lblcr_expiration. */
const FORGET_MS = 86_400_000;
/** As many destinations as a table remembers (IP_VS_LBLC_TAB_BITS, 16 to a bucket). */
const MAX_ADDRESSES = 16_384;

/** More than its weight, while another has less than half of its own. */
const isOverloaded = (one: Destination, list: readonly Destination[]): boolean =>
  one.active > one.weight && list.some(other => other.active * 2 < other.weight);

/** By destination address, the longest unused first. */
interface Cache<E> {
  get(address: string): E | undefined;
  set(address: string, entry: E): void;
  forEach(change: (entry: E, address: string) => void): void;
  delete(address: string): void;
}

function createCache<E>(now: () => number): Cache<E> {
  const entries = new Map<string, { readonly entry: E; readonly usedAt: number }>();
  return {
    get(address) {
      const found = entries.get(address);
      return found === undefined || found.usedAt + FORGET_MS < now() ? undefined : found.entry;
    },
    set(address, entry) {
      entries.delete(address);
      const oldest = entries.keys().next();
      if (entries.size >= MAX_ADDRESSES && oldest.done !== true) entries.delete(oldest.value);
      entries.set(address, { entry, usedAt: now() });
    },
    forEach(change) {
      for (const [address, { entry }] of entries) change(entry, address);
    },
    delete: address => void entries.delete(address),
  };
}

/** lblc: what goes to one address stays with one server, until that has too much to do. */
export function localityLeastConnection<D extends Destination>({ now }: SchedulerOptions): Scheduler<D> {
  let list: readonly D[] = [];
  const cache = createCache<D>(now);
  return {
    update(next) {
      list = next;
      const known = new Set(next);
      cache.forEach((server, address) => {
        if (!known.has(server)) cache.delete(address);
      });
    },
    schedule({ dst }: Request, dryRun) {
      const known = cache.get(dst);
      const kept = known !== undefined && canServe(known) && !isOverloaded(known, list) ? known : undefined;
      const found = kept ?? leastLoaded(list, overhead);
      if (found !== undefined && !dryRun) cache.set(dst, found);
      return found;
    },
  };
}

interface Replicas<D> {
  readonly servers: Set<D>;
  changedAt: number;
}

/** lblcr: what goes to one address stays with a set of servers, which grows when they have too much to do and shrinks later. */
export function localityWithReplication<D extends Destination>({ now }: SchedulerOptions): Scheduler<D> {
  let list: readonly D[] = [];
  const cache = createCache<Replicas<D>>(now);

  /** A set that has not changed for long gives up its busiest server. */
  function shrink(replicas: Replicas<D>): void {
    if (replicas.servers.size < 2 || now() <= replicas.changedAt + FORGET_MS) return;
    let busiest: D | undefined;
    for (const one of replicas.servers)
      if (
        canServe(one) &&
        one.active + one.inactive > 0 &&
        (busiest === undefined || overhead(busiest) * one.weight < overhead(one) * busiest.weight)
      )
        busiest = one;
    if (busiest === undefined) return;
    replicas.servers.delete(busiest);
    replicas.changedAt = now();
  }

  return {
    update(next) {
      list = next;
      const known = new Set(next);
      cache.forEach(({ servers }) => {
        for (const server of servers) if (!known.has(server)) servers.delete(server);
      });
    },
    schedule({ dst }: Request, dryRun) {
      const replicas = cache.get(dst) ?? { servers: new Set<D>(), changedAt: now() };
      const member = leastLoaded(replicas.servers, overhead);
      const kept = member !== undefined && !isOverloaded(member, list) ? member : undefined;
      const found = kept ?? leastLoaded(list, overhead);
      if (dryRun) return found;
      shrink(replicas);
      if (found !== undefined && !replicas.servers.has(found)) {
        replicas.servers.add(found);
        replicas.changedAt = now();
      }
      cache.set(dst, replicas);
      return found;
    },
  };
}
