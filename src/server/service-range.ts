import ipaddr from 'ipaddr.js';

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
