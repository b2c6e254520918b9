import type { Clock } from '../../../machinery/clock.js';
import type { Match } from './rule.js';

type RecentMatch = Extract<Match, { kind: 'recent' }>;

/** The xt_recent lists: source addresses and when they were last seen. */
export interface RecentLists {
  test(match: RecentMatch, address: string, dryRun: boolean): boolean;
  /** Forgets lists that no rule names any more. */
  keepOnly(used: (name: string) => boolean): void;
  snapshot(): ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** The module's default ip_list_tot: a full list forgets the address that was seen longest ago. */
const LIST_SIZE = 100;

/** `net/netfilter/xt_recent.c`, with its default of one hit. Times are clock milliseconds. */
export function createRecentLists(clock: Clock): RecentLists {
  const lists = new Map<string, Map<string, number>>();

  function touch(name: string, address: string): void {
    const list = lists.get(name) ?? new Map<string, number>();
    lists.set(name, list);
    // Deleting first moves the address to the young end.
    list.delete(address);
    const oldest = list.keys().next();
    if (list.size >= LIST_SIZE && oldest.done !== true) list.delete(oldest.value);
    list.set(address, clock.now());
  }

  function isRecent(match: RecentMatch, address: string, dryRun: boolean): boolean {
    const list = lists.get(match.name);
    const seen = list?.get(address);
    if (list === undefined || seen === undefined) return false;
    const limit = match.seconds === undefined ? Number.NEGATIVE_INFINITY : clock.now() - match.seconds * 1000;
    const hit = seen >= limit;
    if (match.reap === true && !dryRun) reapOldest(list, limit);
    if (hit && match.action === 'update' && !dryRun) touch(match.name, address);
    return hit;
  }

  return {
    test(match, address, dryRun) {
      switch (match.action) {
        case 'set':
          if (!dryRun) touch(match.name, address);
          return true;
        case 'remove': {
          const list = lists.get(match.name);
          return dryRun ? (list?.has(address) ?? false) : (list?.delete(address) ?? false);
        }
        case 'rcheck':
        case 'update':
          return isRecent(match, address, dryRun);
        default:
          return match.action satisfies never;
      }
    },
    keepOnly(used) {
      for (const name of lists.keys()) if (!used(name)) lists.delete(name);
    },
    snapshot: () => lists,
  };
}

/** The kernel reaps one address at a time, the one seen longest ago. */
function reapOldest(list: Map<string, number>, limit: number): void {
  const [oldest] = list;
  if (oldest !== undefined && oldest[1] < limit) list.delete(oldest[0]);
}
