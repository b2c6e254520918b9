import { compareText } from '../../machinery/compare-text.js';
import type { DeepReadonly, EndpointSlice } from '../../machinery/types.js';
import { sameMembers } from '../../machinery/same-members.js';
import { chosen, type EndpointInfo, readSlice, type SliceEndpoints } from './endpoints.js';

/** The endpoints of one Service, from all of its slices. What stays as it was is the same object: an endpoint, a whole list. */
export interface EndpointMerge {
  /** These are its slices now. Only those that are other objects than before are read. */
  setSlices(slices: ReadonlyMap<string, DeepReadonly<EndpointSlice>>): void;
  /** Sorted by address. It does not depend on the order of the slices. */
  endpoints(portKey: string): readonly EndpointInfo[];
}

interface KnownSlice {
  readonly slice: DeepReadonly<EndpointSlice>;
  readonly endpoints: SliceEndpoints;
}

const NO_ENDPOINTS: readonly EndpointInfo[] = [];

export function createEndpointMerge(nodeName: string): EndpointMerge {
  /** By name. */
  const known = new Map<string, KnownSlice>();
  /** By port key. */
  const merged = new Map<string, readonly EndpointInfo[]>();

  function merge(portKey: string, addresses: ReadonlySet<string>): void {
    const ordered = [...known].sort(([a], [b]) => compareText(a, b));
    const slices = ordered.map(([, { endpoints }]) => endpoints.get(portKey) ?? NO_ENDPOINTS);
    const before = merged.get(portKey) ?? NO_ENDPOINTS;
    const after = replaced(before, addresses, endpointsAt(slices, addresses));
    if (after.length === 0) merged.delete(portKey);
    else if (!sameMembers(before, after)) merged.set(portKey, after);
  }

  return {
    setSlices(slices) {
      /** Addresses that may be other ones, by port key. */
      const touched = new Map<string, Set<string>>();
      for (const [name, { endpoints }] of known)
        if (!slices.has(name)) {
          known.delete(name);
          touch(touched, endpoints, new Map());
        }
      for (const [name, slice] of slices) {
        const old = known.get(name);
        if (old?.slice === slice) continue;
        const endpoints = readSlice(slice, nodeName, old?.endpoints);
        known.set(name, { slice, endpoints });
        touch(touched, old?.endpoints ?? new Map(), endpoints);
      }
      for (const [portKey, addresses] of touched) merge(portKey, addresses);
    },
    endpoints: portKey => merged.get(portKey) ?? NO_ENDPOINTS,
  };
}

/** Notes where the two differ. */
function touch(touched: Map<string, Set<string>>, before: SliceEndpoints, after: SliceEndpoints): void {
  const pairs = [
    [before, after],
    [after, before],
  ] as const;
  for (const [from, other] of pairs)
    for (const [portKey, endpoints] of from) {
      const there = new Set(other.get(portKey));
      const addresses = touched.get(portKey) ?? new Set<string>();
      for (const info of endpoints) if (!there.has(info)) addresses.add(info.address);
      if (addresses.size > 0) touched.set(portKey, addresses);
    }
}

/** What is at these addresses now. */
function endpointsAt(
  slices: readonly (readonly EndpointInfo[])[],
  addresses: ReadonlySet<string>,
): readonly EndpointInfo[] {
  const found = new Map<string, EndpointInfo>();
  for (const endpoints of slices)
    for (const info of endpoints)
      if (addresses.has(info.address)) found.set(info.address, chosen(found.get(info.address), info));
  return [...found.values()].sort((a, b) => compareText(a.address, b.address));
}

/** The list with what is at these addresses now instead of what was there: one walk over what is sorted already. */
function replaced(
  before: readonly EndpointInfo[],
  addresses: ReadonlySet<string>,
  now: readonly EndpointInfo[],
): readonly EndpointInfo[] {
  const after: EndpointInfo[] = [];
  let i = 0;
  for (const info of before) {
    if (addresses.has(info.address)) continue;
    for (let next = now[i]; next !== undefined && next.address < info.address; next = now[++i]) after.push(next);
    after.push(info);
  }
  for (; i < now.length; i++) after.push(now[i] as EndpointInfo);
  return after;
}
