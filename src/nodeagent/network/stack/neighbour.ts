import type { Neighbour } from '../../../containers/network/stack.js';
import { macOf } from './addressing.js';

/** As long as a neighbour counts as reachable after the last word (net.ipv4.neigh.default.base_reachable_time_ms). */
const REACHABLE_MS = 30_000;

/** Who was last met so many milliseconds ago. */
export const neighbour = (address: string, link: string, agoMs: number): Neighbour => ({
  address,
  link,
  mac: macOf(address),
  state: agoMs <= REACHABLE_MS ? 'REACHABLE' : 'STALE',
});
