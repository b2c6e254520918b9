import { parseCidr } from '../../../machinery/cidr.js';
import type { ProxierConfig } from '../types.js';

/** The addresses on which node ports listen: never those of loopback. */
export function nodePortIPs({
  nodeAddresses,
  nodePortAddresses = [],
  nodeIP = nodeAddresses[0],
  family,
}: ProxierConfig): readonly string[] {
  if (nodePortAddresses.includes('primary')) return nodeAddresses.filter(address => address === nodeIP);
  const ranges = nodePortAddresses.flatMap(text => parseCidr(text) ?? []).filter(range => range.family === family);
  if (ranges.length === 0 || ranges.some(range => range.prefix === 0)) return nodeAddresses;
  return nodeAddresses.filter(address => ranges.some(range => range.contains(address)));
}
