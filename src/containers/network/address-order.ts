import { familyOf, parseIP } from '../../machinery/ip.js';

/** RFC 6724's policy table, as far as addresses of Pods and Services go: which kind of destination comes first. */
const PRECEDENCE = { ipv4: 35, uniqueLocal: 3, ipv6: 40 } as const;

/**
 * The order in which getaddrinfo(3) gives destinations: those first for which there is an own address of their family, then by
 * precedence (a unique local IPv6 address comes after IPv4), else as they came.
 */
export function inOrderOfUse(destinations: readonly string[], own: readonly string[]): readonly string[] {
  if (destinations.length < 2) return destinations;
  const families = new Set(own.map(familyOf));
  const rank = (address: string): number => (families.has(familyOf(address)) ? 1000 : 0) + precedence(address);
  return [...destinations].sort((a, b) => rank(b) - rank(a));
}

function precedence(address: string): number {
  const ip = parseIP(address);
  if (ip?.family !== 'IPv6') return PRECEDENCE.ipv4;
  return ip.value >> 121n === 0x7en ? PRECEDENCE.uniqueLocal : PRECEDENCE.ipv6;
}
