import { addressAt, parseCidr, parsePrefix } from '../machinery/cidr.js';
import { bitsOf } from '../machinery/ip.js';

/** Upstream's bound on the host part of a service range (kube-apiserver's maxCIDRBits; 64 for IPv6 with IPAddress objects). */
const MAX_HOST_BITS = { IPv4: 20, IPv6: 64 } as const;

/** What is wrong with a service range; undefined: nothing. */
export function serviceRangeProblem(cidr: string): string | undefined {
  const range = parsePrefix(cidr);
  if (range === undefined) return `invalid --service-cluster-ip-range ${JSON.stringify(cidr)}: want e.g. 10.96.0.0/16`;
  const { ip, prefix: mask } = range;
  const bits = bitsOf(ip.family);
  const least = bits - MAX_HOST_BITS[ip.family];
  if (mask < least)
    return `specified --service-cluster-ip-range is too large; for ${bits}-bit addresses, the mask must be >= ${least}`;
  if (bits - mask < 2) return `specified --service-cluster-ip-range must contain at least 2 addresses`;
  return undefined;
}

/** The address that Service default/kubernetes gets: the first after the network's own. @throws RangeError for a bad CIDR */
export function firstServiceAddress(cidr: string): string {
  const range = parseCidr(cidr);
  const address = range && addressAt(range, 1n);
  if (address === undefined) throw new RangeError(`${cidr} is no range of Services`);
  return address;
}
