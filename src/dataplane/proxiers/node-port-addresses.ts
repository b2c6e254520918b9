import { parseCidr } from '../../machinery/cidr.js';
import type { ProxierConfig } from './types.js';

/**
 * Which of some addresses take node port traffic, by --nodeport-addresses; undefined: all that the node has. Ranges of the
 * other family say nothing about this one.
 */
export function nodePortAddresses(
  {
    nodeAddresses,
    nodeIP = nodeAddresses[0],
    nodePortAddresses: wanted = [],
    family,
  }: Pick<ProxierConfig, 'nodeAddresses' | 'nodeIP' | 'nodePortAddresses' | 'family'>,
  candidates: readonly string[] = nodeAddresses,
): readonly string[] | undefined {
  if (wanted.includes('primary')) return candidates.filter(address => address === nodeIP);
  const ranges = wanted.flatMap(text => parseCidr(text) ?? []).filter(range => range.family === family);
  if (ranges.length === 0 || ranges.some(range => range.prefix === 0)) return undefined;
  return candidates.filter(address => ranges.some(range => range.contains(address)));
}
