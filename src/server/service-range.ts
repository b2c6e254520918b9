import ipaddr from 'ipaddr.js';

/** Upstream's bound on the host part of a service range (kube-apiserver's maxCIDRBits; 64 for IPv6 with IPAddress objects). */
const MAX_HOST_BITS = { ipv4: 20, ipv6: 64 } as const;

/** What is wrong with a service range; undefined: nothing. */
export function serviceRangeProblem(cidr: string): string | undefined {
  if (!ipaddr.isValidCIDR(cidr))
    return `invalid --service-cluster-ip-range ${JSON.stringify(cidr)}: want e.g. 10.96.0.0/16`;
  const [network, mask] = ipaddr.parseCIDR(cidr);
  const bits = network.toByteArray().length * 8;
  const least = bits - MAX_HOST_BITS[network.kind()];
  if (mask < least)
    return `specified --service-cluster-ip-range is too large; for ${bits}-bit addresses, the mask must be >= ${least}`;
  if (bits - mask < 2) return `specified --service-cluster-ip-range must contain at least 2 addresses`;
  return undefined;
}

/** The address that Service default/kubernetes gets: the first after the network's own. @throws Error for a bad CIDR */
export function firstServiceAddress(cidr: string): string {
  const [network] = ipaddr.parseCIDR(cidr);
  const bytes = network.toByteArray();
  for (let i = bytes.length - 1; i >= 0; i--) {
    const next = ((bytes[i] ?? 0) + 1) & 0xff;
    bytes[i] = next;
    if (next !== 0) break;
  }
  return ipaddr.fromByteArray(bytes).toString();
}
