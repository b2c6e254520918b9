import { parseCidr } from '../../machinery/cidr.js';
import type { Family, IpAddress } from '../../machinery/ip.js';
import { isDue, type Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { holds, type Range, union, without } from '../../machinery/ranges.js';
import type { IPBlock } from './types.js';

/** A set of addresses: however many blocks it is made of, a question costs the logarithm of their number. */
export type AddressSet = (address: IpAddress) => boolean;

/** The addresses that are in a block and in none of that block's exceptions. */
export function* addressSet(blocks: readonly DeepReadonly<IPBlock>[], pace: Pace): Steps<AddressSet> {
  const ranges: Record<Family, Range[]> = { IPv4: [], IPv6: [] };
  for (const { cidr, except } of blocks) {
    if (isDue(pace)) yield;
    const outer = parseCidr(cidr);
    if (outer === undefined) continue;
    const holes: Range[] = [];
    for (const text of except ?? []) {
      if (isDue(pace)) yield;
      const hole = parseCidr(text);
      // Its ends alone: there may be a hundred thousand.
      if (hole?.family === outer.family) holes.push({ first: hole.first, last: hole.last });
    }
    yield* without(outer, yield* union(holes, pace), ranges[outer.family], pace);
  }
  const sorted = { IPv4: yield* union(ranges.IPv4, pace), IPv6: yield* union(ranges.IPv6, pace) };
  return ({ family, value }) => holds(sorted[family], value);
}
