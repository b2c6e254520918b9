import type { Addresses } from '../containers/network/types.js';
import { addressAt, parseCidr } from '../machinery/cidr.js';
import type { Family } from '../machinery/ip.js';

/** Where the processes of a cluster on this machine find each other. */
export const HOST = '127.0.0.1';
export const CLUSTER_DOMAIN = 'cluster.local';

/** What a cluster has of each family: as with kind, its nodes are on a bridge, and so is this machine. */
const OF_FAMILY = {
  IPv4: { bridge: '172.18.0.0/16', podRange: '10.244.0.0/16', widePodRange: '10.128.0.0/9' },
  IPv6: {
    bridge: 'fc00:f853:ccd:e793::/64',
    podRange: 'fd00:10:244::/56',
    widePodRange: 'fd00:10:244::/48',
    // On the nodes' bridge, beyond all of them.
    loadBalancers: 'fc00:f853:ccd:e793::255:0/112',
  },
} as const;

export interface NetworkOptions {
  /** A range, or one of each family, the primary one first: "10.96.0.0/16,fd00:10:96::/112". */
  readonly serviceClusterIpRange: string;
  /** Ranges of Pods. Default: one of each family of the Services. */
  readonly clusterCidr?: string;
  /** For Services of type LoadBalancer; empty: they get no address. Default: one of each family of the Pods. */
  readonly loadBalancerCidr?: string;
  /** There are more nodes than a range of the usual size has room for; only where nobody says what the range is. */
  readonly wide?: boolean;
  /** Which of the clusters on this machine it is, from 0: its load balancers have addresses of their own. Default 0. */
  readonly cluster?: number;
}

/** Of IPv4 load balancers each has a /24 of the bridge, from its end; its beginning is of the nodes. */
export const MAX_CLUSTERS = 254;

const loadBalancers = (family: Family, cluster: number): string =>
  family === 'IPv4' ? `172.18.${255 - (cluster % MAX_CLUSTERS)}.0/24` : OF_FAMILY.IPv6.loadBalancers;

/** Ranges and addresses that all parts of a cluster have to agree on. */
export interface ClusterNetwork {
  readonly serviceClusterIpRange: string;
  readonly clusterCidr: string;
  readonly loadBalancerCidr: string;
  /** Of the Pods and nodes, the primary one first. */
  readonly families: readonly Family[];
  /** Where Pods find this machine, in each family. */
  readonly hostGateways: Addresses;
  /** Where Pods find the API server and the DNS process: in the family of their Services, which is the Services' primary one. */
  readonly hostAddress: string;
  readonly clusterDns: string;
}

/** @throws RangeError when the ranges are none, or too small */
export function clusterNetwork(options: NetworkOptions): ClusterNetwork {
  const { serviceClusterIpRange } = options;
  const serviceFamilies = familiesOf(serviceClusterIpRange);
  const range = options.wide === true ? 'widePodRange' : 'podRange';
  const clusterCidr = options.clusterCidr ?? serviceFamilies.map(family => OF_FAMILY[family][range]).join(',');
  const families = familiesOf(clusterCidr);
  const [gateway, ...others] = families.map(family => bridgeAddress(family, 1));
  const [serviceFamily] = serviceFamilies;
  if (gateway === undefined || serviceFamily === undefined)
    throw new RangeError('a cluster needs a range of addresses');
  return {
    serviceClusterIpRange,
    clusterCidr,
    loadBalancerCidr:
      options.loadBalancerCidr ?? families.map(family => loadBalancers(family, options.cluster ?? 0)).join(','),
    families,
    hostGateways: [gateway, ...others],
    hostAddress: bridgeAddress(serviceFamily, 1),
    clusterDns: clusterDnsAddress(serviceClusterIpRange),
  };
}

function familiesOf(ranges: string): Family[] {
  return ranges.split(',').map(text => {
    const range = parseCidr(text);
    if (range === undefined) throw new RangeError(`${JSON.stringify(text)} is no range of addresses`);
    return range.family;
  });
}

/** @throws RangeError beyond its end */
function bridgeAddress(family: Family, offset: number): string {
  const bridge = parseCidr(OF_FAMILY[family].bridge);
  const address = bridge && addressAt(bridge, BigInt(offset));
  if (address === undefined) throw new RangeError(`the bridge has no address ${offset}`);
  return address;
}

/** The tenth address of the primary Service range, where every cluster has its DNS. @throws RangeError when it has none */
function clusterDnsAddress(serviceClusterIpRange: string): string {
  const range = parseCidr(serviceClusterIpRange.split(',')[0] ?? '');
  const address = range && addressAt(range, 10n);
  if (address === undefined) throw new RangeError(`${serviceClusterIpRange} is no range of more than ten addresses`);
  return address;
}

export interface NodeAddresses {
  readonly name: string;
  /** Its simulated ones, one of each family. */
  readonly ips: Addresses;
  /** The real one on which its node ports are opened. */
  readonly bindAddress: string;
}

/** Of a node by its number from 0: on the host's bridge, after the host itself. @throws RangeError beyond the bridge's end */
export function addressesOfNode(
  name: string,
  number: number,
  { families }: Pick<ClusterNetwork, 'families'>,
  platform: NodeJS.Platform = process.platform,
): NodeAddresses {
  const [first = '', ...others] = families.map(family => bridgeAddress(family, number + 2));
  return {
    name,
    ips: [first, ...others],
    // Linux answers on all of 127/8, so that every node has its own node ports.
    bindAddress: platform === 'linux' ? `127.0.0.${number + 1}` : HOST,
  };
}
