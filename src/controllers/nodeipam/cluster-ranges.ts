import { type Cidr, parseCidr, parsePrefix } from '../../machinery/cidr.js';
import { bitsOf } from '../../machinery/ip.js';

/** As the flags --node-cidr-mask-size, --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 say; undefined: not given. */
export interface NodeMaskSizes {
  readonly any?: number;
  readonly IPv4?: number;
  readonly IPv6?: number;
}

/** A range of Pods' addresses and how it is divided among nodes. */
export interface ClusterRange {
  readonly cidr: string;
  readonly maskSize: number;
}

const DEFAULT_SIZES = { IPv4: 24, IPv6: 64 } as const;
/** Upstream's clusterSubnetMaxDiff: more slices of an IPv6 range than this many bits count are too many to remember. */
const MAX_DIFFERENCE = 16;

function parseRanges(clusterCidr: string): Cidr[] {
  const ranges = clusterCidr
    .trim()
    .split(',')
    .map(text => {
      const range = parsePrefix(text) === undefined ? undefined : parseCidr(text);
      if (range === undefined) throw new RangeError(`invalid CIDR address: ${text}`);
      return range;
    });
  if (ranges.length > 1 && new Set(ranges.map(({ family }) => family)).size < 2)
    throw new RangeError(
      `len of ClusterCIDRs==${ranges.length} and they are not configured as dual stack (at least one from each IPFamily`,
    );
  if (ranges.length > 2) throw new RangeError(`length of clusterCIDRs is:${ranges.length} more than max allowed of 2`);
  return ranges;
}

/** setNodeCIDRMaskSizes: which flags go together. */
function sizesProblem(sizes: NodeMaskSizes, ranges: readonly Cidr[]): string | undefined {
  const { any, IPv4, IPv6 } = sizes;
  if (ranges.length > 1)
    return any === undefined ? undefined : 'usage of --node-cidr-mask-size is not allowed with dual-stack clusters';
  if (any !== undefined)
    return IPv4 === undefined && IPv6 === undefined
      ? undefined
      : 'usage of --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not allowed if --node-cidr-mask-size is set. For dual-stack clusters please unset it and use IPFamily specific flags';
  const family = ranges[0]?.family;
  if (IPv4 !== undefined && family === 'IPv6')
    return 'usage of --node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster';
  if (IPv6 !== undefined && family === 'IPv4')
    return 'usage of --node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster';
  return undefined;
}

/** The ranges of "10.244.0.0/16,fd00:10:244::/56". @throws RangeError with kube-controller-manager's texts */
export function clusterRanges(clusterCidr: string, sizes: NodeMaskSizes): ClusterRange[] {
  if (clusterCidr.trim() === '')
    throw new RangeError('Controller: Must specify --cluster-cidr if --allocate-node-cidrs is set');
  const ranges = parseRanges(clusterCidr);
  const problem = sizesProblem(sizes, ranges);
  if (problem !== undefined) throw new RangeError(problem);
  return ranges.map(({ family, prefix, text }) => {
    const maskSize = sizes.any ?? sizes[family] ?? DEFAULT_SIZES[family];
    if (prefix > maskSize)
      throw new RangeError(
        'Controller: Invalid --cluster-cidr, mask size of cluster CIDR must be less than or equal to --node-cidr-mask-size configured for CIDR family',
      );
    if (family === 'IPv6' && maskSize - prefix > MAX_DIFFERENCE)
      throw new RangeError('New CIDR set failed; the node CIDR size is too big');
    if (maskSize > bitsOf(family) - 2)
      throw new RangeError(`cluster CIDR ${text} cannot be divided into /${maskSize} ranges`);
    return { cidr: text, maskSize };
  });
}
