import type { Endpoint } from '../../machinery/types.js';
import { setHints } from './hints.js';

/** How much more than its share an endpoint may get. */
export const OVERLOAD_THRESHOLD = 0.2;

/** How many endpoints a zone must, may and should have. */
export interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

/** Shares `endpoints` among the zones by their CPU. A text says why that cannot be done. */
export function createAllocations(
  ratios: ReadonlyMap<string, number> | undefined,
  endpoints: number,
): ReadonlyMap<string, Allocation> | string {
  if (ratios === undefined)
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  const size = `(${endpoints} endpoints, ${ratios.size} zones)`;
  if (ratios.size > endpoints) return `Insufficient number of endpoints ${size}`;
  const shares = [...ratios].map(([zone, ratio]) => {
    const desired = ratio * endpoints;
    const minimum = Math.ceil(desired * (1 / (1 + OVERLOAD_THRESHOLD)));
    return { zone, minimum, desired: Math.max(desired, minimum) };
  });
  const left = endpoints - shares.reduce((sum, { minimum }) => sum + minimum, 0);
  if (left < 0)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${size}`;
  return new Map(shares.map(({ zone, minimum, desired }) => [zone, { minimum, desired, maximum: minimum + left }]));
}

/**
 * Hints endpoints of zones that have more than they should for zones that have less; `counts` says how many each zone
 * has, and is kept. Zones come in the order of their names, where upstream's is that of a Go map: any.
 */
export function redistribute(
  endpoints: readonly Endpoint[],
  allocations: ReadonlyMap<string, Allocation>,
  counts: Map<string, number>,
): void {
  const { giving, receiving } = moves(allocations, counts);
  for (const endpoint of endpoints) {
    const from = endpoint.zone ?? '';
    const [to] = receiving.keys();
    if (giving.size === 0 || to === undefined) return;
    if (!giving.has(from)) continue;
    setHints(endpoint, { forZones: [{ name: to }] });
    add(giving, from, -1);
    add(receiving, to, -1);
    counts.set(from, (counts.get(from) ?? 0) - 1);
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }
}

/** Changes a count; at zero it is gone. */
function add(counts: Map<string, number>, zone: string, by: number): void {
  const count = (counts.get(zone) ?? 0) + by;
  if (count === 0) counts.delete(zone);
  else counts.set(zone, count);
}

/** Whole endpoints to move: a zone with at least half a one to spare gives to one that lacks as much, one of them a whole one. */
function moves(
  allocations: ReadonlyMap<string, Allocation>,
  counts: ReadonlyMap<string, number>,
): { giving: Map<string, number>; receiving: Map<string, number> } {
  const surplus = new Map<string, number>();
  const shortage = new Map<string, number>();
  for (const zone of [...allocations.keys()].sort()) {
    const difference = (counts.get(zone) ?? 0) - (allocations.get(zone)?.desired ?? 0);
    if (difference > 0) surplus.set(zone, difference);
    else if (difference < 0) shortage.set(zone, -difference);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const giver = most(surplus);
    const receiver = most(shortage);
    if (giver === undefined || receiver === undefined) break;
    if ((giver.count < 1 && receiver.count < 1) || giver.count < 0.5 || receiver.count < 0.5) break;
    add(giving, giver.zone, 1);
    add(receiving, receiver.zone, 1);
    surplus.set(giver.zone, giver.count - 1);
    shortage.set(receiver.zone, receiver.count - 1);
  }
  return { giving, receiving };
}

function most(counts: ReadonlyMap<string, number>): { zone: string; count: number } | undefined {
  let best: { zone: string; count: number } | undefined;
  for (const [zone, count] of counts) if (count > (best?.count ?? 0)) best = { zone, count };
  return best;
}
