import { type Cidr, parseCidr } from '../../machinery/cidr.js';
import { parseIP } from '../../machinery/ip.js';
import type { DeepReadonly, IPAddress, ServiceCIDR } from '../../machinery/types.js';

type ReadonlyCidr = DeepReadonly<ServiceCIDR>;
type ReadonlyAddress = DeepReadonly<IPAddress>;

export const rangesOf = ({ spec }: ReadonlyCidr): Cidr[] =>
  (spec?.cidrs ?? []).flatMap(text => {
    const range = parseCidr(text);
    return range === undefined ? [] : [range];
  });

const covers = (wide: Cidr, narrow: Cidr): boolean =>
  wide.family === narrow.family && wide.first <= narrow.first && narrow.last <= wide.last;

const overlap = (a: Cidr, b: Cidr): boolean => a.family === b.family && a.first <= b.last && b.first <= a.last;

/** Whether a Service can have the address from this range: not its first one, and of IPv4 not its last. */
export function gives({ family, first, last }: Cidr, address: string): boolean {
  const ip = parseIP(address);
  if (ip?.family !== family || ip.value <= first) return false;
  return family === 'IPv4' ? ip.value < last : ip.value <= last;
}

/** Only what the API server has given to a Service keeps a range alive. */
export const isAllocated = ({ metadata }: ReadonlyAddress): boolean =>
  metadata.labels?.['ipaddress.kubernetes.io/managed-by'] === 'ipallocator.k8s.io';

export const holdersOf = (address: string, all: readonly ReadonlyCidr[]): ReadonlyCidr[] =>
  all.filter(cidr => rangesOf(cidr).some(range => gives(range, address)));

export const overlapping = (cidr: ReadonlyCidr, all: readonly ReadonlyCidr[]): ReadonlyCidr[] => {
  const own = rangesOf(cidr);
  return all.filter(other => rangesOf(other).some(range => own.some(mine => overlap(range, mine))));
};

/** Whether no address is left without a range when this one goes (servicecidrs canDeleteCIDR). */
export function canGo(cidr: ReadonlyCidr, all: readonly ReadonlyCidr[], addresses: Iterable<ReadonlyAddress>): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== cidr.metadata.name).flatMap(rangesOf);
  const own = rangesOf(cidr).filter(mine => !others.some(range => covers(range, mine)));
  if (own.length === 0) return true;
  for (const address of addresses) {
    const name = address.metadata.name ?? '';
    if (!isAllocated(address) || !own.some(range => gives(range, name))) continue;
    if (!others.some(range => gives(range, name))) return false;
  }
  return true;
}
