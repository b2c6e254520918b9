import { addressAt, parseCidr } from '../machinery/cidr.js';

/** Where the processes of a cluster on this machine find each other. */
export const HOST = '127.0.0.1';
/** Where Pods find this machine: as with kind, the bridge that the nodes are on. */
export const HOST_GATEWAY = '172.18.0.1';
/** For Services of type LoadBalancer: on the nodes' bridge, beyond all of them. */
export const LOAD_BALANCER_CIDR = '172.18.255.0/24';
export const CLUSTER_DOMAIN = 'cluster.local';

export interface NodeAddresses {
  readonly name: string;
  /** Its simulated address. */
  readonly ip: string;
  /** The real one on which its node ports are opened. */
  readonly bindAddress: string;
}

/** node-1, node-2, …: on the host's bridge, after the host itself. */
export const nodeAddresses = (count: number, platform: NodeJS.Platform = process.platform): NodeAddresses[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `node-${i + 1}`,
    ip: `172.18.0.${i + 2}`,
    // Linux answers on all of 127/8, so that every node has its own node ports.
    bindAddress: platform === 'linux' ? `127.0.0.${i + 1}` : HOST,
  }));

/** The tenth address of the Service range, where every cluster has its DNS. @throws RangeError when it has none */
export function clusterDnsAddress(serviceClusterIpRange: string): string {
  const range = parseCidr(serviceClusterIpRange);
  const address = range && addressAt(range, 10n);
  if (address === undefined) throw new RangeError(`${serviceClusterIpRange} is no range of more than ten addresses`);
  return address;
}
