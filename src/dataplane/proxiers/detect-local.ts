import { parseCidr } from '../../machinery/cidr.js';
import type { Family } from '../packet.js';

/** How a rule tells traffic of Pods of this node from the rest. */
export type LocalTraffic =
  | { readonly kind: 'cidr'; readonly cidr: string }
  | { readonly kind: 'bridgeInterface'; readonly name: string }
  | { readonly kind: 'interfaceNamePrefix'; readonly prefix: string };

/**
 * kube-proxy --detect-local-mode. `clusterCidr`: by the ranges of all Pods, one of each family; `nodeCidr`: by those that the
 * node is given (spec.podCIDRs).
 */
export type DetectLocal =
  | Exclude<LocalTraffic, { readonly kind: 'cidr' }>
  | { readonly kind: 'clusterCidr'; readonly cidrs: readonly string[] }
  | { readonly kind: 'nodeCidr' };

/** Undefined: it cannot be told, and rules that need it are left out. */
export function localTraffic(
  detect: DetectLocal | undefined,
  podCidrs: readonly string[],
  family: Family,
): LocalTraffic | undefined {
  if (detect?.kind !== 'nodeCidr' && detect?.kind !== 'clusterCidr') return detect;
  const ranges = detect.kind === 'nodeCidr' ? podCidrs : detect.cidrs;
  const cidr = ranges.find(text => parseCidr(text)?.family === family);
  return cidr === undefined ? undefined : { kind: 'cidr', cidr };
}

export const isSameTraffic = (a: LocalTraffic | undefined, b: LocalTraffic | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
