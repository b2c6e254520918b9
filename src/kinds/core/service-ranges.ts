import type { Objects } from '../../api/strategy.js';
import type { DeepReadonly, ServiceCIDR } from '../../machinery/types.js';
import { AllocationError, createIpAllocator, type IpAllocator } from './ip-allocator.js';

const SERVICE_CIDRS = 'servicecidrs.networking.k8s.io';

/** One that goes gives nothing more, although what it gave stays. What no controller has spoken of is ready, as upstream. */
function isReady({ metadata, status }: DeepReadonly<ServiceCIDR>): boolean {
  const ready = (status?.conditions ?? []).find(({ type }) => type === 'Ready');
  return metadata.deletionTimestamp === undefined && (ready === undefined || ready.status === 'True');
}

/**
 * The server's own range and, where that does not have an address or is full, those of ServiceCIDRs that are ready
 * (ipallocator.MetaAllocator). They are looked up only then: most clusters have none.
 */
export function serviceRanges(
  own: IpAllocator,
  objects: Pick<Objects, 'list'>,
  random: (n: number) => number,
): IpAllocator {
  function* others(): Generator<IpAllocator> {
    for (const object of objects.list(SERVICE_CIDRS) as Iterable<DeepReadonly<ServiceCIDR>>) {
      if (!isReady(object)) continue;
      for (const cidr of object.spec?.cidrs ?? []) {
        const range = createIpAllocator(cidr, random);
        if (range.family === own.family) yield range;
      }
    }
  }
  const holderOf = (ip: string): IpAllocator | undefined => {
    if (own.contains(ip)) return own;
    for (const range of others()) if (range.contains(ip)) return range;
    return undefined;
  };
  return {
    family: own.family,
    network: own.network,
    first: own.first,
    contains: ip => holderOf(ip) !== undefined,
    check: (ip, isTaken) => (holderOf(ip) ?? own).check(ip, isTaken),
    next(isTaken) {
      try {
        return own.next(isTaken);
      } catch (full) {
        if (!(full instanceof AllocationError)) throw full;
        for (const range of others())
          try {
            return range.next(isTaken);
          } catch (error) {
            if (!(error instanceof AllocationError)) throw error;
          }
        throw full;
      }
    },
  };
}
